"""What Leaf can be told besides its defaults."""

import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf.dsp import mel
from tests.leaf_tf.parameters import numbers


def built(**options):
    layer = leaf_tf.Leaf(**options)
    layer.build((None, None))
    return layer


def names(weights):
    return {weight.path.split("/")[-1] for weight in weights}


@pytest.mark.parametrize("method", ["fast", "exact"])
def test_sorted_filters_are_in_order_of_their_centers(method, rng):
    waveform = rng.uniform(-1, 1, (1, 3200)).astype("float32")
    options = {"n_filters": 5, "compression": "none", "method": method}
    plain, sorted_ = built(**options), built(**options, sort_filters=True)
    np.testing.assert_array_equal(numbers(plain(waveform)), numbers(sorted_(waveform)))
    order = [3, 0, 4, 2, 1]
    filtering = plain.filtering
    for weight in (filtering.center_freqs, filtering.sigmas):
        weight.assign(numbers(weight)[order])
    sorted_.set_weights(plain.get_weights())
    by_center = np.argsort(numbers(filtering.center_freqs))
    expected = numbers(plain(waveform))[..., by_center]
    np.testing.assert_allclose(numbers(sorted_(waveform)), expected, rtol=1e-6)


def test_regularizers_add_to_the_loss():
    layer = built(
        n_filters=4,
        filter_regularizer=keras.regularizers.L1(0.5),
        pooling_regularizer=keras.regularizers.L2(2.0),
    )
    filtering = numbers(layer.filtering.center_freqs), numbers(layer.filtering.sigmas)
    expected = 0.5 * np.sum(filtering) + 2.0 * 4 * 0.4**2
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)
    again = leaf_tf.Leaf.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize(
    "options, learned",
    [
        ({"learn_filters": False}, {"widths"}),
        ({"learn_filters": False, "learn_preemp": True}, {"taps", "widths"}),
        ({"learn_preemp": False}, {"center_freqs", "sigmas", "widths"}),
        ({"learn_pooling": False}, {"taps", "center_freqs", "sigmas"}),
    ],
)
def test_what_is_learned(options, learned):
    layer = built(preemp=True, compression="none", **options)
    assert names(layer.trainable_weights) == learned


def test_frozen_but_for_pcen():
    layer = built()
    layer.freeze(keep_compression=True)
    assert names(layer.trainable_weights) == {"alpha", "delta", "root", "smooth_coef"}
    layer.freeze()
    assert not layer.trainable_weights


def test_a_pcen_that_was_made_fixed_stays_so_when_it_is_kept():
    layer = built(compression=leaf_tf.PCEN(trainable=False, dtype="float32"))
    layer.freeze(keep_compression=True)
    assert not layer.trainable_weights


@pytest.mark.parametrize("initial_filters", ["mel", "linear", "random"])
@pytest.mark.parametrize("n_filters, sample_rate", [(8, 8000), (128, 48000)])
def test_no_initial_filter_is_empty_or_out_of_bounds(
    initial_filters, n_filters, sample_rate
):
    layer = leaf_tf.Leaf(
        n_filters, sample_rate, initial_filters=initial_filters, method="exact"
    )
    layer.build((None, None))
    center_freqs = numbers(layer.filtering.center_freqs)
    sigmas = numbers(layer.filtering.sigmas)
    low, high = mel.sigma_limits(layer.kernel_size)
    assert 0 < center_freqs.min() and center_freqs.max() < np.pi
    assert low <= sigmas.min() and sigmas.max() <= high * (1 + 1e-6)


def test_spec_augment_acts_in_training_only(rng):
    waveform = rng.uniform(-1, 1, (4, 16000)).astype("float32")
    layer = leaf_tf.Leaf(
        spec_augment=leaf_tf.SpecAugment(time_warp=0, mask_value=-7.0, seed=1)
    )
    features = numbers(layer(waveform, training=True))
    plain = numbers(layer(waveform))
    masked = features == -7.0
    assert 0 < masked.mean() < 0.9
    np.testing.assert_allclose(features[~masked], plain[~masked], rtol=1e-5)
    again = leaf_tf.Leaf.from_config(layer.get_config())
    assert again.spec_augment.get_config() == layer.spec_augment.get_config()
    with pytest.raises(ValueError, match="`spec_augment` must be True, False or"):
        leaf_tf.Leaf(spec_augment="yes")


def test_frozen_with_what_the_frontend_itself_owns():
    layer = leaf_tf.MelFilterbanks(8, 8000, learn_filters=True, compression="pcen")
    layer.build((None, None))
    assert "filterbank" in names(layer.trainable_weights)
    layer.freeze(keep_compression=True)
    assert names(layer.trainable_weights) == {"alpha", "delta", "root", "smooth_coef"}
