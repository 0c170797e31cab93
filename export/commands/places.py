"""The audio files that a user named: files, folders and patterns."""

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from leaf_files.command_line import note
from leaf_files.errors import UserError
from leaf_files.walk import walk


def expanded(places: Iterable[str]) -> tuple[list[Path], list[UserError]]:
    """The audio files that a user named; the clips of a folder stand in its place.

    Args:
        places: Audio files; folders, which `leaf_files.walk` walks, where a note says
            which of their files are passed over; and patterns, such as "night/*.wav",
            of files that no shell has filled in.

    Returns:
        (paths, a `UserError` for each folder or pattern without any).

    Example:

    >>> expanded(["clip.wav"])
    ([PosixPath('clip.wav')], [])
    """
    paths: list[Path] = []
    refusals: list[UserError] = []
    for place in places:
        if os.path.isdir(place):
            walked = walk(Path(place))
            refusals += map(UserError, walked.faults)
            paths += walked.clips
            if not walked.clips:
                rest = walked.passed_over and f"; {walked.passed_over}"
                refusals.append(UserError(f"the folder {place} holds no clips{rest}"))
            elif walked.passed_over:
                note(walked.passed_over)
        elif glob.has_magic(place) and not os.path.exists(place):
            found = sorted(path for path in glob.glob(place) if os.path.isfile(path))
            if not found:
                refusals.append(UserError(f"no file matches {place}"))
            paths += map(Path, found)
        else:
            paths.append(Path(place))
    return paths, refusals
