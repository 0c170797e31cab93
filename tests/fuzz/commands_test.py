"""Drawn folders and tables at the command line: learned, or refused in one line."""

import pytest

from tests.counts import slow
from tests.fuzz.processes import run_cases


@pytest.mark.slow
def test_inspect_and_fit_of_drawn_data(tmp_path):
    n_cases = slow(16)
    ends = run_cases("tests.fuzz.commands", n_cases, 0, tmp_path / "work")
    assert ends["learned"] > n_cases / 5
