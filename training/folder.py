"""A task of the user's own: a folder with a subfolder of clips per class."""

import dataclasses
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from files.clips import is_audio_path, read_clip
from files.errors import UserError
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
    """

    path: Path
    metric: str = "accuracy"

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
                fewer than 3 distinct clips, clips that can't be read.
        """
        clips = self._find()
        labels = sorted(clips)
        if len(labels) < 2:
            raise UserError(
                f"{self.path} has one class only, {labels[0]!r}; a classifier "
                "needs at least two subfolders of clips"
            )
        found = [(path, label) for label in labels for path in clips[label]]
        identities = self._check([path for path, _ in found])
        assigned = split_clips(
            [(sound, label) for sound, (_, label) in zip(identities, found)],
            labels,
            seed,
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
        self._check([path for path, _ in found])
        return self._clip_set(found, labels)

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

    def _check(self, paths):
        """Reads each clip once, before any long work; returns identities."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(
                tqdm(
                    pool.map(_identity_or_error, paths),
                    desc="checking clips",
                    total=len(paths),
                    unit=" clips",
                    disable=None,  # without a terminal
                )
            )
        errors = [str(r) for r in results if isinstance(r, UserError)]
        if errors:
            raise UserError(
                f"{len(errors)} of {len(paths)} clips can't be used; mend or "
                f"remove them: {'; '.join(errors[:_BAD_CLIPS_NAMED])}"
                + ("; ..." if len(errors) > _BAD_CLIPS_NAMED else "")
            )
        return results

    def _clip_set(self, clips, labels):
        return ClipSet(len(clips), functools.partial(self._read, clips, list(labels)))

    def _read(self, clips, labels, sample_rate):
        """`ClipSet.read` of (path, label) pairs."""
        import tensorflow as tf

        def to_clip(path, label, clip):
            waveform = tf.numpy_function(
                lambda path: read_clip(os.fsdecode(path), sample_rate)[0],
                [path],
                tf.float32,
            )
            return {
                "waveform": tf.ensure_shape(waveform, [None]),
                "label": label,
                "clip": clip,
            }

        paths = [os.fsencode(path) for path, _ in clips]
        names = [os.fsencode(p.relative_to(self.path)) for p, _ in clips]
        indices = [labels.index(label) for _, label in clips]
        return tf.data.Dataset.from_tensor_slices(
            (paths, tf.constant(indices, tf.int64), names)
        ).map(to_clip, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _is_hidden(path):
    return path.name.startswith(".")


def _clips_below(folder):
    return sorted(
        path
        for path in folder.rglob("*")
        if is_audio_path(path) and not _is_hidden(path) and path.is_file()
    )


def _identity_or_error(path):
    try:
        return identity(*read_clip(path))
    except UserError as error:
        return error
