"""Features of our builders: audio files as they are, not decoded."""

import io

import numpy as np
import tensorflow_datasets as tfds

from leaf_files.clips import decode_clip, encoding_of


def features(**others):
    """The features of an example: an audio file, its encoding and name, and others.

    Returns:
        A `FeaturesDict` with "audio", whose bytes are those of the original file;
        "encoding", such as "WAV PCM_24"; "sample_rate", in Hz; "clip", its name.

    >>> list(features(label=tfds.features.ClassLabel(names=("kick", "snare"))))
    ['audio', 'encoding', 'sample_rate', 'clip', 'label']
    """
    return tfds.features.FeaturesDict(
        {
            "audio": tfds.features.Audio(lazy_decode=True),
            "encoding": tfds.features.Text(),
            "sample_rate": tfds.features.Scalar(np.int64),
            "clip": tfds.features.Text(),
            **others,
        }
    )


def example(content, clip, **others):
    """One example, its audio decoded once to see that it is whole.

    Args:
        content: Bytes of an audio file.
        clip: Name of the clip.
        others: Values of the other features.

    Raises:
        UserError: It holds no audio, or is damaged.

    >>> with open("drums/kick/0.wav", "rb") as file:
    ...     clip = example(file.read(), "kick/0", label="kick")
    >>> clip["encoding"], clip["sample_rate"], clip["label"]
    ('WAV PCM_16', 8000, 'kick')
    """
    _, sample_rate = decode_clip(content, clip)
    return {
        "audio": io.BytesIO(content),
        "encoding": encoding_of(io.BytesIO(content)),
        "sample_rate": sample_rate,
        "clip": clip,
        **others,
    }
