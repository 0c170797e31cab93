"""Speech Commands v2 with a class for each of its 35 words, as LEAF's paper has it."""

import tensorflow_datasets as tfds

from leaf_files.errors import UserError
from training.tasks.builders import clip_features

# Its checksum is in checksums.tsv, where TFDS looks for it.
URL = "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
WORDS = (
    *("backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow"),
    *("forward", "four", "go", "happy", "house", "learn", "left", "marvin", "nine"),
    *("no", "off", "on", "one", "right", "seven", "sheila", "six", "stop", "three"),
    *("tree", "two", "up", "visual", "wow", "yes", "zero"),
)
_LISTS = {"validation_list.txt": "validation", "testing_list.txt": "test"}


class SpeechCommands35(tfds.core.GeneratorBasedBuilder):
    """One of 35 words in 1 s; the official lists say what validates and what tests.

    TFDS's own `speech_commands` has ten of the words, the others as "unknown", and
    silence.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=clip_features.features(
                label=tfds.features.ClassLabel(names=WORDS)
            ),
            homepage="https://arxiv.org/abs/1804.03209",
            citation="P. Warden: Speech Commands: a dataset for limited-vocabulary "
            "speech recognition, arXiv:1804.03209",
        )

    def _split_generators(self, dl_manager):
        path = dl_manager.download(URL)
        listed = {}
        for name, file in dl_manager.iter_archive(path):
            split = _LISTS.get(name.rpartition("/")[-1])
            if split:
                listed.update(dict.fromkeys(file.read().decode().split(), split))
        if set(listed.values()) != set(_LISTS.values()):
            raise UserError(f"{path} lacks one of {', '.join(_LISTS)}")
        return {
            split: self._generate_examples(dl_manager, path, listed, split)
            for split in ("train", "validation", "test")
        }

    def _generate_examples(self, dl_manager, path, listed, split):
        for name, file in dl_manager.iter_archive(path):
            word, _, clip = name.removeprefix("./").partition("/")
            name = f"{word}/{clip}"
            if word in WORDS and listed.get(name, "train") == split:
                yield name, clip_features.example(file.read(), name, label=word)
