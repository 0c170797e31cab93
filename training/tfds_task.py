"""A task whose clips come from a TensorFlow Datasets builder."""

import contextlib
import dataclasses
import functools
import importlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Mapping

from files.atomic import writable_folder
from files.clips import resample
from files.errors import UserError
from training.clip_sets import SPLITS, ClipSet, TaskData
from training.splits import identity, split_clips


@dataclasses.dataclass(frozen=True)
class TfdsTask:
    """One task of the registry.

    Attributes:
        name: What `--task` calls it.
        dataset: What TFDS calls it.
        sample_rate: Of the clips as stored, in Hz.
        licence, homepage, download: For people who choose a task.
        splits: TFDS split of each of `training.clip_sets.SPLITS`. None if the
            data set has just "train": then it is split 80/10/10 by a seed.
        waveform_key, label_key: Names of the features.
        clip_key: Name of the feature that names a clip. Defaults to none: a
            clip is then named by its split and position.
        metric: What the task is judged by.
        builder_module: Module of ours that registers the builder, if any.
    """

    name: str
    dataset: str
    sample_rate: int
    licence: str
    homepage: str
    download: str
    splits: Mapping[str, str] | None = None
    waveform_key: str = "audio"
    label_key: str = "label"
    clip_key: str | None = None
    metric: str = "accuracy"
    builder_module: str | None = None

    def load(self, data_dir=None, seed=0):
        """Makes the data ready, downloading it if need be.

        Args:
            data_dir: Folder of TFDS. Defaults to TFDS's own, in the home
                folder.
            seed: An int; chooses the split where there is no official one.

        Returns:
            A `TaskData`.

        Raises:
            UserError: The data is neither there nor can it be had.
        """
        builder = self._prepare(data_dir)
        if self.splits is None:
            splits = self._seeded_splits(builder, seed)
        else:
            splits = {
                split: ClipSet(
                    builder.info.splits[self.splits[split]].num_examples,
                    functools.partial(self._read, builder, self.splits[split], None),
                )
                for split in SPLITS
            }
        labels = builder.info.features[self.label_key].names
        return TaskData(tuple(labels), splits)

    def _prepare(self, data_dir):
        import tensorflow_datasets as tfds

        if self.builder_module:
            importlib.import_module(self.builder_module)
        data_dir = os.path.expanduser(data_dir or tfds.core.constants.DATA_DIR)
        builder = tfds.builder(self.dataset, data_dir=data_dir)
        if not builder.data_path.exists():
            writable_folder(data_dir)
            print(
                f"preparing the data of {self.name} in {builder.data_path} "
                f"(download: {self.download})",
                file=sys.stderr,
            )
        try:
            with _quiet_and_quick_to_fail():
                builder.download_and_prepare()
        # TFDS says a dozen ways that data is missing, damaged or unreachable.
        except Exception as error:
            reason = " ".join(str(error).split())
            raise UserError(
                f"cannot get the data of task {self.name!r}: it is not in "
                f"{data_dir} and could not be made there from "
                f"{self.homepage} ({type(error).__name__}: {reason:.200}); "
                "check the network, or name a folder that has it with "
                "--data-dir"
            ) from error
        return builder

    def _seeded_splits(self, builder, seed):
        import tensorflow_datasets as tfds

        names = builder.info.features[self.label_key].names
        clips = [
            (
                identity(example[self.waveform_key], self.sample_rate),
                names[example[self.label_key]],
            )
            for example in tfds.as_numpy(_examples(builder, "train"))
        ]
        found = split_clips(clips, sorted({label for _, label in clips}), seed)
        return {
            split: ClipSet(
                found.count(split),
                functools.partial(
                    self._read, builder, "train", [s == split for s in found]
                ),
            )
            for split in SPLITS
        }

    def _read(self, builder, tfds_split, kept, sample_rate):
        """`ClipSet.read` of a TFDS split, or of the examples `kept` of it."""
        import tensorflow as tf

        def to_clip(position, example):
            waveform = tf.numpy_function(
                lambda stored: resample(
                    to_waveform(stored), self.sample_rate, sample_rate
                ),
                [example[self.waveform_key]],
                tf.float32,
            )
            return {
                "waveform": tf.ensure_shape(waveform, [None]),
                "label": tf.cast(example[self.label_key], tf.int64),
                "clip": (
                    example[self.clip_key]
                    if self.clip_key
                    else tf.strings.format(f"{tfds_split}/{{}}", position)
                ),
            }

        examples = _examples(builder, tfds_split).enumerate()
        if kept is not None:
            kept = tf.constant(kept)
            examples = examples.filter(lambda position, _: kept[position])
        return examples.map(
            to_clip, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )


def to_waveform(stored):
    """A TFDS audio feature, int16 range or float, as a float32 mono waveform.

    Args:
        stored: (samples,) or (samples, channels); integers are scaled by
            1 / 32768.
    """
    waveform = stored.astype("float32")
    if stored.dtype.kind == "i":
        waveform /= 32768
    return waveform.mean(axis=1) if waveform.ndim == 2 else waveform


def _examples(builder, tfds_split):
    import tensorflow_datasets as tfds

    return builder.as_dataset(
        split=tfds_split,
        shuffle_files=False,
        read_config=tfds.ReadConfig(try_autocache=False),
    )


@contextlib.contextmanager
def _quiet_and_quick_to_fail():
    """Keeps TFDS to a progress bar on a terminal, and to seconds offline."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import downloader

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # pydub looks for ffmpeg
        for name in ("absl", "urllib3"):
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        # TFDS's 10 retries keep a user without a network waiting for minutes.
        stack.callback(setattr, downloader, "MAX_RETRIES", downloader.MAX_RETRIES)
        downloader.MAX_RETRIES = 3
        yield
