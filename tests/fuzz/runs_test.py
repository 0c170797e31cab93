"""Damaged run folders and `.keras` files open as they are, or are refused in a line."""

import pytest

from tests.counts import slow
from tests.fuzz.processes import run_cases


@pytest.mark.parametrize(
    "n_cases, seed", [(12, 0), pytest.param(slow(250), 1, marks=pytest.mark.slow)]
)
def test_damaged_runs(n_cases, seed, tmp_path):
    ends = run_cases("tests.fuzz.runs", n_cases, seed, tmp_path)
    assert ends["answered"] and ends["refused"]
    if n_cases >= 80:  # of fewer, chance decides how many are answered
        assert ends["answered"] > n_cases / 10 and ends["refused"] > n_cases / 10
