"""The embedded data set: synthesised words, made on the user's machine."""

import numpy as np
import tensorflow_datasets as tfds

from training.tasks import synthesis

# Each pair differs in one thing: the order of the syllables, one consonant, or
# the direction of a glide.
WORDS = {
    "bida": ("b", "i", "d", "a"),
    "dabi": ("d", "a", "b", "i"),
    "kaso": ("k", "a", "s", "o"),
    "kasho": ("k", "a", "sh", "o"),
    "mogu": ("m", "o", "g", "u"),
    "mobu": ("m", "o", "b", "u"),
    "nai": ("n", "a", "i"),
    "nia": ("n", "i", "a"),
}

# Split: (clips, its own speakers).
_SPLITS = {
    "train": (640, range(0, 80)),
    "validation": (120, range(80, 95)),
    "test": (240, range(95, 125)),
}


class LeafSynthetic(tfds.core.GeneratorBasedBuilder):
    """Eight synthesised words, 125 speakers, in rooms with noise.

    The same bytes on each run: a clip depends on its split and index only.

    >>> LeafSynthetic.name, len(WORDS)
    ('leaf_synthetic', 8)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "Words of two syllables from a formant synthesiser, 1 s at "
                "16 kHz, each with its own speaker, pitch, room and noise "
                "(0 to 20 dB). No speaker is in two splits."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "audio": tfds.features.Audio(sample_rate=synthesis.SAMPLE_RATE),
                    "label": tfds.features.ClassLabel(names=list(WORDS)),
                    "speaker": tfds.features.Text(),
                }
            ),
            supervised_keys=("audio", "label"),
            license="Apache-2.0",
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in _SPLITS}

    def _generate_examples(self, split):
        n_clips, speakers = _SPLITS[split]
        for index in range(n_clips):
            yield index, make_clip(index, speakers)


def make_clip(index, speakers):
    """One example of the data set.

    Args:
        index: Position within the split; words take turns, then speakers.
        speakers: Numbers of the split's speakers.

    Returns:
        Dict of "audio", int64 (16000,) in the range of int16; "label", a word;
        "speaker", such as "speaker007".

    >>> clip = make_clip(9, range(80))
    >>> clip["label"], clip["speaker"], clip["audio"].shape
    ('dabi', 'speaker001', (16000,))
    """
    words = list(WORDS)
    word = words[index % len(words)]
    speaker = speakers[index // len(words) % len(speakers)]
    voice = synthesis.draw_speaker(np.random.default_rng([speaker]))
    random = np.random.default_rng([speaker, index])
    clean = synthesis.say(WORDS[word], voice, random)
    waveform = synthesis.place(clean, random)
    return {
        "audio": np.round(waveform * 32767).astype(np.int64),
        "label": word,
        "speaker": f"speaker{speaker:03d}",
    }
