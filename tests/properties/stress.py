"""What the property tests draw from: settings, signals, weights; and how many."""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaf_tf.frontends import FRONTENDS
from leaf_tf.layers.compressions import COMPRESSIONS
from leaf_tf.layers.stage import Interval
from tests.counts import slow

POLICIES = ("float32", "mixed_float16", "mixed_bfloat16", "float16", "float64")
# Rate in Hz, window and hop in ms: one sample a hop, even and odd kernels, a hop
# longer than the window, no divisors.
TIMINGS = (
    (8000, 25.0, 10.0),
    (8000, 4.0, 0.125),
    (8000, 2.0, 5.0),
    (11025, 20.0, 10.0),
    (16000, 25.0, 10.0),
    (16000, 32.0, 16.0),
    (22050, 25.0, 11.0),
)


def examples(few, many):
    """Parametrizes a test by `n_examples`: some by default, many when slow."""
    return pytest.mark.parametrize(
        "n_examples", [few, pytest.param(slow(many), marks=pytest.mark.slow)]
    )


def hold(check, n_examples, *strategies):
    """Calls `check` with values drawn from the strategies, the same each time."""
    each = settings(
        max_examples=n_examples,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    each(given(*strategies)(check))()


@st.composite
def frontend_settings(draw, names=tuple(FRONTENDS)):
    """(class, arguments) of a small frontend."""
    name = draw(st.sampled_from(names))
    sample_rate, window_len, window_stride = draw(st.sampled_from(TIMINGS))
    arguments = {
        "n_filters": draw(st.integers(1, 6)),
        "sample_rate": sample_rate,
        "window_len": window_len,
        "window_stride": window_stride,
        "min_freq": draw(st.sampled_from([0.0, 60.0, 1000.0])),
        "max_freq": draw(st.sampled_from([None, 0.5 * sample_rate, 2000.0])),
        "mean_var_norm": draw(st.booleans()),
        "dtype": draw(st.sampled_from(POLICIES)),
    }
    if name != "sincnet":
        arguments["compression"] = draw(st.sampled_from(sorted(COMPRESSIONS)))
    return FRONTENDS[name], arguments


# (batch, samples) -> full-scale signals, float64.
def _impulses(shape):
    clicks = np.zeros(shape)
    clicks[:, [0, shape[1] // 2, -1]] = 1.0
    return clicks


SIGNALS = {
    "silence": np.zeros,
    "dc": np.ones,
    "full_scale": lambda shape: (
        np.sign(np.sin(0.3 * np.arange(shape[1]))) * np.ones(shape)
    ),
    "impulses": _impulses,
    "noise": lambda shape: np.random.default_rng(0).uniform(-1, 1, shape),
    "late_noise": lambda shape: (
        np.random.default_rng(1).uniform(-1, 1, shape)
        * (np.arange(shape[1]) > shape[1] // 2)
    ),
    "nyquist": lambda shape: np.cos(np.pi * np.arange(shape[1])) * np.ones(shape),
}
# Full scale; quiet; denormal; 16-bit integers; far beyond.
SCALES = (1.0, 1e-4, 1e-40, 32768.0, 1e6)


@st.composite
def waveforms(draw, longest=3000):
    """(batch, samples), float32; batches of 1 to 3, from 1 sample on."""
    batch = draw(st.integers(1, 3))
    samples = draw(st.one_of(st.integers(1, 5), st.integers(1, longest)))
    signal = draw(st.sampled_from(sorted(SIGNALS)))
    scale = draw(st.sampled_from(SCALES))
    return (scale * SIGNALS[signal]((batch, samples))).astype(np.float32)


# Where weights are: as they start; each number at one of its bounds; beyond one of
# them; anywhere. A bound that is missing is a thousand away.
PLACES = ("initial", "low", "high", "corners", "beyond", "anywhere")
_FAR = 1e3


def move(layer, place, seed=0):
    """Puts the bounded weights of a built layer somewhere, near or beyond bounds."""
    random = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        if place == "initial" or not isinstance(weight.constraint, Interval):
            continue
        bounds = weight.constraint
        low = -_FAR if bounds.min_value is None else bounds.min_value
        high = _FAR if bounds.max_value is None else bounds.max_value
        is_high = random.integers(0, 2, weight.shape)
        values = {
            "low": low,
            "high": high,
            "corners": np.where(is_high, high, low),
            "beyond": np.where(is_high, high + 10.0, low - 10.0),
            "anywhere": random.uniform(-3.0, 5.0, weight.shape),
        }[place]
        weight.assign(np.broadcast_to(values, weight.shape).astype(np.float32))


def require_finite(layer, waveform, **call):
    """Features and all gradients of a layer are finite numbers."""
    import tensorflow as tf

    inputs = tf.constant(waveform)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        features = layer(inputs, **call)
        # As a loss does; squares of features would overflow by themselves.
        loss = tf.reduce_mean(tf.cast(features, tf.float64))
    watched = [inputs, *layer.trainable_variables]
    names = ["waveform", *(weight.path for weight in layer.trainable_variables)]
    values = {"features": tf.cast(features, tf.float64)}
    values.update(zip(names, tape.gradient(loss, watched)))
    for name, value in values.items():
        if value is not None:
            assert np.all(np.isfinite(value)), f"{name} is not finite"
    return features


def is_tensorflow():
    return keras.backend.backend() == "tensorflow"
