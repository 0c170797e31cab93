import numpy as np
import pytest

from leaf_tf.frontends.sincnet import SincNet, SincNetPlus
from tests.leaf_tf.parameters import numbers
from tests.reference import sincnet as reference


@pytest.mark.parametrize(
    "frontend, formula",
    [(SincNet, reference.sincnet), (SincNetPlus, reference.sincnet_plus)],
)
@pytest.mark.parametrize("arguments", [{}, {"sample_rate": 22050, "window_len": 20.0}])
@pytest.mark.parametrize("samples", [1, 700, 4321])
def test_equals_reference(frontend, formula, arguments, samples, rng):
    layer = frontend(**arguments)
    waveform = rng.uniform(-1, 1, (2, samples)).astype("float32")
    outputs = numbers(layer(waveform))
    filtering = layer.filtering
    for clip in range(2):
        expected = formula(
            waveform[clip],
            numbers(filtering.low_freqs),
            numbers(filtering.bandwidths),
            layer.kernel_size,
            layer.strides,
        )
        np.testing.assert_allclose(outputs[clip], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("frontend", [SincNet, SincNetPlus])
def test_a_tone_is_loudest_in_the_band_that_holds_it(frontend):
    for sample_rate in (8000, 16000):
        layer = frontend(n_filters=20, sample_rate=sample_rate, compression="none")
        tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / sample_rate)
        outputs = numbers(layer(tone[None].astype("float32")))[0]
        lows = numbers(layer.filtering.low_freqs) * sample_rate / (2 * np.pi)
        assert np.all(outputs[5:-5].argmax(axis=1) == np.sum(lows < 1000) - 1)


@pytest.mark.parametrize("frontend", [SincNet, SincNetPlus])
@pytest.mark.parametrize("arguments", [{}, {"window_len": 5.0}, {"sample_rate": 22050}])
def test_clips_of_a_batch_are_as_alone(frontend, arguments, rng):
    layer = frontend(**arguments)
    lengths = np.array([2000, 1999, 1, 161, 641, 400, 402], "int32")
    # Loud after the end: none of it may be heard.
    waveform = rng.uniform(-1, 1, (len(lengths), 2000)).astype("float32")
    outputs = numbers(layer(waveform, lengths=lengths))
    for clip, length in enumerate(lengths):
        alone = numbers(layer(waveform[clip : clip + 1, :length]))[0]
        kept = outputs[clip, : len(alone)]
        np.testing.assert_allclose(kept, alone, atol=1e-5, rtol=1e-5)
        assert not outputs[clip, len(alone) :].any()


def test_a_clip_that_is_nowhere_above_zero_is_as_alone():
    # Zeros after its end would be the maxima.
    layer = SincNet(n_filters=2, window_len=1.0, max_freq=4000.0)
    waveform = np.zeros((2, 480), "float32")
    waveform[:, 1] = -1.0
    alone = numbers(layer(waveform[1:, :3]))[0]
    assert np.abs(alone).min() > 0.1
    outputs = numbers(layer(waveform, lengths=np.array([480, 3], "int32")))
    np.testing.assert_allclose(outputs[1, :1], alone, atol=1e-5)


def test_learned_or_not():
    def names(layer):
        layer.build((None, None))
        return [weight.name for weight in layer.trainable_weights]

    assert names(SincNet()) == ["low_freqs", "bandwidths", "gamma", "beta"]
    assert names(SincNet(learn_filters=False)) == ["gamma", "beta"]
    pcen = ["alpha", "delta", "root"]
    assert sorted(names(SincNetPlus(learn_filters=False))) == sorted(["widths", *pcen])
    assert sorted(names(SincNetPlus(learn_pooling=False))) == sorted(
        ["low_freqs", "bandwidths", *pcen]
    )


@pytest.mark.parametrize("compression", ["log", "pcen"])
def test_sincnet_has_no_energies_to_compress(compression):
    with pytest.raises(ValueError, match='must be "none" or a Keras layer'):
        SincNet(compression=compression)
