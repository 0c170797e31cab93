import json

import numpy as np
import pytest

from export.contract.probes import EXACT_TOLERANCE, Probes, probe_windows


def spectrum(windows):
    """A model of two outputs, the second of frames."""
    power = np.abs(np.fft.rfft(windows)) ** 2
    return {"": power[:, :5] / 100, "features": windows.reshape(len(windows), 10, -1)}


def test_the_windows_are_loud_quiet_and_silent():
    windows = probe_windows(8000, 1000)
    assert windows.shape == (4, 1000) and windows.dtype == np.float32
    peaks = np.abs(windows).max(axis=1)
    np.testing.assert_allclose(peaks, [0.9, 0.01, 1.0, 0.0], atol=0.01)
    # The chirp ends at half the sample rate: it changes sign with each sample.
    assert (np.sign(windows[0, -9:-1]) == -np.sign(windows[0, -8:])).all()


def test_answers_survive_json_and_are_compared():
    probes = Probes(8000, 1000)
    probes.ask("model", spectrum, is_exact=True)
    told = json.loads(json.dumps(probes.content))["model"]
    assert told["tolerance"] == EXACT_TOLERANCE
    assert probes.difference(told, spectrum) < 1e-6

    def louder(windows):
        answers = spectrum(windows)
        return {**answers, "": answers[""] * 1.01}

    assert probes.difference(told, louder) == pytest.approx(0.01, rel=1e-3)


def test_other_answers_are_infinitely_far_and_nan_is_no_agreement():
    probes = Probes(8000, 1000)
    probes.ask("model", spectrum, is_exact=True)
    told = probes.content["model"]
    assert probes.difference(told, lambda w: {"": spectrum(w)[""]}) == np.inf
    broken = probes.difference(
        told, lambda w: {k: v * np.nan for k, v in spectrum(w).items()}
    )
    assert not broken <= EXACT_TOLERANCE
