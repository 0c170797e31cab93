import pytest

from export.contract.heads import Head
from export.contract.own_words import (
    OwnWords,
    difference,
    require_fit,
    words_of,
)
from leaf_files.errors import UserError

POINTS = Head("points", ("north", "south"), "softmax")
WINDS = Head("winds", ("föhn", "bise", "joran"), "sigmoid")
WORDS = OwnWords(8000, 4000, (POINTS, WINDS), "leaf_tf 0")


def test_what_is_written_is_read():
    assert words_of(WORDS.content) == WORDS
    assert difference(WORDS, WORDS) is None


@pytest.mark.parametrize(
    "change, error",
    [
        ({"sample_rate": 0}, ValueError),
        ({"sample_rate": True}, ValueError),
        ({"sample_rate": 8000.0}, ValueError),
        ({"window_samples": 2**31}, ValueError),
        ({"heads": [{"name": "", "labels": ["a"], "activation": "tanh"}]}, ValueError),
        ({"heads": [{"name": "", "labels": ["a"]}]}, KeyError),
        ({"heads": None}, TypeError),
    ],
)
def test_what_is_none_is_refused(change, error):
    with pytest.raises(error):
        words_of({**WORDS.content, **change})


@pytest.mark.parametrize(
    "other, text",
    [
        (OwnWords(16000, 4000, (POINTS, WINDS)), "8000 Hz, not 16000 Hz"),
        (OwnWords(8000, 8000, (POINTS, WINDS)), "windows of 4000 samples, not 8000"),
        (
            OwnWords(8000, 4000, (Head("", ("a",) * 4, "softmax"),)),
            "2 classes of points, 3 classes of winds, not 4 classes",
        ),
        (
            OwnWords(
                8000, 4000, (POINTS, Head("winds", ("föhn", "bise", "x"), "sigmoid"))
            ),
            "label 3 of winds joran, not x",
        ),
        (
            OwnWords(8000, 4000, (Head("points", POINTS.labels, "sigmoid"), WINDS)),
            "softmax of points, not sigmoid",
        ),
    ],
)
def test_where_two_disagree_is_told(other, text):
    assert difference(WORDS, other) == text


def test_the_order_of_heads_and_what_a_part_leaves_out_are_no_difference():
    assert difference(OwnWords(8000, 4000, (WINDS, POINTS)), WORDS) is None
    assert difference(OwnWords(8000, None, ()), WORDS) is None
    assert difference(OwnWords(16000, None, ()), WORDS) == "16000 Hz, not 8000 Hz"


def test_labels_that_are_not_as_many_as_the_classes_are_refused():
    classes = {"points": 2, "winds": 3}
    require_fit("a", WORDS, classes, "inside")
    with pytest.raises(UserError, match="labels inside it are none, they were changed"):
        require_fit("a", OwnWords(8000, 4000, ()), classes, "inside")
    with pytest.raises(UserError, match="beside it are 2 classes of points, 3 .* own"):
        require_fit("a", WORDS, {"points": 4, "winds": 3}, "beside")
