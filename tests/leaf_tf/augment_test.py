import keras
import numpy as np
import pytest
from keras import ops

from leaf_tf.augment import N_SHARES, AdditiveNoise, Mixup, share_table
from tests.leaf_tf.parameters import numbers

BACKEND = keras.backend.backend()
COLORS = ("white", "pink")


def noisy(waveform, mask=None, seed=3, **arguments):
    """Of a fresh layer with the same seed each time."""
    layer = AdditiveNoise(seed=seed, **arguments)
    return numbers(layer(waveform.astype("float32"), training=True, mask=mask))


def snrs(waveform, outputs):
    """Of each clip, in dB, in float64."""
    noise = outputs.astype("float64") - waveform
    powers = (waveform**2).sum(axis=1) / (noise**2).sum(axis=1)
    return 10 * np.log10(powers)


def mixed(values, labels, alpha=1.0, seed=3):
    layer = Mixup(alpha, seed=seed)
    outputs = layer((values, labels), training=True)
    return tuple(numbers(part) for part in outputs)


def octave_powers(noise):
    """Mean power of spectra of 4096 samples, in octaves up from bin 16."""
    spectra = np.abs(np.fft.rfft(noise.astype("float64"), axis=1)) ** 2
    return np.array([spectra[:, a : 2 * a].sum(axis=1).mean() for a in 16 << np.r_[:7]])


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("snr", [-10.0, 0.0, 35.0])
@pytest.mark.parametrize("samples", [2, 999, 4000])
def test_the_snr_is_the_one_asked_for(color, snr, samples, rng):
    # Clips of very different levels.
    levels = 10.0 ** rng.uniform(-4, 0, (9, 1))
    waveform = (levels * rng.normal(size=(9, samples))).astype("float32")
    outputs = noisy(waveform, snr_db=(snr, snr), color=color)
    np.testing.assert_allclose(snrs(waveform, outputs), snr, atol=0.1)


def test_snrs_are_drawn_evenly_in_decibels_for_each_clip(rng):
    waveform = rng.normal(size=(2000, 50)).astype("float32")
    found = snrs(waveform, noisy(waveform, snr_db=(-5, 15)))
    assert found.min() > -5.1 and found.max() < 15.1
    counts, _ = np.histogram(found, bins=10, range=(-5, 15))
    assert np.abs(counts - 200).max() < 5 * np.sqrt(200)


@pytest.mark.parametrize("color, rise", [("white", 2.0), ("pink", 1.0)])
def test_power_of_each_octave(color, rise):
    """White noise doubles it with each octave, pink keeps it."""
    waveform = np.ones((400, 4096), "float32")
    powers = octave_powers(noisy(waveform, snr_db=(0, 0), color=color) - waveform)
    np.testing.assert_allclose(powers[1:] / powers[:-1], rise, rtol=0.1)


@pytest.mark.parametrize("color", COLORS)
def test_silence_stays_silent_and_trains(color):
    waveform = np.zeros((3, 101), "float32")
    np.testing.assert_array_equal(noisy(waveform, color=color), waveform)
    layer = AdditiveNoise(color=color, seed=3)
    gradient = gradient_of_sum(lambda x: layer(x, training=True), waveform)
    np.testing.assert_array_equal(gradient, np.ones_like(waveform))


@pytest.mark.parametrize("color", COLORS)
def test_noises_differ_and_seeds_repeat(color):
    waveform = np.ones((20, 300), "float32")
    layers = [AdditiveNoise(color=color, seed=seed) for seed in (1, 1, 2)]
    first, again, other = (numbers(y(waveform, training=True)) for y in layers)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, numbers(layers[0](waveform, training=True)))
    correlations = np.corrcoef(first)[~np.eye(20, dtype=bool)]
    assert np.abs(correlations).max() < 0.5


@pytest.mark.parametrize("training", [None, False])
def test_noise_is_identity_outside_training(training, rng):
    waveform = rng.normal(size=(3, 50)).astype("float32")
    outputs = AdditiveNoise()(waveform, training=training)
    np.testing.assert_array_equal(numbers(outputs), waveform)


@pytest.mark.parametrize("color", COLORS)
def test_padding_gets_no_noise_and_counts_for_nothing(color, rng):
    waveform = rng.normal(size=(5, 400))
    is_sound = np.arange(400) < np.array([[400], [399], [100], [1], [0]])
    waveform[~is_sound] = 1e6
    outputs = noisy(waveform, mask=is_sound, snr_db=(12, 12), color=color)
    np.testing.assert_array_equal(outputs[~is_sound], waveform[~is_sound])
    sound, heard = np.where(is_sound, waveform, 0), np.where(is_sound, outputs, 0)
    np.testing.assert_allclose(snrs(sound[:4], heard[:4]), 12, atol=0.1)


def test_both_ranks_of_waveforms_get_the_same_noise(rng):
    waveform = rng.normal(size=(3, 50))
    np.testing.assert_array_equal(noisy(waveform[..., None])[..., 0], noisy(waveform))


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1.0, 8.0])
def test_labels_are_mixed_as_the_clips_are(alpha):
    """Clips that are their own labels tell partners and shares."""
    size = 200
    clips = np.eye(size, dtype="float32")
    values, labels = mixed(clips, clips, alpha)
    np.testing.assert_array_equal(values, labels)
    np.testing.assert_allclose(labels.sum(axis=1), 1.0, rtol=1e-6)
    assert labels.min() >= 0
    assert (labels > 0).sum(axis=1).max() <= 2
    shares = labels.diagonal()
    partners = (labels - np.diag(shares)).argmax(axis=1)
    is_mixed = shares < 1
    # Nobody is the partner of two.
    assert len(set(partners[is_mixed])) == is_mixed.sum()
    np.testing.assert_allclose(
        labels[is_mixed, partners[is_mixed]], 1 - shares[is_mixed], atol=1e-6
    )


@pytest.mark.parametrize("shape", [(30,), (10, 7), (4, 3, 2)])
def test_mixtures_equal_the_formula_in_float64(shape, rng):
    values = rng.normal(size=(12, *shape))
    outputs, labels = mixed(values.astype("float32"), np.eye(12))
    expected = np.tensordot(labels.astype("float64"), values, axes=1)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_mass_of_multi_hot_labels(rng):
    classes = rng.integers(0, 2, (40, 6))
    _, labels = mixed(np.eye(40, dtype="float32"), classes)
    values, _ = mixed(np.eye(40, dtype="float32"), classes)
    np.testing.assert_allclose(labels, values @ classes, atol=1e-6)
    masses = values @ classes.sum(axis=1)
    np.testing.assert_allclose(labels.sum(axis=1), masses, rtol=1e-5)


@pytest.mark.parametrize(
    "alpha, quantile",
    [
        (1.0, lambda u: u),
        # The arcsine distribution.
        (0.5, lambda u: np.sin(np.pi * u / 2) ** 2),
        # 3 x^2 - 2 x^3 = u.
        (2.0, lambda u: 0.5 - np.sin(np.arcsin(1 - 2 * u) / 3)),
    ],
)
def test_quantiles_of_shares_that_are_known_on_paper(alpha, quantile):
    places = (np.arange(N_SHARES) + 0.5) / N_SHARES
    np.testing.assert_allclose(share_table(alpha), quantile(places), atol=1e-12)


@pytest.mark.parametrize("alpha", [1e-6, 1e-3, 2e-3, 0.05, 0.2, 1.0, 5.0, 100.0])
def test_quantiles_have_the_moments_of_beta(alpha):
    table = share_table(alpha)
    deviation = np.sqrt(1 / (4 * (2 * alpha + 1)))
    assert np.all(np.diff(table) >= 0) and table[0] >= 0 and table[-1] <= 1
    np.testing.assert_allclose(table.mean(), 0.5, rtol=1e-9)
    np.testing.assert_allclose(table.std(), deviation, rtol=1e-3)


@pytest.mark.parametrize("alpha", [0.05, 1.0, 5.0])
def test_shares_have_the_moments_of_beta(alpha):
    deviation = np.sqrt(1 / (4 * (2 * alpha + 1)))
    clips = np.eye(2000, dtype="float32")
    drawn = mixed(clips, clips, alpha)[1].diagonal()
    np.testing.assert_allclose(drawn.mean(), 0.5, atol=5 * deviation / 2000**0.5)
    np.testing.assert_allclose(drawn.std(), deviation, rtol=0.1)


def test_mixtures_differ_and_seeds_repeat():
    clips = np.eye(20, dtype="float32")
    np.testing.assert_array_equal(mixed(clips, clips)[0], mixed(clips, clips)[0])
    assert not np.array_equal(mixed(clips, clips)[0], mixed(clips, clips, seed=4)[0])
    layer = Mixup(seed=3)
    calls = [numbers(layer((clips, clips), training=True)[0]) for _ in range(2)]
    assert not np.array_equal(*calls)


@pytest.mark.parametrize("training", [None, False])
def test_mixup_is_identity_outside_training(training, rng):
    values = rng.normal(size=(5, 30)).astype("float32")
    labels = np.eye(5, dtype="float32")
    outputs = Mixup()((values, labels), training=training)
    np.testing.assert_array_equal(numbers(outputs[0]), values)
    np.testing.assert_array_equal(numbers(outputs[1]), labels)


def test_gradient_of_mixup_is_what_each_clip_gives():
    clips = np.eye(8, dtype="float32")
    layer = Mixup(seed=3)
    gradient = gradient_of_sum(lambda x: layer((x, clips), training=True)[0], clips)
    given = mixed(clips, clips)[1].sum(axis=0)
    np.testing.assert_allclose(gradient, given[:, None].repeat(8, axis=1), rtol=1e-6)


def gradient_of_sum(function, values):
    """d sum(function(values)) / d values, on each backend."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        inputs = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(function(inputs))
        return tape.gradient(total, inputs).numpy()
    if BACKEND == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: function(x).sum())(values))
    inputs = ops.convert_to_tensor(values).clone().requires_grad_(True)
    function(inputs).sum().backward()
    return numbers(inputs.grad)


class Mixing(keras.Model):
    """How a user mixes inside the training step."""

    def __init__(self, n_classes):
        super().__init__()
        self.noise = AdditiveNoise(color="pink", seed=1)
        self.mixup = Mixup(seed=1)
        self.dense = keras.layers.Dense(n_classes)

    def call(self, inputs, training=None):
        waveform, labels = inputs
        waveform = self.noise(waveform, training=training)
        waveform, labels = self.mixup((waveform, labels), training=training)
        errors = self.dense(waveform) - labels
        return ops.mean(ops.square(errors), axis=1, keepdims=True)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_trains_in_a_compiled_step(jit_compile, rng):
    if jit_compile and BACKEND == "torch":
        pytest.skip("compiling takes torch long")
    model = Mixing(3)
    model.compile("sgd", "mae", jit_compile=jit_compile)
    waveform = rng.normal(size=(6, 101)).astype("float32")
    labels = np.eye(6, 3, dtype="float32")
    for _ in range(2):
        loss = model.train_on_batch((waveform, labels), np.zeros((6, 1)))
        assert np.isfinite(loss)


@pytest.mark.parametrize(
    "layer", [AdditiveNoise((1, 2), "pink", 5), Mixup(0.3, seed=5)]
)
def test_layers_are_made_again_from_their_config(layer):
    saved = keras.saving.serialize_keras_object(layer)
    loaded = keras.saving.deserialize_keras_object(saved)
    assert loaded.get_config() == layer.get_config()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_policies_round_only_the_clips(policy, rng):
    values = rng.normal(size=(8, 30)).astype("float32")
    labels = np.eye(8, dtype="float32")
    exact, exact_labels = mixed(values, labels)
    layer = Mixup(seed=3, dtype=policy)
    outputs, shares = layer((values, labels), training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) in policy
    outputs = numbers(ops.cast(outputs, "float32"))
    np.testing.assert_allclose(outputs, exact, rtol=2.0**-8)
    np.testing.assert_array_equal(numbers(shares), exact_labels)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: AdditiveNoise((20, 10)), r"low <= high, in dB. Received: \(20, 10\)"),
        (lambda: AdditiveNoise(10), "`snr_db` must be .* Received: 10"),
        (lambda: AdditiveNoise(color="brown"), "`color` must be one of .*'brown'"),
        (lambda: Mixup(0), r"`alpha` must be in \(0, 100\]. Received: 0"),
        (lambda: Mixup(float("nan")), "`alpha` must be .* Received: nan"),
        (
            lambda: Mixup()((np.ones((2, 3), "float32"), np.array([0, 1]))),
            r"expects one-hot or multi-hot labels.*shape \(2,\)",
        ),
        (
            lambda: AdditiveNoise()(np.ones((2, 3, 2), "float32")),
            r"expects mono waveforms.*shape \(2, 3, 2\)",
        ),
        (
            lambda: AdditiveNoise()(np.ones((2, 3), "int16")),
            "expects a float waveform.*int16",
        ),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
