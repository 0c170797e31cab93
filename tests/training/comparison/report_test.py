import csv
import json

import matplotlib.image
import pytest

from tests.training.comparison.made import finish, make_comparison
from training.comparison import report
from training.comparison.results import collect

FRONTENDS = ("mel", "leaf", "sincnet")


@pytest.fixture
def comparison(tmp_path):
    """Leaf is better by 4 to 6 points in quiet, sincnet by -1, 0 and 1."""
    comparison = make_comparison(tmp_path, FRONTENDS, snrs_db=(10.0,), jobs=2)
    gains = {"mel": (0, 0, 0), "leaf": (4, 5, 6), "sincnet": (-1, 0, 1)}

    def score(task, frontend, seed):
        return 0.5 + 0.1 * seed + gains[frontend][seed] / 100

    drift = {"filters": 0.1234, "alpha_change": 0.015}
    finish(comparison, score, lambda *_: 0.25, drift)
    return comparison


def test_a_sentence_says_what_is_more_than_noise(comparison):
    # Differences 4, 5, 6: deviation 1, margin 4.30265 / sqrt 3 = 2.484.
    clean, noisy = report.findings(comparison, collect(comparison))
    assert clean == (
        "On synthetic, the difference to mel is more than noise for leaf (+5.0 points, "
        "+2.5 to +7.5); it is not for sincnet (0.0 points, -2.5 to +2.5)."
    )
    assert noisy == (
        "On synthetic at 10 dB, no difference to mel is more than noise: leaf (0.0 "
        "points, 0.0 to 0.0), sincnet (0.0 points, 0.0 to 0.0)."
    )


def test_one_seed_claims_nothing(tmp_path):
    comparison = make_comparison(tmp_path, FRONTENDS[:2], n_seeds=1)
    finish(comparison, lambda task, frontend, seed: 0.9 if frontend == "leaf" else 0.1)
    results = collect(comparison)
    [sentence] = report.findings(comparison, results)
    assert "leaf +80.0 points; a single pair can't say" in sentence
    text = report._to_markdown(comparison, results, {})
    assert "One seed shows no interval" in text
    assert "| leaf | 1 | 90.0 | +80.0 |  | unknown |" in text


def test_seeds_that_all_differ_by_the_same_prove_nothing(tmp_path):
    comparison = make_comparison(tmp_path, FRONTENDS[:2], n_seeds=2)
    finish(comparison, lambda task, frontend, seed: 0.9 if frontend == "leaf" else 0.4)
    results = collect(comparison)
    assert report.findings(comparison, results) == [
        "On synthetic, nothing can be said of leaf (+50.0 points, +50.0 to +50.0), as "
        "all seeds differ from mel by the same."
    ]
    text = report._to_markdown(comparison, results, {})
    assert "| +50.0 | +50.0 to +50.0 | unknown |" in text
    assert "Two seeds are too few" in text


def test_without_the_baseline_there_is_nothing_to_compare_with(tmp_path):
    comparison = make_comparison(tmp_path, FRONTENDS[:2])
    finish(comparison, lambda task, frontend, seed: None if frontend == "mel" else 0.1)
    results = collect(comparison)
    assert report.findings(comparison, results) == [
        "On synthetic: no pair of runs to compare with mel is finished."
    ]
    report.write(comparison, results)


def test_the_pages_tell_the_same_numbers(comparison):
    results = collect(comparison)
    report.write(comparison, results)
    text = (comparison.output / "report.md").read_text()
    # Mean of 54, 65, 76 is 65, margin 4.30265 * 11 / sqrt 3.
    assert "| leaf | 3 | 65.0 +- 27.3 | +5.0 | +2.5 to +7.5 | yes |" in text
    assert "| sincnet | 3 | 60.0 +- 27.3 | 0.0 | -2.5 to +2.5 | no |" in text
    assert "All seeds are tested on the same clips" in text
    assert "With 4 differences looked at, 0.2 would seem more than noise" in text
    assert "| leaf | 280 | 1,000 | 11 +- 2 | 0.12 | 1.5 |" in text
    assert "2 runs at once" in text

    saved = json.loads((comparison.output / "results.json").read_text())
    [leaf] = [s for s in saved["scores"] if s["frontend"] == "leaf"][:1]
    assert leaf["values"] == {"0": 0.54, "1": 0.65, "2": 0.76}
    assert leaf["difference"]["mean"] == pytest.approx(0.05)
    assert leaf["difference"]["more_than_noise"] is True
    assert leaf["difference"]["with_all_counted"] is False

    with (comparison.output / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert float(rows[1]["difference_mean"]) == pytest.approx(0.05)
    assert rows[1]["difference_excludes_zero"] == "True"
    assert rows[0]["difference_mean"] == ""
    assert float(rows[1]["drift_filters"]) == 0.1234


@pytest.mark.parametrize(
    "settings, words",
    [
        ({}, "80/10/10 within each class by the seed. Each seed splits anew"),
        ({"group_by": "parent"}, "80/10/10 in whole groups, the folders that clips"),
        (
            {"group_pattern": "([^/]+)__", "folds": "groups"},
            "folds in whole groups, as ([^/]+)__ finds them in paths (one fold a "
            "group), of which number seed mod number of folds tests. Each seed tests "
            "the next fold",
        ),
        (
            {"folds": 5, "fold": 2},
            "folds within each class (5), of which number 2 tests. All seeds are "
            "tested on the same clips",
        ),
    ],
)
def test_the_report_says_how_clips_are_split(tmp_path, settings, words):
    comparison = make_comparison(tmp_path, task="folder:/drums", **settings)
    finish(comparison, lambda *_: 0.5)
    report.write(comparison, collect(comparison))
    text = (comparison.output / "report.md").read_text()
    assert f"- folder:drums: {words}" in text


def test_the_figure_is_where_the_report_looks(comparison):
    report.write(comparison, collect(comparison))
    text = (comparison.output / "report.md").read_text()
    assert "![synthetic](figures/synthetic.png)" in text
    image = matplotlib.image.imread(comparison.output / "figures" / "synthetic.png")
    colored = (image[..., 0] > 0.7) & (image[..., 2] < 0.15)
    # One difference excludes 0; it is the only coloured mark.
    assert 50 < colored.sum() < 1500


def test_names_that_a_page_or_a_picture_could_take_for_more(tmp_path):
    comparison = make_comparison(tmp_path, task="folder:/data/a|b $x$")
    finish(comparison, lambda *_: 0.5)
    report.write(comparison, collect(comparison))
    text = (comparison.output / "report.md").read_text()
    assert r"| folder:a\|b $x$ |" in text
