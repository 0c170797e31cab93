"""Goes through the tasks: each is made as a whole, or left out with the reason."""

import argparse
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.suite_data import digits, drums, languages, notes, speakers
from benchmarks.suite_data.packages import downloaded, found
from benchmarks.suite_data.sources import (
    INDEX,
    SECTION,
    passed_over,
    section,
    summary,
    write_index,
)
from leaf_files.atomic import make_folder, replacing_folder, writable_folder, write_text
from leaf_files.command_line import counted
from leaf_files.errors import UserError
from leaf_files.missing import missing_package

PACKAGE_TASKS = (languages.TASK, speakers.TASK, drums.TASK, notes.TASK)
# The one task that no package has.
_OWN = "instruments"
_NAMES = (digits.NAME, *(task.name for task in PACKAGE_TASKS))
# Lines are progress: they may not wait in a buffer.
_print_now = functools.partial(print, flush=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options that `prepare` takes.

    Args:
        parser: Parser of a command that names the folder.
    """
    parser.add_argument(
        "--packages",
        type=Path,
        metavar="FOLDER",
        help="take the Debian packages from this folder, NAME_*.deb or unpacked "
        "folders NAME, instead of downloading them",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        help="folder of TFDS, for the digits (default: TFDS's own)",
    )


def prepare(
    folder: str | Path,
    say: Callable[[str], object] = _print_now,
    packages: str | Path | None = None,
    data_dir: str | Path | None = None,
) -> None:
    """Builds the real tasks that aren't there yet, and says of what.

    Args:
        folder: Folder of all tasks; each gets a folder of its name in it. One that is
            there is left as it is.
        say: Function that shows a line.
        packages: Folder of Debian packages, packed or unpacked. Defaults to
            downloading them.
        data_dir: Folder of TFDS. Defaults to TFDS's own.

    Raises:
        UserError: The folder can't be written, or a task couldn't be made; the others
            are there then.
    """
    packages = packages and Path(packages)
    if packages and not packages.is_dir():
        raise UserError(f"there is no folder of packages {packages}")
    folder = make_folder(writable_folder(folder))
    makers = {
        digits.NAME: functools.partial(_digits, data_dir=data_dir and Path(data_dir)),
        **{
            task.name: functools.partial(_of_packages, task, packages=packages)
            for task in PACKAGE_TASKS
        },
    }
    missing = [name for name in makers if not _made(name, makers[name], folder, say)]
    write_index(folder, _NAMES)
    if not _is_there(folder / _OWN):
        say(
            f"{_OWN}: left out, no public package has them; put recordings of your "
            f"own into {folder / _OWN}, a subfolder for each instrument"
        )
    say(f"sources, licences and counts: {folder / INDEX}")
    if missing:
        raise UserError(
            f"{counted(len(missing), 'task')} of {len(makers)} could not be made: "
            f"{', '.join(missing)}; see above"
        )


def _made(name, make, folder, say):
    """Makes a task, unless it is there; whether it is there now."""
    path = folder / name
    if _is_there(path):
        origin = "" if (path / SECTION).is_file() else ", and was not made here"
        say(f"{name}: is there already{origin}; left as it is")
        return True
    say(f"{name}:")
    try:
        with replacing_folder(path, SECTION) as new:
            clips, text = make(new, folder, say)
            if not clips.written:
                raise UserError("the packages hold none of its clips")
            write_text(new / SECTION, text)
    except (UserError, ImportError) as error:
        reason = missing_package(error) or error
        say(f"{name}: not made: {reason}")
        return False
    say(f"{name}: {summary(clips)}")
    if clips.passed_over:
        say(f"  passed over: {passed_over(clips)}")
    return True


def _is_there(path):
    return path.is_dir() and any(path.iterdir())


def _digits(new, folder, say, data_dir):
    clips, version = digits.build(new, data_dir, say)
    made_of = [(f"TFDS {digits.DATASET}", version, digits.LICENCE)]
    say(f"  {made_of[0][0]} {version}: {digits.LICENCE}")
    return clips, section(digits.NAME, digits.LABEL, digits.GROUP, made_of, clips)


def _of_packages(task, new, folder, say, packages):
    # Beside the clips: there is room for them, too, and a folder for temporary files
    # may be in memory.
    with tempfile.TemporaryDirectory(prefix=".packages_", dir=folder) as scratch:
        get = functools.partial(found, folder=packages) if packages else downloaded
        unpacked = {
            needed.name: get(needed, Path(scratch), say=say) for needed in task.packages
        }
        say("  writing clips")
        clips = task.clips(new)
        task.build(unpacked, clips)
        made_of = []
        for needed in task.packages:
            package = unpacked[needed.name]
            made_of.append((package.name, package.version, needed.licence))
            say(f"  {package.name} {package.version}: {needed.licence}")
            terms = package.copyright()
            if terms:
                write_text(folder / "licences" / f"{package.name}.txt", terms)
    return clips, section(task.name, task.label, task.group, made_of, clips)
