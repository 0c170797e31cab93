import numpy as np
import pytest

from leaf_tf.frontends.time_domain_filterbanks import TimeDomainFilterbanks
from tests.leaf_tf.parameters import numbers
from tests.reference import time_domain_filterbanks as reference


@pytest.mark.parametrize("arguments", [{}, {"sample_rate": 22050, "window_len": 20.0}])
@pytest.mark.parametrize("samples, frames", [(1, 1), (400, 1), (600, None)])
def test_equals_reference(arguments, samples, frames, rng):
    layer = TimeDomainFilterbanks(n_filters=8, **arguments)
    layer.build((None, None))
    # Free filters: of no shape in particular, some lowpass taps below 0.
    layer.filtering.kernel.assign(rng.normal(0, 0.1, layer.filtering.kernel.shape))
    layer.pooling.lowpass.assign(rng.normal(0.2, 1, layer.pooling.lowpass.shape))
    waveform = rng.uniform(-1, 1, (2, samples)).astype("float32")
    outputs = numbers(layer(waveform))
    if frames is not None:
        assert outputs.shape[1] == frames
    for clip in range(2):
        expected = reference.features(
            waveform[clip],
            numbers(layer.filtering.kernel)[:, 0],
            numbers(layer.pooling.lowpass),
            layer.strides,
        )
        np.testing.assert_allclose(outputs[clip], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
def test_initial_filters_have_the_energy_of_their_triangles(sample_rate):
    layer = TimeDomainFilterbanks(sample_rate=sample_rate, max_freq=3800.0)
    layer.build((None, None))
    taps = numbers(layer.filtering.kernel)[:, 0].astype(np.float64)
    filters = taps[:, 0::2] + 1j * taps[:, 1::2]

    def hz(mel):
        return 700 * np.expm1(mel / 1127)

    edges = hz(np.linspace(*1127 * np.log1p(np.array([60, 3800]) / 700), 42))
    areas = np.pi * (edges[2:] - edges[:-2]) / sample_rate
    energies = np.sum(np.abs(filters) ** 2, axis=0)
    # The lowest ones are wider than the window: their Gaussians are cut.
    np.testing.assert_allclose(energies[12:], areas[12:], rtol=0.01)
    assert np.all(energies <= 1.001 * areas)
    spectra = np.abs(np.fft.fft(filters, 1 << 16, axis=0))
    peaks = spectra.argmax(axis=0) * sample_rate / (1 << 16)
    np.testing.assert_allclose(peaks, edges[1:-1], atol=0.6 * sample_rate / (1 << 16))


def filters_of(layer):
    layer.build((None, None))
    taps = numbers(layer.filtering.kernel)[:, 0].astype(np.float64)
    return taps[:, 0::2] + 1j * taps[:, 1::2]


def peaks_hz(filters, sample_rate=16000):
    spectra = np.abs(np.fft.fft(filters, 1 << 16, axis=0))
    return spectra.argmax(axis=0) * sample_rate / (1 << 16)


def test_linear_filters_have_the_energy_of_equal_triangles():
    """40 triangles whose feet are 2/41 of the band apart: in all, energies alike."""
    layer = TimeDomainFilterbanks(initial_filters="linear")
    filters = filters_of(layer)
    step = (7800 - 60) / 41
    centers = 60 + step * np.arange(1, 41)
    np.testing.assert_allclose(peaks_hz(filters), centers, atol=0.2)
    energies = np.sum(np.abs(filters) ** 2, axis=0)
    np.testing.assert_allclose(energies, 2 * np.pi * step / 16000, rtol=1e-4)


def test_random_filters_have_the_energy_of_a_mel_triangle_at_their_place():
    filters = filters_of(TimeDomainFilterbanks(initial_filters="random"))
    mels = 1127 * np.log1p(peaks_hz(filters) / 700)
    low, high = 1127 * np.log1p(np.array([60, 7800]) / 700)
    step = (high - low) / 41
    upper, lower = (700 * np.expm1((mels + side) / 1127) for side in (step, -step))
    areas = np.pi * (upper - lower) / 16000
    energies = np.sum(np.abs(filters) ** 2, axis=0)
    # The lowest ones are wider than the window: their Gaussians are cut.
    np.testing.assert_allclose(energies[16:], areas[16:], rtol=0.01)
    assert np.all(energies <= 1.01 * areas)


@pytest.mark.parametrize("initial_filters", ["mel", "linear", "random"])
def test_a_tone_at_a_filters_center_is_as_loud_whatever_the_bank(initial_filters):
    """Energy times width in frequency is alike for all triangles of peak 1."""
    layer = TimeDomainFilterbanks(initial_filters=initial_filters)
    gains = np.abs(np.fft.fft(filters_of(layer), 1 << 14, axis=0)).max(axis=0)
    np.testing.assert_allclose(gains[20:], gains[-1], rtol=0.02)


@pytest.mark.parametrize(
    "samples, frames",
    [(None, None), (1, 1), (401, 1), (560, 1), (561, 2), (16000, 98)],
)
def test_frames_lie_within_the_clip(samples, frames):
    layer = TimeDomainFilterbanks()
    assert layer.n_frames(samples) == frames
    assert layer.compute_output_shape((2, samples)) == (2, frames, 40)
    if samples is not None:
        tensor = layer.n_frames(np.array([samples, samples], "int32"))
        np.testing.assert_array_equal(numbers(tensor), [frames, frames])


def test_clips_of_a_batch_are_as_alone(rng):
    layer = TimeDomainFilterbanks(preemp=True)
    lengths = np.array([2000, 1999, 1, 100, 401, 560, 561], "int32")
    waveform = rng.uniform(-1, 1, (len(lengths), 2000)).astype("float32")
    outputs = numbers(layer(waveform, lengths=lengths))
    for clip, length in enumerate(lengths):
        alone = numbers(layer(waveform[clip : clip + 1, :length]))[0]
        kept = outputs[clip, : len(alone)]
        np.testing.assert_allclose(kept, alone, atol=1e-5, rtol=1e-5)
        assert not outputs[clip, len(alone) :].any()


def test_learned_or_not():
    def names(**arguments):
        layer = TimeDomainFilterbanks(**arguments)
        layer.build((None, None))
        return sorted(weight.name for weight in layer.trainable_weights)

    assert names(preemp=True) == ["kernel", "lowpass", "taps"]
    assert names(learn_filters=False, preemp=True) == ["lowpass"]
    assert names(learn_pooling=False) == ["kernel"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"initial_filters": "bark"}, "`initial_filters` must be one of"),
        ({"window_len": 0.1}, "`window_len` must be at least 3 samples"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        TimeDomainFilterbanks(**arguments)
    assert message in str(error.value)
