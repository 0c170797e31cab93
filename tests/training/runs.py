"""A folder task that anyone can hear, and runs on it, for all tests."""

import numpy as np

from leaf_files.clips import write_clip
from leaf_files.run_folder import Head
from training.settings.config import FitConfig

SAMPLE_RATE = 8000


def noise(random, seconds, high):
    """Noise below or above a quarter of the sample rate."""
    samples = int(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(random.standard_normal(samples))
    upper = np.arange(len(spectrum)) > len(spectrum) / 2
    waveform = np.fft.irfft(np.where(upper == high, spectrum, 0), samples)
    return 0.3 * waveform / np.abs(waveform).max()


def write_noises(folder, n_clips=20, longest=0.8, seed=0):
    """Two classes, "high" and "low": clips of 0.2 s to `longest` seconds."""
    random = np.random.default_rng(seed)
    for label in ("high", "low"):
        for index in range(n_clips):
            waveform = noise(random, random.uniform(0.2, longest), label == "high")
            path = folder / label / f"{index:02d}.flac"
            write_clip(path, waveform, SAMPLE_RATE)
    return folder


def flat(content, name=""):
    """{"a.b[0]": number, ...} of what JSON holds, for `pytest.approx`."""
    if isinstance(content, dict):
        before = f"{name}." if name else ""
        parts = [flat(value, f"{before}{key}") for key, value in content.items()]
    elif isinstance(content, list):
        parts = [flat(value, f"{name}[{n}]") for n, value in enumerate(content)]
    else:
        return {name: content}
    return {key: value for part in parts for key, value in part.items()}


def make_head(n_classes, name="t", activation="softmax"):
    """A head of classes "c0", "c1", ..."""
    labels = tuple(f"c{number}" for number in range(n_classes))
    return Head(name, name, labels, activation)


def write_pooling(path, n_filters=8):
    """An encoder that learns nothing: the mean of the features over the frames.

    What is learned behind it is a logistic regression, which has one optimum: where
    such a training ends hangs on no seed, and on no processor's rounding.
    """
    import keras

    features = keras.Input((None, n_filters))
    pooled = keras.layers.GlobalAveragePooling1D()(features)
    keras.Model(features, pooled).save(path)
    return str(path)


def write_convolution(path, n_filters=8):
    """An encoder of one convolution, without statistics that few steps leave unfit."""
    import keras

    features = keras.Input((None, n_filters))
    image = keras.layers.Reshape((-1, n_filters, 1))(features)
    initializer = keras.initializers.GlorotUniform(seed=0)
    convolution = keras.layers.Conv2D(
        4, 3, activation="relu", kernel_initializer=initializer
    )
    pooled = keras.layers.GlobalAveragePooling2D()(convolution(image))
    keras.Model(features, pooled).save(path)
    return str(path)


def small_config(folder, **settings):
    """A run of seconds: 0.25 s windows of 8 kHz, 8 mel bands."""
    defaults = dict(
        task=f"folder:{folder}",
        frontend="mel",
        n_filters=8,
        sample_rate=SAMPLE_RATE,
        window_seconds=0.25,
        epochs=3,
        steps_per_epoch=8,
        batch_size=8,
        learning_rate=5e-3,
    )
    return FitConfig(**{**defaults, **settings})
