import json

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import start
from leaf_files import command_line


def run(*argv):
    return command_line.run(
        benchmarks.dispatch, [str(word) for word in argv], "python -m benchmarks"
    )


@pytest.mark.slow
def test_each_start_is_timed_to_its_first_step(capsys, tmp_path):
    numbers = tmp_path / "start.json"
    assert not run("start", "--n-clips", 100, "--json", numbers)
    table = capsys.readouterr().out
    rows = json.loads(numbers.read_text())["rows"]
    assert [row["start"] for row in rows][:2] == ["new clips", "known clips"]
    for row in rows:
        assert row["n_clips"] == 100 and row["start"] in table
        assert 0 < row["ready_seconds"] < row["first_step_seconds"]
        assert row["peak_bytes"] > 2**20


def test_clips_of_all_splits_are_counted():
    line = "10 classes; 80 train, 10 validation, 9 test clips; 8, 2, 2 groups"
    assert start._total(line) == 99
