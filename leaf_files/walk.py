"""The one walk of a folder of clips: which files it takes, and which it passes over.

Every command that takes a folder walks it so: audio files at any depth, in an order
that no locale and no file system changes. Links to files and folders are followed.
Files that the system or an editor made are never clips.
"""

import collections
import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leaf_files.clips import hear_clip, is_audio_path
from leaf_files.command_line import a_few, note, one_line
from leaf_files.errors import UserError
from leaf_files.oddities import warn_of_all

# Folders that systems make beside the files of their users; in any case.
_SYSTEM_FOLDERS = {
    *("__macosx", "__pycache__", "network trash folder", "temporary items"),
    *("$recycle.bin", "recycler", "system volume information", "lost+found"),
    *("@eadir", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),
}
# Files of the same kind, passed over without a word, as all hidden files are that
# aren't named as sound.
_SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
# Sound that libsndfile doesn't read, and containers that may hold some.
_UNREADABLE_SOUND = {
    *(".3g2", ".3gp", ".aa3", ".aac", ".aax", ".ac3", ".alac", ".amr", ".ape", ".asf"),
    *(".avi", ".awb", ".dff", ".dsf", ".dts", ".eac3", ".flv", ".g722", ".gsm"),
    *(".m4a", ".m4b", ".m4p", ".m4r", ".m4v", ".mka", ".mkv", ".mov", ".mp1", ".mp4"),
    *(".mpc", ".mpeg", ".mpg", ".mpga", ".ogv", ".ogx", ".pcm", ".qt", ".ra", ".raw"),
    *(".rm", ".shn", ".spx", ".tta", ".voc", ".vox", ".weba", ".webm", ".wma", ".wmv"),
    ".wv",
}
# What is counted as a kind of file by its name's end.
_EXTENSION = re.compile(r"\.\w{1,10}")


@dataclasses.dataclass
class Walk:
    """The content of a folder.

    Attributes:
        folder: Folder in which the walk began.
        clips: Paths of the audio files, in the order of their names' bytes, folder by
            folder; each real file once in a class.
        classes: Names of the folder's own subfolders, with or without clips: a clip's
            class is the first part of its path below `folder`.
        faults: Lines on entries that were meant to be clips, or to hold some, and
            can't be read.
        unreadable: {extension: paths} of sound in formats that can't be read.
        others: {extension: n} of other files.
        hidden: Paths of hidden folders, of the system's, and of hidden audio files.
        broken: Paths of links without a target, not named as audio files.
        loops: Paths of links to a folder above them.
        repeated: Paths of files and folders that a link brings into a class again.
        loose: Paths of clips in no class, after `leave_loose`.

    >>> from leaf_files.clips import write_clip
    >>> write_clip("clips/wren/0.wav", np.zeros(160), 16000)
    >>> write_clip("clips/loose.wav", np.zeros(160), 16000)
    >>> contents = walk(Path("clips"))
    >>> contents.classes, len(contents.clips), contents.is_empty
    (['wren'], 2, False)
    >>> contents.leave_loose()
    >>> contents.passed_over
    'passed over in clips: 1 audio file in no class folder (loose.wav)'
    """

    folder: Path
    clips: list[Path] = dataclasses.field(default_factory=list)
    classes: list = dataclasses.field(default_factory=list)
    faults: list = dataclasses.field(default_factory=list)
    unreadable: dict = dataclasses.field(default_factory=dict)
    others: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    hidden: list = dataclasses.field(default_factory=list)
    broken: list = dataclasses.field(default_factory=list)
    loops: list = dataclasses.field(default_factory=list)
    repeated: list = dataclasses.field(default_factory=list)
    loose: list = dataclasses.field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing that a user would have put there."""
        return not (self.clips or self.classes or self.faults or self.passed_over)

    @property
    def passed_over(self) -> str:
        """Files passed over, their number and the reasons, as a line; "" if none."""
        parts = [
            self._unreadable_words(),
            _words(self.loose, "audio file{s} in no class folder", self._named),
            _words(self.hidden, "hidden or system folder{s} or file{s}", self._named),
            _words(self.broken, "broken link{s}", self._named),
            _words(self.loops, "link{s} to a folder around it", self._named),
            _words(self.repeated, "linked twice into a class", self._named),
        ]
        if self.others:
            n_others = sum(self.others.values())
            parts.append(
                f"{n_others} other file{_s(n_others)} ({_counts(self.others)})"
            )
        parts = [part for part in parts if part]
        if not parts:
            return ""
        return one_line(f"passed over in {self.folder}: {'; '.join(parts)}")

    @property
    def by_class(self) -> dict[str, list[Path]]:
        """{class: its clips}, of all classes, in the order of their names."""
        clips: dict[str, list[Path]] = {label: [] for label in sorted(self.classes)}
        for path in self.clips:
            label = self.class_of(path)
            if label is not None:
                clips[label].append(path)
        return clips

    def leave_loose(self) -> None:
        """Passes over the clips that are in no class."""
        self.loose = [path for path in self.clips if self.class_of(path) is None]
        self.clips = [path for path in self.clips if self.class_of(path) is not None]

    def class_of(self, path: Path) -> str | None:
        """The first part of a clip's path; None if it is in no subfolder."""
        parts = path.parts[len(self.folder.parts) :]
        return parts[0] if len(parts) > 1 else None

    def _unreadable_words(self):
        if not self.unreadable:
            return ""
        counts = {kind: len(paths) for kind, paths in self.unreadable.items()}
        kind = next(iter(counts))
        example = self._named(self.unreadable[kind][:1])
        return (
            f"{sum(counts.values())} of formats that can't be read ({_counts(counts)}; "
            f"such as {example}): convert them, e.g. ffmpeg -i x{kind} x.flac"
        )

    def _named(self, paths):
        return a_few([shown(path.relative_to(self.folder)) for path in paths])


def walk(folder: Path) -> Walk:
    """Finds the clips below a folder.

    Hidden entries (of a name that begins with ".") and those of the system
    (`__MACOSX`, `$RECYCLE.BIN`, `Thumbs.db`, ...) are passed over with all that is in
    them.

    Args:
        folder: A folder, a Path.

    Returns:
        `Walk`; nothing is read but names.

    >>> from leaf_files.clips import write_clip
    >>> write_clip("clips/wren/0.wav", np.zeros(160), 16000)
    >>> walk(Path("clips")).by_class
    {'wren': [PosixPath('clips/wren/0.wav')]}
    """
    contents = Walk(Path(folder))
    _Walker(contents).run()
    return contents


def find_clips(folder: Path, wanted: str) -> list[Path]:
    """The clips of a folder for a command that wants all of them.

    A line on stderr names the files that are passed over.

    Args:
        folder: A folder, a Path.
        wanted: Name of what the folder should hold, for the message if it holds none.

    Returns:
        Paths, at least one.

    Raises:
        UserError: There are no clips, or an entry that was meant to be one can't be
            read.

    >>> _ = Path("empty").mkdir()
    >>> find_clips(Path("empty"), "clips of birds")
    Traceback (most recent call last):
    leaf_files.errors.UserError: the folder empty holds no clips of birds
    """
    contents = walk(folder)
    require_clips(contents, wanted)
    return contents.clips


def require_clips(found: Walk, wanted: str) -> None:
    """Checks that a `Walk` found clips, and no faults; raises as `find_clips` does.

    >>> require_clips(Walk(Path("empty")), "clips")
    Traceback (most recent call last):
    leaf_files.errors.UserError: the folder empty holds no clips
    """
    passed_over = found.passed_over
    rest = passed_over and f"; {passed_over}"
    if found.faults:
        raise UserError(
            f"{len(found.faults)} of the entries of {found.folder} can't be read, mend "
            f"or remove them: {a_few(found.faults)}{rest}"
        )
    if not found.clips:
        raise UserError(f"the folder {found.folder} holds no {wanted}{rest}")
    if passed_over:
        note(passed_over)


def read_all(paths: Sequence[Path], sample_rate: int) -> list[np.ndarray]:
    """The waveforms of clips, each as `leaf_files.clips.read_clip` reads it.

    Oddities of their sound go to stderr.

    Raises:
        UserError: Some can't be read; the message counts them and names the first.

    >>> from leaf_files.clips import write_clip
    >>> write_clip("0.wav", np.linspace(0, 0.5, 160), 16000)
    >>> [waveform.shape for waveform in read_all([Path("0.wav")], 8000)]
    [(80,)]
    """
    clips, errors = [], []
    for path in paths:
        try:
            clips.append(hear_clip(path, sample_rate))
        except UserError as error:
            errors.append(error)
    if errors:
        raise UserError(
            f"{cannot_be_used(errors, len(paths))}; mend or remove them: "
            f"{a_few(errors, between='; ')}"
        )
    warn_of_all({path: clip.oddities for path, clip in zip(paths, clips)}, len(clips))
    return [clip.waveform for clip in clips]


def cannot_be_used(errors: Sequence, n_clips: int) -> str:
    """'2 of 13 clips can't be used', the beginning of a message about them.

    >>> cannot_be_used(["it is empty", "it is empty"], 13)
    "2 of 13 clips can't be used"
    """
    return f"{len(errors)} of {n_clips} clips can't be used"


def shown(path: Path) -> str:
    """A path for a message: as it is, in escapes where it can't be printed.

    >>> print(shown(Path("a\\nb.wav")))
    'a\\nb.wav'
    """
    text = str(path)
    return text if text.isprintable() else ascii(text)


class _Walker:
    """Walks a folder, and fills a `Walk`.

    Args:
        found: The `Walk`.
    """

    def __init__(self, found):
        self._found = found
        self._root = os.path.realpath(found.folder)
        # Of each class, the real paths of files and folders that were seen.
        self._seen = collections.defaultdict(set)

    def run(self):
        """Walks the folder; without recursion, which deep folders would exhaust."""
        waiting = [self._folders(self._found.folder, None)]
        while waiting:
            entered = next(waiting[-1], None)
            if entered is None:
                waiting.pop()
            else:
                waiting.append(self._folders(*entered))

    def _folders(self, folder, label):
        """Takes the entries of a folder.

        Args:
            folder: Path.
            label: Its class; None for the folder of classes itself.

        Yields:
            (path, its label) of each subfolder to walk, in its place among the files.
        """
        real = os.path.realpath(folder)
        self._seen[label].add(real)
        try:
            with os.scandir(folder) as unsorted:
                entries = sorted(unsorted, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            self._found.faults.append(
                f"can't list the folder {folder}: {error.strerror or error}"
            )
            return
        for entry in entries:
            path = folder / entry.name
            if self._take(entry, path, real, label):
                yield path, path.name if label is None else label

    def _take(self, entry, path, parent, label):
        """Takes a file, or passes over an entry; True for a folder to walk."""
        contents = self._found
        try:
            is_folder = entry.is_dir()
            is_file = not is_folder and entry.is_file()
        except OSError:  # a link to itself, or into what may not be looked at
            is_folder = is_file = False
        if _is_hidden(entry.name, is_folder):
            if is_folder or (is_audio_path(path) and not entry.name.startswith("._")):
                contents.hidden.append(path)
        elif entry.is_symlink() and not (is_folder or is_file):
            self._broken(path)
        elif is_folder:
            return self._is_to_walk(path, parent, label)
        elif not is_file or not is_audio_path(path):
            self._other(path)
        elif self._is_new(path, parent, entry.is_symlink(), label):
            contents.clips.append(path)
        return False

    def _is_to_walk(self, path, parent, label):
        real = os.path.realpath(path)
        if any(_is_within(place, real) for place in (parent, self._root)):
            self._found.loops.append(path)
            return False
        if label is None:
            self._found.classes.append(path.name)
            return True
        if real in self._seen[label]:
            self._found.repeated.append(path)
            return False
        return True

    def _is_new(self, path, parent, is_link, label):
        real = os.path.realpath(path) if is_link else os.path.join(parent, path.name)
        if real in self._seen[label]:
            self._found.repeated.append(path)
            return False
        self._seen[label].add(real)
        return True

    def _broken(self, path):
        if is_audio_path(path):
            self._found.faults.append(f"{path} is a link to a file that isn't there")
        else:
            self._found.broken.append(path)

    def _other(self, path):
        extension = path.suffix.lower()
        if extension in _UNREADABLE_SOUND:
            self._found.unreadable.setdefault(extension, []).append(path)
        else:
            is_kind = _EXTENSION.fullmatch(extension)
            self._found.others[extension if is_kind else ""] += 1


def _is_hidden(name, is_folder):
    system = _SYSTEM_FOLDERS if is_folder else _SYSTEM_FILES
    return name.startswith(".") or name.lower() in system


def _is_within(path, folder):
    """Whether a real path is that of a folder, or below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _counts(kinds):
    """'5 .m4a, 2 .wma', the most frequent first."""
    ordered = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    return a_few([f"{n} {kind or 'of other names'}" for kind, n in ordered], 8)


def _words(paths, what, named):
    """'3 whats (a, b, c)'; "" if there are none."""
    n = len(paths)
    return f"{n} {what.format(s=_s(n))} ({named(paths)})" if n else ""


def _s(n):
    return "s" if n > 1 else ""
