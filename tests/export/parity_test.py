import numpy as np
import pytest

from export.clips import Clips
from export.parity import accuracy, check_tolerance, differences
from files.errors import UserError

KERAS = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])


def clips(true_classes):
    return Clips("here", np.zeros((3, 4)), np.array([0, 0, 1]), true_classes)


def test_differences_by_hand():
    other = KERAS + [[-0.15, 0.15, 0.0], [0.0, 0.0, 0.0]]
    measured = differences(other, KERAS)
    assert measured["max_difference"] == pytest.approx(0.15)
    assert measured["mean_difference"] == pytest.approx(0.3 / 6)
    assert measured["windows_with_another_label"] == 1


def test_the_tolerance_is_a_ten_thousandth():
    check_tolerance("model.tflite", {"max_difference": 0.9e-4}, 2)
    with pytest.raises(UserError, match="differs from Keras by 1.1e-04 .* 2 windows"):
        check_tolerance("model.tflite", {"max_difference": 1.1e-4}, 2)


def test_not_a_number_is_no_agreement():
    measured = differences(np.full_like(KERAS, np.nan), KERAS)
    with pytest.raises(UserError, match="by nan"):
        check_tolerance("model.tflite", measured, 2)


def test_accuracy_is_that_of_whole_clips():
    # Clip 0: the sure window outvotes the unsure one. Clip 1: one window.
    probabilities = np.array([[0.01, 0.99], [0.6, 0.4], [0.7, 0.3]])
    assert accuracy(probabilities, clips(np.array([1, 0])), "softmax") == 1.0
    assert accuracy(probabilities, clips(np.array([0, 0])), "softmax") == 0.5
    assert accuracy(probabilities, clips(None), "softmax") is None
