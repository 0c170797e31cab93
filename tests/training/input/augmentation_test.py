import itertools

import numpy as np
import pytest
import tensorflow as tf

from training.input.augmentation import add_noise, mixup


def batches(dataset, n=None):
    return [
        tuple(part.numpy() for part in batch) for batch in itertools.islice(dataset, n)
    ]


def clips(waveform, label, batch_size):
    dataset = tf.data.Dataset.from_tensor_slices((waveform, label))
    return dataset.batch(batch_size)


@pytest.fixture
def noise_free(rng):
    """(waveform, label) of clips of very different levels."""
    levels = 10.0 ** rng.uniform(-4, 0, (600, 1))
    waveform = (levels * rng.normal(size=(600, 200))).astype("float32")
    return waveform, np.arange(600)


def test_the_snr_is_drawn_evenly_in_the_range_asked_for(noise_free):
    waveform, label = noise_free
    found = batches(add_noise(clips(waveform, label, 60), (-5, 15), seed=1))
    outputs, labels = (np.concatenate(part) for part in zip(*found))
    np.testing.assert_array_equal(labels, label)
    noise = outputs.astype("float64") - waveform
    snrs = 10 * np.log10((waveform**2).sum(axis=1) / (noise**2).sum(axis=1))
    assert snrs.min() > -5.1 and snrs.max() < 15.1
    counts, _ = np.histogram(snrs, bins=5, range=(-5, 15))
    assert np.abs(counts - 120).max() < 5 * np.sqrt(120)


@pytest.mark.parametrize("snr", [-10, 0, 30])
def test_the_snr_is_the_one_asked_for(snr, noise_free):
    waveform, label = noise_free
    found = batches(add_noise(clips(waveform, label, 60), (snr, snr), seed=1))
    noise = np.concatenate([batch[0] for batch in found]).astype("float64") - waveform
    snrs = 10 * np.log10((waveform**2).sum(axis=1) / (noise**2).sum(axis=1))
    np.testing.assert_allclose(snrs, snr, atol=0.1)


def test_silence_stays_silent():
    silence = np.zeros((4, 100), "float32")
    [(outputs, _)] = batches(add_noise(clips(silence, np.arange(4), 4), (0, 10), 1))
    np.testing.assert_array_equal(outputs, silence)


def test_labels_are_mixed_as_the_clips_are():
    """Clips that are one-hot tell partners and shares."""
    waveform = np.eye(50, dtype="float32")
    [(mixed, shares)] = batches(mixup(clips(waveform, np.arange(50), 50), 1.0, 50, 1))
    np.testing.assert_array_equal(mixed, shares)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-6)
    own = shares.diagonal()
    partners = (shares - np.diag(own)).argmax(axis=1)
    is_mixed = own < 1
    assert is_mixed.sum() > 40
    assert len(set(partners[is_mixed])) == is_mixed.sum()
    np.testing.assert_allclose(
        shares[is_mixed, partners[is_mixed]], 1 - own[is_mixed], atol=1e-6
    )


def test_clips_of_one_class_keep_it(rng):
    waveform = rng.normal(size=(8, 30)).astype("float32")
    [(_, shares)] = batches(mixup(clips(waveform, np.full(8, 2), 8), 0.5, 3, 1))
    np.testing.assert_allclose(shares, [[0, 0, 1]] * 8, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.0, 10.0])
def test_shares_have_the_moments_of_beta(alpha):
    size = 2000
    waveform = np.eye(size, dtype="float32")
    [(_, shares)] = batches(
        mixup(clips(waveform, np.arange(size), size), alpha, size, 1)
    )
    own = shares.diagonal()
    deviation = np.sqrt(1 / (4 * (2 * alpha + 1)))
    np.testing.assert_allclose(own.mean(), 0.5, atol=5 * deviation / size**0.5)
    np.testing.assert_allclose(own.std(), deviation, rtol=0.1)


def test_shares_of_classes_are_mixed_again():
    """Multi-hot labels, or those that an earlier mixup made."""
    waveform = np.eye(6, dtype="float32")
    classes = np.array([[1, 0, 1], [0, 1, 0]] * 3)
    [(mixed, shares)] = batches(mixup(clips(waveform, classes, 6), 1.0, 3, 1))
    np.testing.assert_allclose(shares, mixed @ classes, atol=1e-6)


@pytest.mark.parametrize(
    "step",
    [
        lambda dataset, seed: add_noise(dataset, (0, 20), seed),
        lambda dataset, seed: mixup(dataset, 1.0, 600, seed),
        lambda dataset, seed: mixup(add_noise(dataset, (0, 20), seed), 1.0, 600, seed),
    ],
    ids=["noise", "mixup", "both"],
)
def test_the_seed_gives_the_same_batches_again(step, noise_free):
    dataset = clips(*noise_free, 7).take(1).repeat()
    # The largest that a `FitConfig` takes.
    found, again, other = (
        batches(step(dataset, seed), 6) for seed in (2**32 - 1, 2**32 - 1, 0)
    )
    for batch, batch_again, batch_other in zip(found, again, other):
        for part, part_again in zip(batch, batch_again):
            np.testing.assert_array_equal(part, part_again)
        assert not np.array_equal(batch[0], batch_other[0])
    # The same clips each time, but never augmented alike.
    assert len({batch[0].tobytes() for batch in found}) == 6
    assert len({clip.tobytes() for batch in found for clip in batch[0]}) == 42


def test_keeps_shapes_for_the_model():
    dataset = clips(np.zeros((9, 5), "float32"), np.zeros(9, "int64"), 4)
    noisy = add_noise(dataset, (0, 20), 0)
    assert noisy.element_spec == dataset.element_spec
    mixed, shares = mixup(noisy, 1.0, 3, 0).element_spec
    assert mixed == dataset.element_spec[0]
    assert shares == tf.TensorSpec([None, 3], tf.float32)


@pytest.mark.parametrize(
    "step, message",
    [
        (lambda d: add_noise(d, (9, 1), 0), "`snr_db` must be .* Received: \\(9, 1\\)"),
        (lambda d: mixup(d, -1, 3, 0), r"`alpha` must be in \(0, 100\]. Received: -1"),
        (
            lambda d: mixup(d.map(lambda x, y: (x, tf.one_hot(y, 2))), 1, 3, 0),
            r"must be class indices \(batch,\) or shares \(batch, 3\).*\(None, 2\)",
        ),
    ],
)
def test_bad_arguments(step, message):
    dataset = clips(np.zeros((9, 5), "float32"), np.zeros(9, "int64"), 4)
    with pytest.raises(ValueError, match=message):
        step(dataset)
