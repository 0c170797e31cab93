"""The frontends that training adds to the library's by a name of their own."""

import keras
import numpy as np
import pytest

import leaf_tf
from tests.reference.leaf import pcen, soft_pcen
from training.run.models import FRONTENDS

RATE = 8000


@pytest.fixture
def waveform(rng):
    return 0.3 * rng.standard_normal((2, 2000)).astype(np.float32)


def make(name):
    return FRONTENDS[name](n_filters=8, sample_rate=RATE, name="frontend")


def test_leaf_is_the_paper_s_but_for_its_compression(waveform):
    leaf, paper = make("leaf"), make("leaf_paper")
    leaf(waveform)
    np.testing.assert_array_equal(paper(waveform), leaf_tf.Leaf(8, RATE)(waveform))
    energies = leaf_tf.Leaf(8, RATE, compression="none", min_energy=0.0)(waveform)
    expected = [soft_pcen(clip) for clip in np.asarray(energies, np.float64)]
    np.testing.assert_allclose(leaf(waveform), expected, rtol=1e-4, atol=1e-5)
    assert leaf.count_params() == paper.count_params() == 7 * 8
    assert len(leaf.trainable_weights) == 7  # all are learned


def test_leaf_with_fixed_pcen_is_leaf_but_for_what_it_learns(waveform):
    leaf, fixed = make("leaf_paper"), make("leaf_fixed_pcen")
    np.testing.assert_array_equal(fixed(waveform), leaf(waveform))
    assert fixed.count_params() == leaf.count_params()
    learned = {w.name for w in leaf.trainable_weights}
    assert learned - {w.name for w in fixed.trainable_weights} == {
        *("alpha", "delta", "root", "smooth_coef")
    }
    assert make("leaf_fixed_pcen").compressing is not fixed.compressing


def test_pcen_stays_fixed_in_training_and_in_the_file(waveform, tmp_path):
    model = keras.Sequential([keras.Input((2000,)), make("leaf_fixed_pcen")])
    model.save(tmp_path / "model.keras")
    for trained in (model, keras.models.load_model(tmp_path / "model.keras")):
        frontend = trained.layers[-1]
        before = {w.path: w.numpy() for w in frontend.weights}
        trained.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
        trained.fit(waveform, np.zeros((2, 25, 8)), verbose=0)
        moved = {
            w.path for w in frontend.weights if (w != before[w.path]).numpy().any()
        }
        assert moved == before.keys() - {w.path for w in frontend.compressing.weights}


def test_mel_with_pcen_is_pcen_of_mel_energies(waveform):
    energies = leaf_tf.MelFilterbanks(8, RATE, compression="none")(waveform)
    ones = np.ones(8)
    expected = [
        pcen(clip, 0.96 * ones, 2 * ones, 2 * ones, 0.04 * ones)
        for clip in np.asarray(energies, np.float64)
    ]
    features = make("mel_pcen")(waveform)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)
    assert make("mel_pcen").compressing.trainable
