"""Thousands of damaged audio files: each is read, or refused in one line."""

import pytest

from tests.counts import slow
from tests.fuzz.processes import run_cases


@pytest.mark.parametrize(
    "n_cases, seed", [(400, 0), pytest.param(slow(4000), 1, marks=pytest.mark.slow)]
)
def test_damaged_audio_files(n_cases, seed, tmp_path):
    ends = run_cases("tests.fuzz.audio", n_cases, seed, tmp_path)
    assert ends["read"] > n_cases / 10 and ends["refused"] > n_cases / 10
