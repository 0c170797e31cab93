"""Debian packages, downloaded and unpacked, or found in a folder; nothing is installed.

`apt-get` and `dpkg` do the work, and need no rights of an administrator for it.
"""

import contextlib
import dataclasses
import gzip
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from leaf_files.command_line import counted, one_line
from leaf_files.errors import UserError

_VERSION = re.compile(r"\S+ \(([^)]+)\)")


@dataclasses.dataclass(frozen=True)
class Needed:
    """A package that a task is made of.

    Attributes:
        name: Name of the package.
        licence: Licence of its sounds.
        megabytes: Size of the download.
    """

    name: str
    licence: str
    megabytes: int


@dataclasses.dataclass(frozen=True)
class Package:
    """An unpacked package.

    Attributes:
        name: Name of the package.
        version: Version, or "unknown".
        root: Folder that stands for the root of a system: it holds usr/.
    """

    name: str
    version: str
    root: Path

    def files(self, pattern: str) -> list[Path]:
        """Files whose paths match, in the order of their names.

        Args:
            pattern: Glob pattern below the root, such as "usr/share/**/*.ogg".
        """
        return sorted(path for path in self.root.glob(pattern) if path.is_file())

    def copyright(self) -> str:
        """Text of its copyright file; "" where it has none."""
        path = self.root / "usr/share/doc" / self.name / "copyright"
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


def downloaded(
    needed: Needed, scratch: Path, say: Callable[[str], object] = print
) -> Package:
    """Downloads a package with `apt-get`, and unpacks it.

    Args:
        needed: The package.
        scratch: Folder for the package and its files.
        say: Function that shows a line.

    Raises:
        UserError: It can't be had; the message says why.
    """
    name = needed.name
    say(f"  downloading {name} ({needed.megabytes} MB)")
    folder = scratch / f"{name}.download"
    folder.mkdir()
    _run(
        ["apt-get", "download", "--quiet", name],
        f"can't download {name}",
        "run apt-get update first, or get it elsewhere and name its folder: "
        "python -m benchmarks suite prepare DIR --packages FOLDER",
        folder,
    )
    archives = sorted(folder.glob("*.deb"))
    if not archives:
        raise UserError(f"apt-get download {name} left no package")
    package = _unpacked(name, archives[-1], scratch)
    shutil.rmtree(folder)
    return package


def found(
    needed: Needed, scratch: Path, folder: Path, say: Callable[[str], object] = print
) -> Package:
    """Finds a package in a folder of packages, without a network.

    Args:
        needed: The package.
        scratch: Folder for its files.
        folder: Folder that holds NAME_VERSION_all.deb, or a folder NAME with what
            `dpkg -x` unpacked from it.
        say: Function that shows a line.

    Raises:
        UserError: It isn't there, or can't be unpacked.
    """
    name = needed.name
    if (folder / name / "usr").is_dir():
        root = folder / name
        return Package(name, _version_in(root, name), root)
    archives = sorted(folder.glob(f"{name}_*.deb"))
    if not archives:
        raise UserError(
            f"there is no {name} in {folder}; put {name}_*.deb there, from apt-get "
            f"download {name}, or a folder {name} that dpkg -x unpacked"
        )
    if len(archives) > 1:
        raise UserError(
            f"{folder} holds {counted(len(archives), 'package')} {name}_*.deb; leave "
            "one of them there"
        )
    say(f"  unpacking {archives[0].name}")
    return _unpacked(name, archives[0], scratch)


def _unpacked(name, archive, scratch):
    remedy = "get the package again"
    root = scratch / name
    _run(["dpkg", "-x", str(archive), str(root)], f"can't unpack {archive}", remedy)
    version = _run(
        ["dpkg-deb", "-f", str(archive), "Version"], f"can't read {archive}", remedy
    )
    return Package(name, version.strip() or "unknown", root)


def _run(command, failure, remedy, folder=None):
    """Output of a command of the system's."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise UserError(
            f"{failure}: there is no {command[0]} on this machine; it comes with "
            "Debian and systems made of it, such as Ubuntu"
        ) from None
    if done.returncode:
        raise UserError(f"{failure} ({_reason(done, command[0])}); {remedy}")
    return done.stdout


def _reason(done, program):
    """The first error that a command printed; its warnings come before."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [
        line for line in lines if line.lower().startswith(("e:", f"{program}: e"))
    ]
    reasons = errors or lines or [f"exit code {done.returncode}"]
    return one_line(reasons[0].removeprefix("E: "))


def _version_in(root, name):
    """Version by the newest entry of an unpacked package's changelog."""
    for path in sorted((root / "usr/share/doc" / name).glob("changelog*.gz")):
        with contextlib.suppress(OSError, EOFError), gzip.open(path, "rb") as file:
            match = _VERSION.match(file.readline(1000).decode(errors="replace"))
            if match:
                return match[1]
    return "unknown"
