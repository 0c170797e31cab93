import pytest

from leaf_files.errors import UserError
from tests.training.comparison.made import finish, make_comparison
from training.comparison.plan import display_name
from training.comparison.results import collect


def test_runs_differ_in_task_frontend_and_seed_alone(tmp_path):
    comparison = make_comparison(
        tmp_path, task="folder:/a/birds,synthetic", n_seeds=2, seed=7, epochs=3
    )
    found = [(r.config.task, r.config.frontend, r.config.seed) for r in comparison.runs]
    assert found[:4] == [
        *(("folder:/a/birds", name, 7) for name in ("mel", "leaf")),
        *(("synthetic", name, 7) for name in ("mel", "leaf")),
    ]
    assert [seed for *_, seed in found] == [7] * 4 + [8] * 4
    assert {run.config.epochs for run in comparison.runs} == {3}
    paths = {run.folder.path for run in comparison.runs}
    assert len(paths) == 8
    assert tmp_path / "comparison/runs/birds/leaf/seed8" in paths


def test_settings_of_a_frontend_are_part_of_its_name(tmp_path):
    names = ("leaf", "leaf:compression=log")
    comparison = make_comparison(tmp_path, frontends=names, n_seeds=1)
    finish(comparison, lambda *_: 0.5)
    comparison.require_ready()
    assert [str(run) for run in comparison.runs] == [
        "synthetic, leaf, seed 0",
        "synthetic, leaf:compression=log, seed 0",
    ]
    scores = collect(comparison).scores
    assert [score.frontend for score in scores] == [*names]


def test_numbers_of_filters_are_compared(tmp_path):
    names = ("mel", "leaf:compression=log:n_filters=8")
    comparison = make_comparison(tmp_path, frontends=names, n_seeds=1, n_filters=24)
    few = comparison.runs[1].config
    assert [run.config.n_filters for run in comparison.runs] == [24, 8]
    assert (few.frontend, few.frontend_settings) == ("leaf", {"compression": "log"})
    assert comparison.runs[1].folder.path.parent.name == (
        "leaf-compression-log-n_filters-8"
    )
    # Models of other settings than the usual ones are tried before a training.
    assert comparison.frontend_configs == [few]
    finish(comparison, lambda *_: 0.5)
    comparison.require_ready()
    assert [score.frontend for score in collect(comparison).scores] == [*names]


def test_one_model_of_all_tasks(tmp_path):
    comparison = make_comparison(
        tmp_path, task="synthetic,crema_d", n_seeds=1, multitask=True
    )
    assert [run.config.task for run in comparison.runs] == ["synthetic,crema_d"] * 2


def test_tasks_are_named_without_the_folders_above():
    assert display_name("folder:/data/my/birds") == "folder:birds"
    assert display_name("spoken_digit@speaker") == "spoken_digit@speaker"


def test_it_goes_on_with_its_own_runs_only(tmp_path):
    comparison = make_comparison(tmp_path, epochs=3)
    comparison.require_ready()
    finish(comparison, lambda *_: 0.5)
    comparison.require_ready()
    make_comparison(tmp_path, n_seeds=9, epochs=3, data_dir="/moved").require_ready()
    with pytest.raises(
        UserError, match=r"seed0 was started with epochs 3 \(received: 4\)"
    ):
        make_comparison(tmp_path, epochs=4).require_ready()


def test_a_folder_of_others_is_left_alone(tmp_path):
    comparison = make_comparison(tmp_path)
    comparison.output.mkdir()
    (comparison.output / "thesis.md").write_text("")
    with pytest.raises(UserError, match="holds files that are no comparison's"):
        comparison.require_ready()
