import numpy as np
import pytest

from export.contract.averaging import clip_probabilities
from tests.export.models import softmax


def test_softmax_windows_average_as_their_logits_do(rng):
    logits = rng.normal(0, 4, (7, 5))
    averaged = clip_probabilities(softmax(logits), "softmax")
    np.testing.assert_allclose(averaged, softmax(logits.mean(axis=0)), rtol=1e-12)


def test_sigmoid_windows_average_as_their_logits_do(rng):
    logits = rng.normal(0, 4, (7, 5))
    averaged = clip_probabilities(1 / (1 + np.exp(-logits)), "sigmoid")
    np.testing.assert_allclose(averaged, 1 / (1 + np.exp(-logits.mean(axis=0))))


def test_one_window_is_the_clip():
    one = [[0.1, 0.2, 0.7]]
    np.testing.assert_allclose(clip_probabilities(one, "softmax"), one[0])
    np.testing.assert_allclose(clip_probabilities(one, "sigmoid"), one[0])


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_certainty_stays_finite(activation):
    certain = np.float32([[1.0, 0.0], [1.0, 0.0]])
    averaged = clip_probabilities(certain, activation)
    np.testing.assert_allclose(averaged, [1.0, 0.0], atol=1e-30)
