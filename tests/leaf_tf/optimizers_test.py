"""Steps in each parameter's own scale."""

import keras
import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers

RATE = 3e-3


def learned(optimizer, steps=1):
    """The layers of a small model before and after some steps."""
    keras.utils.set_random_seed(0)
    leaf = leaf_tf.Leaf(n_filters=4, method="exact", sample_rate=8000)
    model = keras.Sequential([keras.Input((800,)), leaf, keras.layers.Dense(2)])
    before = [numbers(w) for w in model.get_weights()]
    model.compile(optimizer, "mse", jit_compile=False)
    random = np.random.default_rng(1)
    waveforms = random.standard_normal((2, 800)).astype("float32")
    targets = random.standard_normal((2, 10, 2)).astype("float32")
    model.fit(waveforms, targets, epochs=steps, verbose=0)
    moved = [now - was for now, was in zip(model.get_weights(), before)]
    return model, dict(zip([w.path for w in model.weights], zip(before, moved)))


def test_a_step_is_the_rate_times_the_scale():
    # Adam's first step is the rate in each coordinate, whatever the gradient.
    model, weights = learned(leaf_tf.ScaledAdam(RATE))
    by_name = {path.split("/")[-1]: values for path, values in weights.items()}
    sigmas = by_name["sigmas"][0]
    scales = {
        "center_freqs": 1 / sigmas,  # about a bandwidth
        **{n: by_name[n][0] for n in ("sigmas", "widths", "delta", "root")},
        "smooth_coef": by_name["smooth_coef"][0],
        "alpha": np.ones(4),
        "kernel": np.ones((4, 2)),
    }
    for name, scale in scales.items():
        np.testing.assert_allclose(
            np.abs(by_name[name][1]), RATE * scale, rtol=2e-2, err_msg=name
        )


def test_weights_without_a_scale_learn_as_by_adam():
    _, scaled = learned(leaf_tf.ScaledAdam(RATE))
    _, plain = learned(keras.optimizers.Adam(RATE))
    # Those of the network, which come last.
    for (_, ours), (_, theirs) in zip([*scaled.values()][-2:], [*plain.values()][-2:]):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="one backend will do"
)
def test_a_saved_model_goes_on_in_the_same_steps(tmp_path):
    model, _ = learned(leaf_tf.ScaledAdam(RATE))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    random = np.random.default_rng(2)
    waveforms = random.standard_normal((2, 800)).astype("float32")
    targets = random.standard_normal((2, 10, 2)).astype("float32")
    for one in (model, loaded):
        one.fit(waveforms, targets, verbose=0)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
