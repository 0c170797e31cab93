"""The core of streaming, in little time on any backend."""

import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf.streaming import Stream
from tests.leaf_tf.parameters import numbers


@pytest.mark.parametrize(
    "frontend",
    [
        lambda: leaf_tf.Leaf(n_filters=6, preemp=True),
        lambda: leaf_tf.SincNet(n_filters=4),
    ],
)
def test_equals_the_frontend(frontend, rng):
    keras.utils.set_random_seed(0)
    layer = frontend()
    waveform = rng.uniform(-0.5, 0.5, (2, 160 * 8)).astype("float32")
    chunks = np.split(waveform, 4, axis=1)
    parts = [numbers(part) for part in Stream(layer).run(chunks)]
    np.testing.assert_allclose(
        np.concatenate(parts, axis=1), numbers(layer(waveform)), rtol=1e-5, atol=1e-5
    )


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="tests jax.jit")
def test_step_compiles_on_jax(rng):
    import jax

    layer = leaf_tf.Leaf(n_filters=6)
    stream = Stream(layer)
    waveform = rng.uniform(-0.5, 0.5, (1, 160 * 20)).astype("float32")
    step, state, parts = jax.jit(stream.step), stream.initial_state(), []
    for chunk in np.split(waveform, 4, axis=1):
        frames, state = step(chunk, state)
        parts.append(numbers(frames))
    frames = np.concatenate(parts, axis=1)[:, stream.delay :]
    whole = numbers(layer(waveform))[:, : frames.shape[1]]
    np.testing.assert_allclose(frames, whole, rtol=1e-5, atol=1e-5)
