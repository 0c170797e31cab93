"""What is in a folder, by which a copy of it is told from another."""

import hashlib
from pathlib import Path

_BLOCK = 2**20


def checksums(folder):
    """Bytes and SHA-256 of every file below a folder.

    Args:
        folder: The folder.

    Returns:
        {path in it, with "/": {"bytes": int, "sha256": hex}}, sorted.
    """
    folder = Path(folder)
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix(): checksum(path) for path in files}


def checksum(path):
    """{"bytes", "sha256"} of a file."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return {"bytes": size, "sha256": digest.hexdigest()}
