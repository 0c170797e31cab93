import dataclasses

import pytest

from benchmarks.suite.runs import Run, read_runs, run_path
from leaf_files.errors import UserError
from tests.benchmarks.suite.made import write_runs

COUNTS = {"kit": (8, 10), "box": (3, 10)}


def test_a_file_gives_the_run_back(tmp_path):
    run = Run.made_up("drums", "leaf", 3, COUNTS)
    path = run_path(tmp_path, "drums", "small", "leaf", 3)
    run.write(path)
    assert read_runs(tmp_path) == [run]
    assert path.read_text().count("\n") == len(dataclasses.fields(Run)) + 2


def test_clips_without_groups_are_a_string_of_right_and_wrong(tmp_path):
    run = dataclasses.replace(
        Run.made_up("drums", "leaf", 3, COUNTS),
        groups=None,
        n=(1, 1, 1, 1),
        right={"clean": (1, 0, 0, 1)},
    )
    run.write(tmp_path / "run.json")
    assert '"1001"' in (tmp_path / "run.json").read_text()
    assert Run.read(tmp_path / "run.json") == run
    assert run.units == tuple(f"made up:{n}" for n in range(4))


def test_numbers_that_json_lacks_are_none(tmp_path):
    run = dataclasses.replace(
        Run.made_up("drums", "leaf", 3, COUNTS), loss=(0.5, float("nan"))
    )
    run.write(tmp_path / "run.json")
    assert Run.read(tmp_path / "run.json").loss == (0.5, None)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:100],
        lambda text: text.replace('"seed"', '"seeds"'),
        lambda text: text.replace("[8, 3]", "[8]"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, damage):
    path = run_path(tmp_path, "drums", "small", "leaf", 0)
    Run.made_up("drums", "leaf", 0, COUNTS).write(path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError, match=r"seed0\.json.*remove the file"):
        read_runs(tmp_path)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"settings": {"steps": 40}}, "other settings than .*: steps 40, not 20"),
        ({"clips": "others"}, "of other clips"),
        ({"frontend": "leaf"}, "holds the run of"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, change, message):
    write_runs(tmp_path, {"mel": {"": 5}})
    path = run_path(tmp_path, "drums", "small", "wavegram", 1)
    run = Run.made_up("drums", "wavegram", 1, COUNTS)
    dataclasses.replace(run, **change).write(path)
    with pytest.raises(UserError, match=message):
        read_runs(tmp_path)
