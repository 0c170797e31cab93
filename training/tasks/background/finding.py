"""Recordings for the background: of a folder, or of a table between its events."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from leaf_files.command_line import a_few, counted, note
from leaf_files.errors import UserError
from leaf_files.threads import in_threads
from leaf_files.walk import cannot_be_used, find_clips
from training.settings.config import SYNTHETIC, UNLABELLED
from training.tasks.background.recordings import Recording, drawn, heard, measured
from training.tasks.identity import fingerprint
from training.tasks.own.entries import Entry, name_below
from training.tasks.own.hearing import Heard
from training.tasks.own.surveying import OwnClip
from training.tasks.own.tables.background import gaps

_NAMED = 3
_BLOCK = 2**16  # bytes


class Found(NamedTuple):
    """Recordings of a source.

    Attributes:
        recordings: `Recording`s, whose lengths aren't known yet.
        groups: {path: group of the recording}.
        where: Words on where they are, "in the folder street".
        errors: `UserError`s about recordings that can't be read.

    >>> Found([], {}, "in /data/street").where
    'in /data/street'
    """

    recordings: Sequence[Recording]
    groups: Mapping[Path, str]
    where: str
    errors: Sequence[UserError] = ()


def require_folder(folder):
    """Checks that a folder of `--background` is there.

    Raises:
        UserError: It isn't.

    >>> require_folder(Path("nowhere"))
    Traceback (most recent call last):
    leaf_files.errors.UserError: the folder nowhere of --background isn't there: ...
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "isn't there"
        raise UserError(
            f"the folder {folder} of --background {what}: name {SYNTHETIC}, "
            f"{UNLABELLED}, or folders of recordings, separated by commas; a run finds "
            "its recordings where they were"
        )


def in_folder(folder, splitting, own_paths):
    """The recordings of a folder, at any depth, each content once.

    Args:
        folder: A Path.
        splitting: `Splitting`, by which their groups are found if it finds one for
            each; otherwise each recording is a group.
        own_paths: Real paths of the task's own files.

    Returns:
        `Found`.

    Raises:
        UserError: There are none, or some are the task's own.

    >>> from training.tasks.splits.splitting import Splitting
    >>> len(in_folder(Path("drums"), Splitting(), set()).recordings)
    10
    """
    require_folder(folder)
    paths = _without_copies(find_clips(folder, "recordings for --background"))
    own = [path for path in paths if own_paths and os.path.realpath(path) in own_paths]
    if own:
        raise UserError(
            f"{counted(len(own), 'recording')} of --background {folder} "
            f"{'is' if len(own) == 1 else 'are'} of the task itself: {a_few(own)}; "
            "its recordings must be of none of the classes"
        )
    names = [name_below(path, folder) for path in paths]
    groups = None
    if splitting.group_pattern or splitting.group_by == "parent":
        groups, _ = splitting.groups(names)
    told = dict(zip(paths, groups or [path.as_posix() for path in paths]))
    return Found([Recording(p, n) for p, n in zip(paths, names)], told, f"in {folder}")


def between_events(annotated):
    """The recordings of a table, without the events in them.

    Args:
        annotated: `Known.annotated`.

    Returns:
        `Found`.

    >>> drum = Path("drums/kick/0.wav")  # 0.1 s
    >>> [rest] = between_events({drum: ([(0.02, 0.06)], None)}).recordings
    >>> rest.parts
    [(0.0, 0.02), (0.06, 0.1)]
    """
    recordings = [Recording(path, path.name) for path in annotated]
    good, errors = measured(recordings)
    rest = [
        dataclasses.replace(r, parts=gaps(annotated[r.path][0], r.seconds))
        for r in good
    ]
    groups = {path: group or path.as_posix() for path, (_, group) in annotated.items()}
    return Found(rest, groups, "of the table, between their events", errors)


def pieces_of(found, n_pieces, window_seconds, label, skip_bad):
    """Pieces of recordings, heard.

    Args:
        found: `Found` recordings.
        n_pieces: How many are wanted; there may be fewer.
        window_seconds: Length of a window.
        label: Their label.
        skip_bad: Whether recordings that can't be read are named and left out.

    Returns:
        `OwnClip`s, no two of the same sound.

    Raises:
        UserError: There are none, or some can't be read.

    >>> found = between_events({Path("drums/kick/0.wav"): ([(0.02, 0.06)], None)})
    >>> [clip] = pieces_of(found, 5, 0.03, "rest", skip_bad=False)
    >>> clip.name(Path())
    'drums/kick/0.wav@0.06-0.09'
    """
    good, errors = measured(found.recordings)
    pieces = drawn(good, n_pieces, window_seconds)
    results = list(in_threads(lambda piece: heard(piece[0].path, piece[1]), pieces))
    errors = [*found.errors, *errors, *(e for e in results if not isinstance(e, Heard))]
    n_recordings = len(found.recordings) + len(found.errors)
    if errors:
        summary = cannot_be_used(errors, n_recordings)
        named = a_few([str(error) for error in errors], _NAMED, "; ")
        if not skip_bad:
            raise UserError(
                f"--background: {summary}; mend or remove them, or leave them out with "
                f"--skip-bad-clips: {named}"
            )
        note(f"--background: {summary} and are skipped: {named}")
    if not pieces:
        raise UserError(
            "there is nothing for --background: none of "
            f"{counted(n_recordings, 'recording')} {found.where} has a stretch of "
            f"{window_seconds:g} s without an event"
        )
    clips = {
        one.identity: OwnClip(Entry(r.path, (label,), start=s.start, end=s.end), one)
        for (r, s), one in zip(pieces, results)
        if isinstance(one, Heard)
    }
    return list(clips.values())


def _without_copies(paths):
    """Paths without files that are like an earlier one: size, beginning and end."""
    of_size: dict[int, list[Path]] = {}
    for path in paths:
        of_size.setdefault(path.stat().st_size, []).append(path)
    copies = set()
    for size, same_size in of_size.items():
        contents = set()
        for path in same_size if len(same_size) > 1 else ():
            with path.open("rb") as file:
                content = [file.read(_BLOCK)]
                file.seek(max(0, size - _BLOCK))
                content.append(file.read(_BLOCK))
            mark = fingerprint(content)
            if mark in contents:
                copies.add(path)
            contents.add(mark)
    return [path for path in paths if path not in copies]
