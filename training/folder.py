"""A task of the user's own: a folder with a subfolder of clips per class."""

import dataclasses
import functools
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from files.clips import hear_clip, is_audio_path, require_audio_rate
from files.command_line import one_line
from files.errors import UserError
from files.oddities import warn_of_all, warn_of_silent_classes
from training.clip_sets import SPLITS, ClipSet, TaskData
from training.splits import identity, split_clips

_BAD_CLIPS_NAMED = 3


@dataclasses.dataclass(frozen=True)
class FolderTask:
    """The task `folder:PATH`.

    Each subfolder of PATH is a class; the audio files in it, at any depth, are
    its clips, of any rate and any channels. Hidden files and others than audio
    files are passed over.

    Attributes:
        path: The folder.
        metric: What the task is judged by.
        skip_bad_clips: Whether clips that can't be read are named and left out.
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
            data_dir: Not used: the folder is the data.
            seed: An int; chooses the split.

        Returns:
            A `TaskData`; the labels are the names of the subfolders, sorted.

        Raises:
            UserError: No such folder, no classes, one class, a class with
                fewer than 3 distinct clips, clips that can't be read unless
                they are to be skipped.
        """
        clips = self._find()
        labels = sorted(clips)
        if len(labels) < 2:
            raise UserError(
                f"{self.path} has one class only, {labels[0]!r}; a classifier "
                "needs at least two subfolders of clips"
            )
        found = self._check(
            [(path, label) for label in labels for path in clips[label]]
        )
        assigned = split_clips(
            [(clip.identity, clip.label) for clip in found], labels, seed
        )
        return TaskData(
            tuple(labels),
            {
                split: self._clip_set(
                    [clip for clip, s in zip(found, assigned) if s == split],
                    labels,
                )
                for split in SPLITS
            },
        )

    def load_all(self, labels):
        """Opens all clips as one set, for a model that knows its labels.

        Args:
            labels: The model's; the folder may lack some of them.

        Returns:
            A `ClipSet`.

        Raises:
            UserError: As `load`, and a class that isn't among `labels`; here
                one class is enough, and one clip of it.
        """
        clips = self._find()
        unknown = sorted(set(clips) - set(labels))
        if unknown:
            raise UserError(
                f"{self.path} has classes that the model doesn't know: "
                f"{', '.join(unknown)}; it knows {', '.join(labels)}"
            )
        found = [(path, label) for label in sorted(clips) for path in clips[label]]
        if not found:
            raise UserError(f"{self.path} holds no audio files")
        usable = self._check(found)
        if not usable:
            raise UserError(f"{self.path} holds no clip that can be used")
        return self._clip_set(usable, labels)

    def _find(self):
        """{label: paths of its clips, sorted}."""
        wanted = "name a folder with one subfolder of audio files per class"
        if not self.path.exists():
            raise UserError(f"there is no folder {self.path}; {wanted}")
        if not self.path.is_dir():
            raise UserError(f"{self.path} is a file; {wanted}")
        entries = [e for e in self.path.iterdir() if not _is_hidden(e)]
        classes = [entry for entry in entries if entry.is_dir()]
        if not entries:
            raise UserError(f"the folder {self.path} is empty; {wanted}")
        if not classes:
            raise UserError(
                f"the folder {self.path} has files but no subfolders; {wanted}"
            )
        return {folder.name: _clips_below(folder) for folder in classes}

    def _check(self, clips):
        """Reads each clip once, before any long work.

        Args:
            clips: (path, label) of each.

        Returns:
            A `_Clip` of each that can be used.

        Raises:
            UserError: One can't, and is not to be skipped.
        """
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
        _Clip.warn_of([r for r in results if not isinstance(r, UserError)])
        errors = [str(r) for r in results if isinstance(r, UserError)]
        if not errors:
            return results
        found = f"{len(errors)} of {len(clips)} clips can't be used"
        if not self.skip_bad_clips:
            raise UserError(
                f"{found}; mend or remove them, or leave them out with "
                f"--skip-bad-clips: {'; '.join(errors[:_BAD_CLIPS_NAMED])}"
                + ("; ..." if len(errors) > _BAD_CLIPS_NAMED else "")
            )
        lines = map(one_line, errors)
        print(f"{found} and are skipped:", *lines, sep="\n  ", file=sys.stderr)
        return [r for r in results if not isinstance(r, UserError)]

    def _clip_set(self, clips, labels):
        indices = np.array([labels.index(clip.label) for clip in clips], np.int64)
        return ClipSet.by_index(
            len(clips), functools.partial(self._at, clips, indices), lambda: indices
        )

    def _at(self, clips, indices, sample_rate):
        """`ClipSet.at` of `_Clip`s."""
        import tensorflow as tf

        from training import decoding

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
        path: Of the file.
        label: Name of its class.
        identity: Of its sound, as `training.splits.identity`.
        encoding: What is in the file, such as "WAV PCM_16".
        sample_rate: In Hz.
        oddities: What is odd about its sound, of `files.oddities`.
    """

    path: Path
    label: str
    identity: str
    encoding: str
    sample_rate: int
    oddities: tuple = ()

    @classmethod
    def warn_of(cls, clips):
        """Says on stderr what is odd about clips, a line a kind."""
        warn_of_all({clip.path: clip.oddities for clip in clips}, len(clips))
        warn_of_silent_classes(
            [clip.oddities for clip in clips], [clip.label for clip in clips]
        )


def _is_hidden(path):
    return path.name.startswith(".")


def _clips_below(folder):
    return sorted(
        path
        for path in folder.rglob("*")
        if is_audio_path(path) and not _is_hidden(path) and path.is_file()
    )


def _clip_or_error(clip):
    path, label = clip
    try:
        heard = hear_clip(path)
        require_audio_rate(heard.sample_rate, path)
    except UserError as error:
        return error
    sound = identity(heard.waveform, heard.sample_rate)
    return _Clip(path, label, sound, heard.encoding, heard.sample_rate, heard.oddities)
