"""Checksums of the files in a folder, by which a copy is compared with the original."""

import hashlib
from pathlib import Path

_BLOCK = 2**20  # bytes


def checksums(folder: str | Path) -> dict[str, dict]:
    """Bytes and SHA-256 of every file below a folder.

    Args:
        folder: The folder.

    Returns:
        {path in the folder, with "/": {"bytes": int, "sha256": hex}}, sorted.

    Example:

    >>> _ = Path("copy").mkdir()
    >>> _ = Path("copy/labels.txt").write_text("wren")
    >>> checksums("copy")
    {'labels.txt': {'bytes': 4, 'sha256': '...'}}
    """
    folder = Path(folder)
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix(): checksum(path) for path in files}


def checksum(path: str | Path) -> dict:
    """{"bytes": int, "sha256": hex} of a file.

    Example:

    >>> _ = Path("empty").write_bytes(b"")
    >>> checksum("empty")
    {'bytes': 0, 'sha256': 'e3b0c442...'}
    """
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return {"bytes": size, "sha256": digest.hexdigest()}
