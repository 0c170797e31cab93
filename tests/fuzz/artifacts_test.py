"""Damaged exports answer, or are refused in one line; no runtime crashes on them."""

import pytest

from tests.counts import slow
from tests.fuzz.processes import run_cases


@pytest.mark.parametrize(
    "kind, n_cases, seed",
    [
        ("tflite", 8, 0),
        pytest.param("tflite", slow(200), 1, marks=pytest.mark.slow),
        pytest.param("streaming", slow(80), 1, marks=pytest.mark.slow),
        # TensorFlow keeps 45 MB of each that it loads: no more in one process.
        *(
            pytest.param("saved_model", 40, 1 + number, marks=pytest.mark.slow)
            for number in range(slow(1))
        ),
    ],
)
def test_damaged_exports(kind, n_cases, seed, tmp_path):
    ends = run_cases("tests.fuzz.artifacts", n_cases, seed, tmp_path, kind)
    assert ends.get("answered", 0) + ends.get("refused", 0)
    if n_cases >= 80:  # of fewer, chance decides how many are answered
        assert ends["answered"] and ends["refused"] > n_cases / 2
