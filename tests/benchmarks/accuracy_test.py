import numpy as np
import pytest

import leaf_tf
from benchmarks import accuracy, signals


@pytest.fixture(scope="module")
def fast_and_exact():
    return [leaf_tf.Leaf(method=method) for method in ("fast", "exact")]


def test_differences_name_the_worst_place():
    class Features:
        def __init__(self, values):
            self.values = values

        def __call__(self, waveform):
            frames = waveform.shape[1] // 100
            return np.float32(self.values)[None, :frames]

    first = np.zeros((4, 3))
    second = first.copy()
    second[2, 1] = -0.5
    found = accuracy.differences(
        Features(first), Features(second), [np.zeros(100), np.zeros(400)]
    )
    assert found == {
        "max": 0.5,
        "mean": 0.5 / 15,
        "worst_filter": 1,
        "worst_frame": 2,
        "frames": 4,
    }


def test_made_signals_are_what_their_names_say():
    made = signals.made()
    assert all(np.abs(waveform).max() <= 1 for waveform in made.values())
    assert all(waveform.dtype == np.float32 for waveform in made.values())
    assert not made["silence"].any()
    spectrum = np.abs(np.fft.rfft(made["tone 440 Hz"]))
    assert spectrum.argmax() == 440
    power = np.abs(np.fft.rfft(made["pink noise"])) ** 2
    assert 3 < power[100:200].mean() / power[400:800].mean() < 5


def test_a_random_bank_is_within_the_papers_bounds_and_its_error_as_predicted():
    center_freqs, sigmas, widths = accuracy.random_bank(np.random.default_rng(3), 12)
    assert 0 <= center_freqs.min() and center_freqs.max() <= np.pi
    found = accuracy.bank_errors(center_freqs, sigmas, widths)
    assert 0 < found["predicted"] <= 2.5e-4
    assert 0.5 < found["measured_there"] / found["predicted"] < 2


@pytest.mark.parametrize(
    "signal, largest, mean",
    [("white noise", 1e-2, 3e-4), ("white noise, 12345 samples", 1e-2, 3e-4)],
)
def test_the_promise_on_noise(fast_and_exact, signal, largest, mean):
    found = accuracy.differences(*fast_and_exact, [signals.made()[signal]])
    assert found["max"] < largest
    assert 0 < found["mean"] < mean
