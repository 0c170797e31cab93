"""What holds for every compression and normalisation, whatever comes in."""

import keras
import numpy as np
import pytest
from hypothesis import strategies as st

import leaf_tf
from leaf_tf.layers import MeanVarNorm
from leaf_tf.layers.compressions import COMPRESSIONS, compression_layer
from leaf_tf.layers.median_subtraction import MedianSubtraction
from leaf_tf.layers.temporal_batch_norm import TemporalBatchNorm
from tests.leaf_tf.parameters import numbers
from tests.properties.stress import (
    PLACES,
    POLICIES,
    examples,
    hold,
    move,
    require_finite,
)

LAYERS = {
    **{
        name: lambda dtype, name=name: compression_layer(name, dtype)
        for name in COMPRESSIONS
        if name != "none"
    },
    "mean_var_norm": lambda dtype: MeanVarNorm(dtype=dtype),
    "median": lambda dtype: MedianSubtraction(dtype=dtype),
    "temporal_batch_norm": lambda dtype: TemporalBatchNorm(dtype=dtype),
}
# From silence to what a waveform of a million gives; denormal; below any energy.
ENERGIES = (0.0, 1e-45, 1e-12, 1e-5, 1.0, 1e10, 1e15, -1.0)

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="gradients by TensorFlow's tape"
)


@examples(60, 300)
def test_outputs_and_gradients_are_finite(n_examples):
    def check(name, policy, place, seed, batch, frames, levels, training):
        layer = LAYERS[name](policy)
        layer.build((None, None, 3))
        move(layer, place, seed)
        random = np.random.default_rng(seed)
        # Runs of one level: the smoothing comes to rest, then something happens.
        level = np.repeat(levels, -(-frames // len(levels)))[:frames]
        energies = level[None, :, None] * random.uniform(0.5, 1.0, (batch, frames, 3))
        takes_training = isinstance(layer, TemporalBatchNorm)
        call = {"training": training} if takes_training else {}
        require_finite(layer, energies.astype("float32"), **call)

    hold(
        check,
        n_examples,
        st.sampled_from(sorted(LAYERS)),
        st.sampled_from(POLICIES),
        st.sampled_from(PLACES),
        st.integers(0, 99),
        st.integers(1, 3),
        st.integers(1, 150),
        st.lists(st.sampled_from(ENERGIES), min_size=1, max_size=4),
        st.booleans(),
    )


def test_a_standing_average_and_a_loud_onset(rng):
    """Where PCEN's own gradient is beyond float32: all at once, at the bounds."""
    layer = leaf_tf.PCEN()
    layer.build((None, None, 2))
    for weight, value in (("alpha", 1.0), ("smooth_coef", 0.0), ("root", 1.0)):
        getattr(layer, weight).assign([value, value])
    energies = np.zeros((1, 40, 2), "float32")
    energies[:, 20:] = 1e15
    features = numbers(require_finite(layer, energies))
    np.testing.assert_allclose(features[:, 20:], 1e12, rtol=1e-6)


def test_what_keeps_pcen_finite_touches_no_audio(rng):
    """A full scale waveform, silence before it, at the bounds: as by the formula."""
    frontend = leaf_tf.Leaf(n_filters=4, sample_rate=8000, compression="none")
    waveform = np.zeros((1, 8000), "float32")
    waveform[:, 4000:] = np.sign(rng.normal(size=4000))
    energies = numbers(frontend(waveform)).astype(np.float64)
    layer = leaf_tf.PCEN(alpha=1.0, smooth_coef=0.0, root=1.0)
    expected = energies / (1e-12 + energies[:, :1])
    np.testing.assert_allclose(
        numbers(layer(energies.astype("float32"))), expected, rtol=1e-4
    )
    assert expected.max() > 1e5
