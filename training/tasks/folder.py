"""A task of the user's own: a folder with a subfolder of clips per class."""

import dataclasses
import functools
import os
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from leaf_files.clips import hear_clip, require_audio_rate
from leaf_files.command_line import a_few, note, one_line, warn
from leaf_files.errors import UserError
from leaf_files.labels import label_faults, similar_labels, spelled_as
from leaf_files.oddities import warn_of_all, warn_of_silent_classes
from leaf_files.run_folder import RunPaths
from leaf_files.text import require_utf8
from leaf_files.walk import cannot_be_used, walk
from training.tasks.clip_sets import SPLITS, ClipSet, ListedClip, TaskData
from training.tasks.splits import SOUND_DIGITS, identity, split_clips, too_few

_BAD_CLIPS_NAMED = 3
# Names of folders of splits, in lower case.
_SPLITS = {
    *("train", "training", "test", "testing", "val", "valid", "validation"),
    *("dev", "eval", "evaluation"),
}


@dataclasses.dataclass(frozen=True)
class FolderTask:
    """The task `folder:PATH`.

    Each subfolder of PATH is a class; the audio files in it, at any depth, are its
    clips, of any rate and any channels, as `leaf_files.walk` finds them. Files that are
    passed over are named on stderr.

    Attributes:
        path: Folder of the classes.
        metric: Main metric of the task.
        skip_bad_clips: Whether clips that can't be read are named and left out.

    >>> data = FolderTask(Path("drums")).load()  # 5 clips of each class
    >>> {split: clips.n_examples for split, clips in data.splits.items()}
    {'train': 6, 'validation': 2, 'test': 2}
    """

    path: Path
    metric: str = "accuracy"
    skip_bad_clips: bool = False

    @property
    def name(self):
        return f"folder:{self.path}"

    def load(self, data_dir=None, seed=0):
        """Opens all clips and splits them 80/10/10 within each class.

        Copies of a clip stay in one split, whatever their names.

        Args:
            data_dir: Ignored: the folder is the data.
            seed: Seed of the split, an int.

        Returns:
            A `TaskData`; the labels are the names of the subfolders, sorted.

        Raises:
            UserError: No such folder, no classes, one class, names that can't be
                labels, classes with fewer than 3 distinct clips, clips that can't be
                read unless they are to be skipped: all of it in one message.
        """
        walked = self._walk()
        clips = walked.by_class
        labels = list(clips)
        faults = [*_not_classes(walked), *_label_faults(labels)]
        if len(labels) < 2:
            faults.append(
                f"{self.path} has one class only, {labels[0]!r}; a classifier "
                "needs at least two subfolders of clips"
            )
            self._refuse(faults, walked)
        usable, unusable = self._check(walked)
        sounds = [(clip.identity, clip.label) for clip in usable]
        faults += [fault for fault in (unusable, too_few(sounds, labels)) if fault]
        if faults:
            self._refuse(faults, walked, usable)
        _tell(walked)
        _warn(similar_labels(labels), _split_names(labels), _shared_sounds(usable))
        assigned = split_clips(sounds, labels, seed)
        return TaskData(
            tuple(labels),
            {
                split: self._clip_set(
                    [clip for clip, s in zip(usable, assigned) if s == split],
                    labels,
                )
                for split in SPLITS
            },
        )

    def load_all(self, labels):
        """Opens all clips as one set, for a model that knows its labels.

        Args:
            labels: Labels of the model; the folder may lack some of them.

        Returns:
            A `ClipSet`.

        Raises:
            UserError: See `load`, though one clip of one class is enough here; also a
                class that isn't among `labels`.
        """
        walked = self._walk()
        spelled = spelled_as(labels)
        clips = {name: paths for name, paths in walked.by_class.items() if paths}
        unknown = [name for name in clips if spelled(name) not in labels]
        faults = []
        if unknown:
            faults.append(
                f"{self.path} has classes that the model doesn't know: "
                f"{', '.join(unknown)}; it knows {', '.join(labels)}"
            )
        elif not clips and not walked.faults:
            faults.append(f"{self.path} holds no audio files")
        if faults:
            self._refuse(faults, walked)
        usable, unusable = self._check(walked)
        if unusable:
            self._refuse([unusable], walked, usable)
        if not usable:
            self._refuse([f"{self.path} holds no clip that can be used"], walked)
        _tell(walked)
        _warn(_shared_sounds(usable))
        known = [
            dataclasses.replace(clip, label=spelled(clip.label)) for clip in usable
        ]
        return self._clip_set(known, labels)

    def tell_passed_over(self):
        """Names the files that are passed over, on stderr, without reading clips.

        Says nothing of a path that is no folder.
        """
        if self.path.is_dir():
            walked = walk(self.path)
            walked.leave_loose()
            _tell(walked)

    def _walk(self):
        """The `Walk` of the folder, with at least one class."""
        advice = "name a folder with one subfolder of audio files per class"
        require_utf8(self.path)
        if not self.path.exists():
            raise UserError(f"there is no folder {self.path}; {advice}")
        if not self.path.is_dir():
            raise UserError(f"{self.path} is a file; {advice}")
        if _is_run(self.path):
            raise UserError(
                f"{self.path} is the folder of a run, not of clips; {advice}"
            )
        walked = walk(self.path)
        if walked.classes:
            walked.leave_loose()
            return walked
        if walked.is_empty:
            raise UserError(f"the folder {self.path} is empty; {advice}")
        flat = f"the folder {self.path} has files but no subfolders; {advice}"
        self._refuse(walked.faults or [flat], walked)

    def _refuse(self, faults, walked, usable=()):
        """Raises all faults as one `UserError`.

        Args:
            faults: Lines, at least one.
            walked: `Walk` of the folder; the message names what it passed over.
            usable: `_Clip`s; the message names those in several classes.
        """
        if len(faults) > 1:
            numbered = [f"({i}) {fault}" for i, fault in enumerate(faults, 1)]
            faults = [f"{self.path} can't be used: {'; '.join(numbered)}"]
        notes = filter(None, [walked.passed_over, _shared_sounds(usable)])
        raise UserError("; ".join([*faults, *notes]))

    def _check(self, walked):
        """Reads each clip once, before any long work.

        Args:
            walked: `Walk` of the folder.

        Returns:
            (`_Clip`s of the files that can be used, a line about the others): the
            line is "" if there are none, or they are to be skipped.
        """
        clips = [(path, walked.class_of(path)) for path in walked.clips]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(
                tqdm(
                    pool.map(_clip_or_error, clips),
                    desc="checking clips",
                    total=len(clips),
                    unit=" clips",
                    disable=None,  # without a terminal
                )
            )
        usable = [r for r in results if not isinstance(r, UserError)]
        _Clip.warn_of(usable)
        errors = walked.faults + [str(r) for r in results if isinstance(r, UserError)]
        if not errors:
            return usable, ""
        n_clips = len(clips) + len(walked.faults)
        summary = cannot_be_used(errors, n_clips)
        if not self.skip_bad_clips:
            return usable, (
                f"{summary}; mend or remove them, or leave them out with "
                f"--skip-bad-clips: {a_few(errors, _BAD_CLIPS_NAMED, '; ')}"
            )
        lines = map(one_line, errors)
        print(f"{summary} and are skipped:", *lines, sep="\n  ", file=sys.stderr)
        return usable, ""

    def _clip_set(self, clips, labels):
        indices = np.array([labels.index(clip.label) for clip in clips], np.int64)
        return ClipSet.by_index(
            len(clips),
            functools.partial(self._at, clips, indices),
            lambda: indices,
            [clip.listed(self.path) for clip in clips],
        )

    def _at(self, clips, indices, sample_rate):
        """`ClipSet.at` of `_Clip`s."""
        import tensorflow as tf

        from training.tasks import decoding

        paths = tf.constant([os.fsencode(clip.path) for clip in clips], tf.string)
        names = [os.fsencode(clip.path.relative_to(self.path)) for clip in clips]
        names = tf.constant(names, tf.string)
        encodings = tf.constant([clip.encoding for clip in clips], tf.string)
        rates = tf.constant([clip.sample_rate for clip in clips], tf.int64)
        labels = tf.constant(indices)

        def clip(index):
            return {
                "waveform": decoding.from_file(
                    paths[index], encodings[index], rates[index], sample_rate
                ),
                "label": labels[index],
                "clip": names[index],
            }

        return clip


@dataclasses.dataclass(frozen=True)
class _Clip:
    """A clip that can be read.

    Attributes:
        path: Path of the file.
        label: Name of the class.
        identity: Identity of the sound, see `training.tasks.splits.identity`.
        encoding: Format and subtype of the file, such as "WAV PCM_16".
        sample_rate: Rate of the file, Hz.
        oddities: Oddities of the sound, see `leaf_files.oddities`.
    """

    path: Path
    label: str
    identity: str
    encoding: str
    sample_rate: int
    oddities: tuple = ()

    @classmethod
    def warn_of(cls, clips):
        """Says on stderr what is odd about clips, one line a kind."""
        warn_of_all({clip.path: clip.oddities for clip in clips}, len(clips))
        warn_of_silent_classes(
            [clip.oddities for clip in clips], [clip.label for clip in clips]
        )

    def listed(self, folder):
        """The `ListedClip`, its file relative to the task's folder."""
        file = self.path.relative_to(folder).as_posix()
        return ListedClip(self.identity[:SOUND_DIGITS], self.label, file)


def _label_faults(labels):
    """[a line about class names that can't be labels], or []."""
    faults = label_faults(labels)
    return faults and [
        f"names of classes that can't be labels, rename them: {', '.join(faults)}"
    ]


def _not_classes(walked):
    """Lines about subfolders that are runs or splits, not classes, a list."""
    runs = [label for label in walked.classes if _is_run(walked.folder / label)]
    faults = []
    if runs:
        faults.append(
            f"{len(runs)} of the subfolders of {walked.folder} are of runs, not of "
            f"clips, move them elsewhere: {a_few(runs)}"
        )
    if _are_splits(walked.classes):
        subfolders = [
            {path.relative_to(walked.folder).parts[1:-1][:1] for path in paths} - {()}
            for paths in walked.by_class.values()
        ]
        shared = sorted(name for (name,) in set.intersection(*subfolders))
        if shared:
            largest = max(walked.by_class, key=lambda c: len(walked.by_class[c]))
            faults.append(
                f"the subfolders of {walked.folder} are splits, not classes: "
                f"{', '.join(sorted(walked.classes))} hold the same folders "
                f"({a_few(shared)}); name one of them as the task, such as "
                f"folder:{walked.folder / largest}, or put the clips of "
                "each class into one folder"
            )
    return faults


def _split_names(labels):
    """A line about classes with the names of splits; or ""."""
    if not _are_splits(labels):
        return ""
    return (
        f"the classes are called {', '.join(labels)}, as splits are: each subfolder is "
        "taken for a class, and is split by its clips"
    )


def _are_splits(labels):
    return len(labels) > 1 and all(label.lower() in _SPLITS for label in labels)


def _is_run(folder):
    run = RunPaths(folder)
    return os.path.isfile(run.config) and os.path.isfile(run.tasks)


def _tell(walked):
    if walked.passed_over:
        note(walked.passed_over)


def _warn(*lines):
    for line in filter(None, lines):
        warn(line)


def _shared_sounds(clips):
    """A line that names clips of one sound under several labels; or ""."""
    by_sound: dict = defaultdict(dict)
    for clip in clips:
        by_sound[clip.identity].setdefault(clip.label, clip.path)
    shared = [list(paths.values()) for paths in by_sound.values() if len(paths) > 1]
    if not shared:
        return ""
    count = "1 sound is" if len(shared) == 1 else f"{len(shared)} sounds are"
    pairs = [" = ".join(map(str, paths)) for paths in shared]
    return (
        f"{count} in several classes, and at most one label of each can be right: "
        f"{a_few(pairs, _BAD_CLIPS_NAMED)}"
    )


def _clip_or_error(clip):
    path, label = clip
    try:
        audio = hear_clip(path)
        require_audio_rate(audio.sample_rate, path)
    except UserError as error:
        return error
    sound = identity(audio.waveform, audio.sample_rate)
    return _Clip(path, label, sound, audio.encoding, audio.sample_rate, audio.oddities)
