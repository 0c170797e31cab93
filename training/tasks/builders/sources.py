"""The original files of a data set: their addresses and checksums."""

import dataclasses
import hashlib
import sys
import zipfile

from leaf_files.errors import UserError

_BLOCK_BYTES = 2**24


@dataclasses.dataclass(frozen=True)
class Source:
    """One file as its authors published it.

    Attributes:
        name: Name of the file.
        url: Address of the file.
        md5: MD5 that its authors publish; None if they don't.

    >>> Source("clips.zip", "https://example.org/clips.zip").name
    'clips.zip'
    """

    name: str
    url: str
    md5: str | None = None


def fetch(dl_manager, sources):
    """Paths of the original files; those not put there by hand are downloaded.

    Args:
        dl_manager: `DownloadManager` of TFDS.
        sources: `Source`s of the files.

    Returns:
        {name: path}.

    Raises:
        UserError: A file differs from the one that its authors published.
    """
    paths = {}
    # One after the other: after a failure TFDS's threads would keep running.
    for source in sources:
        path = _by_hand(dl_manager, source.name) or dl_manager.download(source.url)
        require_original(path, source)
        paths[source.name] = path
    return paths


def require_original(path, source):
    """Checks the MD5 of a file, if its authors publish it.

    Raises:
        UserError: The MD5 is another one.

    >>> source = Source("0.wav", "https://example.org/0.wav", md5="0" * 32)
    >>> require_original(Path("drums/kick/0.wav"), source)
    Traceback (most recent call last):
    leaf_files.errors.UserError: drums/kick/0.wav is damaged or another version: ...
    """
    if source.md5 is None:
        return
    print(f"checking {source.name}", file=sys.stderr)
    md5 = _md5(path)
    if md5 != source.md5:
        raise UserError(
            f"{path} is damaged or another version: its MD5 is {md5}, that of "
            f"{source.name} at {source.url} is {source.md5}; remove it"
        )


def members(path, wanted):
    """The files of a zip archive with one of the wanted names, in any folder of it.

    Args:
        path: Path of the archive.
        wanted: Names without folders, a set or another container.

    Yields:
        (name, content).

    >>> with zipfile.ZipFile("clips.zip", "w") as archive:
    ...     archive.writestr("clips/readme.txt", b"of dogs")
    >>> list(members(Path("clips.zip"), {"readme.txt"}))
    [('readme.txt', b'of dogs')]
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        for member in archive.namelist():
            name = member.rpartition("/")[-1]
            if name in wanted:
                yield name, archive.read(member)


def _md5(path):
    digest = hashlib.md5()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _by_hand(dl_manager, name):
    try:
        path = dl_manager.manual_dir / name
    except AssertionError:  # there is no such folder, or nothing in it
        return None
    return path if path.exists() else None
