import csv
import json

import pytest

from benchmarks.suite import running
from benchmarks.suite.conditions import CLEAN, SHIFTS
from benchmarks.suite.filters import SHIFTED, by_filters, usual
from benchmarks.suite.runs import read_runs
from leaf_files.errors import UserError
from tests.benchmarks.suite.made import write_runs

NOISY = str(SHIFTS[0])
# Right clips of 10: in one of the 7 conditions that are not clean, and else.
RUNS = {
    "mel": {"": 8, NOISY: 1},
    "leaf": {"": 8, NOISY: 8},
    "mel:n_filters=8": {"": 4, NOISY: 4},
    "leaf:n_filters=8": {"": [5, 6, 7], NOISY: [5, 6, 7]},
}


def numbers_of(folder, baseline="mel"):
    return by_filters(read_runs(folder), baseline)


def cells(page, task, name):
    """Cells of the first row of a table that begins with a task and a frontend."""
    rows = [[c.strip() for c in line.split("|")] for line in page.splitlines()]
    return next(row[3:-1] for row in rows if row[1:3] == [task, name])


def test_a_frontend_is_compared_with_mel_of_as_many_filters(tmp_path):
    write_runs(tmp_path, RUNS)
    numbers = numbers_of(tmp_path)
    assert numbers.numbers == [8, 40]
    assert numbers.families == ["mel", "leaf"]
    few, many = (numbers.score("drums", "leaf", n, CLEAN) for n in (8, 40))
    assert few.values == {0: 0.5, 1: 0.6, 2: 0.7}
    assert few.difference.mean == pytest.approx(0.2)
    assert many.difference.mean == 0
    # One of 7 conditions, 10 % in place of 80 %.
    mel = numbers.score("drums", "mel", 40, SHIFTED)
    assert mel.estimate.mean == pytest.approx((6 * 0.8 + 0.1) / 7)
    leaf = numbers.score("drums", "leaf", 40, SHIFTED)
    assert leaf.difference.mean == pytest.approx(0.1)


def test_points_of_a_curve_are_of_the_seeds_that_all_have(tmp_path):
    write_runs(tmp_path, {"mel": {"": [1, 2, 8, 9]}, "leaf": {"": 5}}, n_seeds=4)
    write_runs(
        tmp_path, {"mel:n_filters=8": {"": 1}, "leaf:n_filters=8": {"": 1}}, n_seeds=2
    )
    score = numbers_of(tmp_path).score("drums", "mel", 40, CLEAN)
    assert score.values == {0: 0.1, 1: 0.2}


def test_what_has_one_number_of_filters_is_left_out(tmp_path):
    others = {"wavegram": {"": 9}, "leaf:compression=log": {"": 9}}
    write_runs(tmp_path, {**RUNS, **others})
    write_runs(tmp_path, {"mel": {"": 1}, "leaf": {"": 1}}, task="pitch")
    numbers = numbers_of(tmp_path)
    assert numbers.families == ["mel", "leaf"] and numbers.tasks == ["drums"]
    assert {run.frontend for run in usual(read_runs(tmp_path))} == {
        *("mel", "leaf", "wavegram", "leaf:compression=log")
    }


def test_the_mean_is_over_the_tasks_that_all_have(tmp_path):
    write_runs(tmp_path, RUNS)
    write_runs(
        tmp_path,
        {name: {"": 2} for name in RUNS} | {"leaf:n_filters=8": {"": [2, 3, 4]}},
        task="pitch",
    )
    write_runs(tmp_path, {"mel:n_filters=8": {"": 9}, "mel": {"": 9}}, task="family")
    numbers = numbers_of(tmp_path)
    assert numbers.tasks == ["drums", "family", "pitch"]
    assert numbers.common_tasks == ["drums", "pitch"]
    assert numbers.mean("mel", 40, CLEAN) == (pytest.approx(0.5), None)
    mean, difference = numbers.mean("leaf", 8, CLEAN)
    # Seed by seed: (.5 + .2) / 2, (.6 + .3) / 2, (.7 + .4) / 2, against (.4 + .2) / 2.
    assert mean == pytest.approx(0.45)
    assert (difference.n, difference.mean) == (3, pytest.approx(0.15))
    # 4.303 * .1 / sqrt(3)
    assert difference.margin == pytest.approx(0.2484, abs=1e-4)


def test_the_report_has_a_table_a_figure_and_the_cost(tmp_path):
    write_runs(tmp_path, RUNS)
    rows = [
        {"frontend": name, "n_filters": n, "median_ms": ms, "multiplications": many}
        for name, n, ms, many in [("mel", 8, 2.0, 50), ("leaf", 8, 3.0, None)]
    ]
    costs = [{**row, "sample_rate": 8000} for row in rows]
    (tmp_path / "tflite.json").write_text(json.dumps({"rows": costs}))
    running.report(tmp_path)
    page = (tmp_path / "report.md").read_text()
    assert cells(page, "drums", "mel") == ["3", "40.0", "80.0"]
    assert cells(page, "drums", "leaf") == ["3", "60.0", "80.0"]
    assert cells(page, "mel", "8") == ["50", "2.00", "1.00"]
    assert cells(page, "leaf", "8") == ["", "3.00", "1.50"]
    assert "ms for 1 s at 8000 Hz" in page
    # The other sections are on the suite's number of filters alone.
    assert "## leaf against mel" in page and "n_filters=8 against" not in page
    for name in ("filters", "filters_cost"):
        assert f"(figures/{name}.png)" in page
        assert (
            (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        )
    with (tmp_path / "filters.csv").open() as file:
        [row] = [
            row
            for row in csv.DictReader(file)
            if (row["frontend"], row["n_filters"], row["condition"])
            == ("leaf", "8", "clean")
        ]
    assert (row["accuracy"], row["difference"], row["tflite_ms"]) == (
        "0.6",
        "0.2",
        "3.0",
    )


def test_few_filters_alone_have_a_report(tmp_path):
    write_runs(tmp_path, {f"{name}:n_filters=8": {"": 5} for name in ("mel", "leaf")})
    write_runs(tmp_path, {f"{name}:n_filters=16": {"": 6} for name in ("mel", "leaf")})
    running.report(tmp_path)
    page = (tmp_path / "report.md").read_text()
    assert "12 runs: 1 task, frontends leaf:n_filters=16, leaf:n_filters=8" in page
    assert cells(page, "drums", "leaf") == ["3", "50.0", "60.0"]


def test_without_other_numbers_nothing_is_said_of_them(tmp_path):
    write_runs(tmp_path, {"mel": {"": 5}, "leaf": {"": 6}})
    running.report(tmp_path)
    assert "filters" not in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "filters.csv").exists()


def test_costs_that_can_not_be_read_are_named(tmp_path):
    write_runs(tmp_path, RUNS)
    (tmp_path / "tflite.json").write_text('{"rows": [{"frontend": "mel"}]}')
    with pytest.raises(UserError, match=r"tflite\.json.*n_filters.*benchmarks tflite"):
        running.report(tmp_path)
