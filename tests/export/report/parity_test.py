import numpy as np
import pytest

from export.report.parity import (
    check_tolerance,
    differences,
    over_heads,
    part_differences,
    points_lost,
)
from leaf_files.errors import UserError

KERAS = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])


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


def test_parts_are_compared_relative_to_their_largest_value():
    features = np.array([[4.0, -8.0], [0.0, 2.0]])
    assert part_differences(features + [[0, 0], [0.4, 0]], features) == {
        "max_difference": pytest.approx(0.4 / 8),
        "mean_difference": pytest.approx(0.1 / 8),
    }


def test_points_lost_are_those_of_the_worst_head():
    keras = [{"accuracy": 0.9}, {"mean_average_precision": 0.8}]
    ours = [{"accuracy": 0.91}, {"mean_average_precision": 0.775}]
    assert points_lost(ours, keras) == pytest.approx(2.5)
    assert points_lost(ours[:1], keras[:1]) == pytest.approx(-1)
    unknown = [{"accuracy": None}]
    assert points_lost(unknown, unknown) is None


def test_the_heads_of_a_model_are_told_together():
    heads = [differences(KERAS + 0.1, KERAS), differences(KERAS[:, ::-1], KERAS)]
    assert over_heads(heads) == {
        "max_difference": pytest.approx(0.3),
        "mean_difference": pytest.approx((0.1 + 0.1) / 2),
        "windows_with_another_label": 1,
    }
    assert over_heads(heads[:1]) == heads[0]
