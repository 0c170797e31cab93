"""Damaged run folders and `.keras` files open as they are, or are refused in a line."""

import pytest

from tests.counts import slow
from tests.fuzz.processes import run_cases


@pytest.mark.slow
def test_damaged_runs(tmp_path):
    n_cases = slow(250)
    ends = run_cases("tests.fuzz.runs", n_cases, 1, tmp_path)
    assert ends["answered"] > n_cases / 10 and ends["refused"] > n_cases / 10
