import json
import math

import pytest

from leaf_files.errors import UserError
from tests.training.comparison.made import finish, make_comparison
from training.comparison.results import collect, is_complete


def by_frontend(results, task="synthetic", condition="clean"):
    return {score.frontend: score for score in results.conditions[task, condition]}


def test_a_difference_is_paired_by_seed(tmp_path):
    # Differences 0.1, 0.2, 0.3: mean 0.2, deviation 0.1, t(2) = 4.30265.
    comparison = make_comparison(tmp_path)
    scores = {"mel": (0.5, 0.2, 0.4), "leaf": (0.6, 0.4, 0.7)}
    finish(comparison, lambda task, frontend, seed: scores[frontend][seed])
    leaf, mel = by_frontend(collect(comparison))["leaf"], None
    margin = 4.30265 * 0.1 / math.sqrt(3)
    assert leaf.difference.mean == pytest.approx(0.2)
    assert leaf.difference.margin == pytest.approx(margin, rel=1e-5)
    assert not leaf.difference.excludes_zero
    assert leaf.estimate.mean == pytest.approx(1.7 / 3)
    mel = by_frontend(collect(comparison))["mel"]
    assert mel.difference is None
    assert mel.values == {0: 0.5, 1: 0.2, 2: 0.4}


def test_the_same_scores_differ_by_nothing(tmp_path):
    comparison = make_comparison(tmp_path)
    finish(comparison, lambda task, frontend, seed: (0.31, 0.77, 0.52)[seed])
    difference = by_frontend(collect(comparison))["leaf"].difference
    assert (difference.mean, difference.low, difference.high) == (0.0, 0.0, 0.0)
    assert not difference.excludes_zero


def test_pairs_show_what_the_spread_over_seeds_hides(tmp_path):
    # Seeds differ by 0.2, frontends by 0.02 to 0.03 with each of them.
    comparison = make_comparison(tmp_path, n_seeds=5)
    steps = (0.02, 0.03, 0.025, 0.02, 0.03)

    def score(task, frontend, seed):
        return 0.1 + 0.2 * seed - (steps[seed] if frontend == "leaf" else 0.0)

    finish(comparison, score)
    found = by_frontend(collect(comparison))
    assert found["leaf"].difference.excludes_zero and found["leaf"].holds
    assert found["leaf"].difference.mean == pytest.approx(-0.025)
    assert found["mel"].estimate.low < found["leaf"].estimate.mean


def test_many_differences_are_judged_more_strictly(tmp_path):
    # t = mean / (deviation / sqrt 3) = 6.0: beyond 4.30 for one difference, not
    # beyond 10.9 for six (Student's t with 2 degrees at 1 - 0.05 / 6).
    names = ("mel", "leaf", "leaf_exact", "tfbanks", "sincnet", "wavegram", "mel_pcen")
    values = [6.0 / math.sqrt(3) + step for step in (-1.0, 0.0, 1.0)]
    for frontends, holds in ((names[:2], True), (names, False)):
        comparison = make_comparison(tmp_path / str(holds), frontends)
        finish(
            comparison,
            lambda task, frontend, seed: (frontend != "mel") * 0.1 * values[seed],
        )
        leaf = by_frontend(collect(comparison))["leaf"]
        assert leaf.difference.excludes_zero
        assert leaf.holds == holds


def test_seeds_without_a_pair_count_for_the_mean_alone(tmp_path):
    comparison = make_comparison(tmp_path)
    scores = {"mel": (0.5, 0.6, None), "leaf": (0.7, None, 0.9)}
    finish(comparison, lambda task, frontend, seed: scores[frontend][seed])
    results = collect(comparison)
    leaf = by_frontend(results)["leaf"]
    assert leaf.values == {0: 0.7, 2: 0.9}
    assert leaf.difference.n == 1
    assert leaf.difference.mean == pytest.approx(0.2)
    assert leaf.difference.low is None and leaf.holds is None
    assert (results.n_runs, results.n_planned) == (4, 6)


def test_noise_is_a_condition_of_its_own(tmp_path):
    comparison = make_comparison(tmp_path, snrs_db=(10.0, -5.0))

    def in_noise(task, frontend, seed, decibels):
        return {10.0: 0.4, -5.0: 0.1}[decibels] + (0.3 if frontend == "leaf" else 0)

    finish(comparison, lambda *_: 0.8, in_noise)
    results = collect(comparison)
    assert [condition for _, condition in results.conditions] == [
        *("clean", "10 dB", "-5 dB")
    ]
    for condition, mean in (("10 dB", 0.4), ("-5 dB", 0.1)):
        found = by_frontend(results, condition=condition)
        assert found["mel"].estimate.mean == pytest.approx(mean)
        assert found["leaf"].difference.mean == pytest.approx(0.3)


def test_a_run_is_complete_when_all_its_noises_are_tested(tmp_path):
    comparison = make_comparison(tmp_path, snrs_db=(10.0,))
    finish(comparison, lambda *_: 0.8, lambda *_: 0.5)
    assert all(is_complete(comparison, run) for run in comparison.runs)
    for other in ({"snrs_db": (10.0, 5.0)}, {"noise_color": "white"}):
        wider = make_comparison(tmp_path, **{"snrs_db": (10.0,), **other})
        assert not any(is_complete(wider, run) for run in wider.runs)


@pytest.mark.parametrize("multitask", [False, True])
def test_several_tasks_have_a_mean(tmp_path, multitask):
    comparison = make_comparison(tmp_path, task="synthetic,crema_d")
    comparison = make_comparison(
        tmp_path, task="synthetic,crema_d", multitask=multitask
    )
    gains = {"synthetic": (0.1, 0.2, 0.3), "crema_d": (0.3, 0.2, 0.1)}

    def score(task, frontend, seed):
        return 0.5 + (gains[task][seed] if frontend == "leaf" else 0.0)

    finish(comparison, score)
    results = collect(comparison)
    assert len(comparison.runs) == (6 if multitask else 12)
    for task in gains:
        assert not by_frontend(results, task)["leaf"].difference.excludes_zero
    both = by_frontend(results, "mean of 2 tasks")["leaf"].difference
    assert both.mean == pytest.approx(0.2)
    assert both.margin == pytest.approx(0.0, abs=1e-12)
    models = ["synthetic, crema_d"] if multitask else ["synthetic", "crema_d"]
    assert list(dict.fromkeys(cost.model for cost in results.costs)) == models


def test_costs_are_means_over_the_runs(tmp_path):
    comparison = make_comparison(tmp_path)
    finish(comparison, lambda *_: 0.5, drift={"filters": 0.25, "root_change": None})
    cost = collect(comparison).costs[0]
    assert cost.parameters == {"frontend": 280, "total": 1000}
    assert cost.seconds.mean == 11.0
    assert cost.seconds.margin == pytest.approx(4.30265 / math.sqrt(3), rel=1e-5)
    assert cost.drift == {"filters": 0.25}


def test_several_labels_a_clip_are_judged_by_map(tmp_path):
    comparison = make_comparison(tmp_path)
    finish(comparison, lambda *_: 0.5)
    for run in comparison.runs:
        metrics = json.loads(run.folder.metrics.read_text())
        metrics["tasks"] = {"synthetic": {"mAP": 0.25, "auc": 0.9, "loss": 1.0}}
        run.folder.metrics.write_text(json.dumps(metrics))
    score = by_frontend(collect(comparison))["mel"]
    assert (score.metric, score.estimate.mean) == ("mAP", 0.25)


def test_no_run_and_a_damaged_one(tmp_path):
    comparison = make_comparison(tmp_path)
    with pytest.raises(UserError, match="no run in .* is finished yet"):
        collect(comparison)
    finish(comparison, lambda *_: 0.5)
    comparison.runs[2].folder.metrics.write_text("{")
    with pytest.raises(UserError, match="cannot read the metrics in .*seed1.*remove"):
        collect(comparison)
