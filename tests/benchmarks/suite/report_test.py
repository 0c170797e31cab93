import csv

import pytest

from benchmarks.suite import running
from benchmarks.suite.report import sentences, to_markdown
from benchmarks.suite.results import Key, collect
from benchmarks.suite.runs import read_runs
from leaf_files.errors import UserError
from tests.benchmarks.suite.made import write_runs

NOISY = "pink noise at 0 dB"
RUNS = {"mel": {"": 5}, "leaf": {"": 5, NOISY: 7}}


def test_the_pages_of_a_suite(tmp_path):
    write_runs(tmp_path, RUNS, encoders=("small", "bc_resnet"))
    running.report(tmp_path)
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    [row] = [
        row
        for row in rows
        if [row[name] for name in ("encoder", "frontend", "condition")]
        == ["all", "leaf", NOISY]
    ]
    assert (row["accuracy"], row["difference"], row["n_groups"]) == ("0.7", "0.2", "12")
    report = (tmp_path / "report.md").read_text()
    for line in report.split("\n"):
        if line.startswith("!["):
            name = line.partition("(")[2].rstrip(")")
            assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert "figures/drums.png" in report and "figures/differences.png" in report


def test_without_runs_it_says_how_to_make_some(tmp_path):
    with pytest.raises(UserError, match="holds no runs.*suite --data DIR"):
        running.report(tmp_path)


def test_a_frontend_is_compared_on_the_seeds_that_both_have(tmp_path):
    write_runs(tmp_path, {"mel": {"": 5}}, n_seeds=2)
    write_runs(tmp_path, {"leaf": {"": 6}}, n_seeds=4)
    score = collect(read_runs(tmp_path)).scores[Key("drums", "small", "leaf", "clean")]
    assert len(score.values) == 4
    assert score.difference.by_seeds.n == 2
    assert score.difference.mean == pytest.approx(0.1)


def test_a_verdict_is_from_the_encoders_that_have_most_seeds(tmp_path):
    write_runs(tmp_path, RUNS, encoders=("small",), n_seeds=3)
    write_runs(tmp_path, RUNS, encoders=("bc_resnet",), n_seeds=2)
    write_runs(tmp_path, {"other": {"": 6}}, encoders=("small",), n_seeds=2)
    results = collect(read_runs(tmp_path))
    assert results.verdict_encoder("drums", "leaf") == "small"
    assert results.verdict_encoder("drums", "other") == "small"
    assert "Seeds of small alone on drums." in to_markdown(results, {})
    write_runs(tmp_path, RUNS, encoders=("bc_resnet",), n_seeds=3)
    results = collect(read_runs(tmp_path))
    assert results.verdict_encoder("drums", "leaf") == "all"
    assert "Seeds of both encoders on drums." in to_markdown(results, {})
    # What was run with one encoder alone is judged by that.
    [sentence] = sentences(results, "other")
    assert sentence.startswith("drums: other +10.0 points (")


def test_without_mel_there_are_accuracies_alone(tmp_path):
    write_runs(tmp_path, {"leaf": {"": 6}})
    results = collect(read_runs(tmp_path))
    assert results.n_differences == 0
    assert sentences(results, "leaf") == []
    assert "| leaf | 3 | 50.0 | 60.0 |" in to_markdown(results, {})


def test_differences_that_are_the_same_count_once(tmp_path):
    write_runs(tmp_path, {"mel": {"": 5}, "leaf": {"": [5, 6, 7, 6, 8, 4]}}, n_seeds=6)
    results = collect(read_runs(tmp_path))
    assert results.n_differences == 11
    assert results.n_effective == pytest.approx(1)


def test_all_counted_is_stricter(tmp_path):
    # Differences of .1, .2 and .3 by seed exclude 0; with 11 counted they don't.
    others = {NOISY: [6, 7, 8, 7], "gain -10 dB": [7, 7, 6, 8]}
    write_runs(tmp_path, {"mel": {"": 5}, "leaf": {"": 5, **others}}, n_seeds=4)
    score = collect(read_runs(tmp_path)).scores[Key("drums", "small", "leaf", NOISY)]
    assert score.difference.excludes_zero and not score.holds
    assert score.corrected.margin > score.difference.margin


def test_a_sentence_says_what_is_sure(tmp_path):
    others = {NOISY: [7, 8, 7, 8, 7, 8], "clean": [5, 6, 5, 4, 5, 5]}
    write_runs(tmp_path, {"mel": {"": 5}, "leaf": {"": 5, **others}}, n_seeds=6)
    [sentence] = sentences(collect(read_runs(tmp_path)), "leaf")
    # Over seeds: 25 +- 2.571 * 5.477 / sqrt(6).
    assert sentence.startswith("drums: leaf 0.0 points (")
    assert (
        "; +25.0 (19.3 to 30.7) in pink noise at 0 dB; 0 not excluded in 9" in sentence
    )


def test_another_baseline(tmp_path):
    write_runs(tmp_path, RUNS)
    running.report(tmp_path, "leaf")
    page = (tmp_path / "report.md").read_text()
    assert "## mel against leaf" in page and "## leaf against" not in page
    [row] = [line for line in page.splitlines() if line.startswith("| minus leaf")]
    # Of 10 clips 7 against 5.
    assert "-20.0" in row
    with pytest.raises(UserError, match="of the baseline lef .did you mean leaf"):
        running.report(tmp_path, "lef")
