"""Clips that TFDS has prepared, as samples and as files, to be read again."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import soundfile
import tensorflow as tf
import tensorflow_datasets as tfds

from training.tasks import decoding
from training.tasks.builders import clip_features
from training.tasks.tfds import TfdsTask
from training.tasks.tfds_clips import TfdsClips
from training.tasks.tfds_manners import quiet


class BenchmarkClips(tfds.core.GeneratorBasedBuilder):
    """The files that `paths` names, as decoded samples or as they are."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="samples"),
        tfds.core.BuilderConfig(name="files"),
    ]
    paths: tuple[Path, ...] = ()

    def _info(self):
        features = clip_features.features(label=tfds.features.ClassLabel(names=["a"]))
        if self.builder_config.name == "samples":
            audio = tfds.features.Audio(dtype=np.int16)
            label = tfds.features.ClassLabel(names=["a"])
            features = tfds.features.FeaturesDict({"audio": audio, "label": label})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for index, path in enumerate(self.paths):
            content = path.read_bytes()
            if self.builder_config.name == "files":
                yield index, clip_features.example(content, path.name, label="a")
            else:
                samples, _ = soundfile.read(io.BytesIO(content), dtype="int16")
                yield index, {"audio": samples, "label": "a"}


def prepare(data_dir, paths):
    """Prepares the clips of audio files.

    Args:
        data_dir: Folder of TFDS.
        paths: Paths of mono files of one rate.

    Returns:
        An object of datasets of waveforms, float32 (samples,): `in_order`, as TFDS
        reads samples; `samples` and `files`, as training reads either.
    """
    rate = soundfile.info(paths[0]).samplerate
    BenchmarkClips.paths = tuple(paths)
    with quiet():
        builders = {
            config: BenchmarkClips(config=config, data_dir=data_dir)
            for config in ("samples", "files")
        }
        for builder in builders.values():
            builder.download_and_prepare()
    task = TfdsTask(
        name="benchmark",
        about="clips to be read",
        dataset="benchmark_clips",
        sample_rate=rate,
        licence="",
        homepage="",
        download_bytes=0,
        split_rule="all train",
    )
    clips = {
        config: TfdsClips(builder, "train", task, "train")
        for config, builder in builders.items()
    }
    # Else TFDS would keep what is small in memory.
    config = tfds.ReadConfig(try_autocache=False)
    in_order = builders["samples"].as_dataset(split="train", read_config=config)
    return SimpleNamespace(
        in_order=in_order.map(
            lambda example: decoding.from_samples(example["audio"], rate, rate),
            num_parallel_calls=tf.data.AUTOTUNE,
        ),
        **{
            config: of.clip_set().dataset(rate).map(lambda clip: clip["waveform"])
            for config, of in clips.items()
        },
    )
