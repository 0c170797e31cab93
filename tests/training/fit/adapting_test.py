import dataclasses
import json
import re
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from leaf_files import command_line
from leaf_files.errors import UserError
from leaf_tf import visualize
from tests.training.runs import flat, make_head, small_config, write_noises
from training.__main__ import dispatch
from training.evaluation import figures
from training.evaluation.evaluating import evaluate
from training.fit.adapting import _freeze_all_but_compression, _KeepBest, adapt
from training.fit.fitting import fit
from training.run.folder import RunFolder
from training.run.models import FRONTENDS, build_classifier

PCEN = {"alpha", "delta", "root", "smooth_coef"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_noises(tmp_path_factory.mktemp("clips") / "heard", n_clips=30)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """More clips of the same classes."""
    folder = tmp_path_factory.mktemp("clips") / "others"
    return write_noises(folder, n_clips=30, seed=1)


@pytest.fixture(scope="module")
def detuned(clips, pooling, tmp_path_factory):
    """A run that knows its task, but for a PCEN that normalises next to nothing."""
    path = tmp_path_factory.mktemp("detuned") / "run"
    settings = {"encoder": pooling, "learning_rate": 5e-2, "epochs": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "draw_run", lambda *args: None)
        fit(small_config(clips, frontend="mel_pcen", **settings), path)
    model = keras.models.load_model(path / "model.keras")
    pcen = model.get_layer("frontend").compressing
    pcen.alpha.assign(0.1 * np.ones(8))
    model.save(path / "model.keras")
    return path


@pytest.fixture(scope="module")
def adapted(detuned, others, tmp_path_factory):
    path = tmp_path_factory.mktemp("adapted") / "run"
    metrics = adapt(detuned, f"folder:{others}", path, epochs=4, learning_rate=0.1)
    return SimpleNamespace(path=path, metrics=metrics)


def weights(path):
    model = keras.models.load_model(path / "model.keras")
    return {w.path: np.asarray(w) for w in model.weights}


def test_it_helps_on_clips_that_it_never_heard(adapted, clips, others):
    told = adapted.metrics["adaptation"]
    tasks = {f"folder:{others}", f"folder:{clips}"}
    assert told["before"].keys() == told["after"].keys() == tasks
    for task in tasks:
        assert told["after"][task]["loss"] < told["before"][task]["loss"]
    # Seen with three other seeds: from 0.4 and more to 2e-4 and less.
    before, after = (told[when][f"folder:{others}"] for when in ("before", "after"))
    assert after["accuracy"] == 1.0 and after["loss"] < 0.2 * before["loss"]
    assert adapted.metrics["best_epoch"] > 0


def test_nothing_but_pcen_moved(adapted, detuned):
    before, after = weights(detuned), weights(adapted.path)
    assert before.keys() == after.keys()
    moved = {path for path in before if (before[path] != after[path]).any()}
    assert {path.rsplit("/")[-1] for path in moved} == PCEN
    assert all("frontend" in path for path in moved)
    drift = adapted.metrics["adaptation"]["drift"]
    assert drift["alpha_change"] > 0 and drift["filters"] is None


def test_the_new_run_is_one_like_any_other(adapted, detuned, clips, others, capsys):
    run = RunFolder(adapted.path)
    assert json.loads(run.metrics.read_text()) == adapted.metrics
    assert run.labels.read_text() == "high\nlow\n"
    assert len(list(run.evaluation_clips.glob("*.flac"))) == 6
    links = re.findall(r"\]\((figures/\w+\.png)\)", run.report.read_text())
    assert len(links) == 3 and all((run.path / link).is_file() for link in links)
    assert list(run.calibration_clips.glob("*.flac"))
    for task in (None, f"folder:{others}"):
        [evaluation] = evaluate(adapted.path, task)
        expected = flat(adapted.metrics["tasks"][f"folder:{others}"])
        assert flat(evaluation.scores) == pytest.approx(expected)
    assert not dispatch(["plot", str(adapted.path)])
    model = keras.models.load_model(run.model)
    original = keras.models.load_model(RunFolder(detuned).model)
    assert not model.compiled
    assert [layer.trainable for layer in model.layers] == [
        layer.trainable for layer in original.layers
    ]


def test_the_best_epoch_is_kept_or_none():
    """Accuracies of a model before, and after each epoch."""

    def kept(*accuracies):
        compression = SimpleNamespace(get_weights=lambda: [weight])
        metrics = iter(accuracies)
        evaluator = SimpleNamespace(
            predict=lambda model, doing: SimpleNamespace(
                metrics={"accuracy": next(metrics), "n_examples": 1},
                judged_by="accuracy",
                loss=1.0,
            )
        )
        weight = 0
        saver = _KeepBest(compression, evaluator, None)
        saver.set_model(None)
        saver.on_train_begin()
        for weight in range(1, len(accuracies)):  # noqa: B007  (read by get_weights)
            saver.on_epoch_end(weight - 1, {"loss": 1.0})
        return saver.best, saver.best_epoch

    assert kept(0.5, 0.7, 0.9, 0.8) == ([2], 2)
    assert kept(0.5, 0.4, 0.5) == ([0], 0)


def test_what_was_learned_may_lie_elsewhere(
    detuned, others, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(visualize, "figures", lambda *args: {})
    run = shutil.copytree(detuned, tmp_path / "run")
    heads = json.loads((run / "tasks.json").read_text())
    heads["tasks"][0]["task"] = "folder:/gone"
    (run / "tasks.json").write_text(json.dumps(heads))
    metrics = adapt(run, f"folder:{others}", tmp_path / "new", epochs=1)
    assert list(metrics["adaptation"]["before"]) == [f"folder:{others}"]
    assert "not tested on folder:/gone: there is no folder" in capsys.readouterr().out


@pytest.fixture
def refused(capsys, tmp_path):
    """refused(run, task): what is answered, in one line; nothing is written."""

    def run(run, task, *options):
        capsys.readouterr()
        argv = ("adapt", run, "--task", task, "--output", tmp_path / "new", *options)
        try:
            code = command_line.run(dispatch, [*map(str, argv)], "python -m training")
        except SystemExit as error:
            code = error.code
        assert code in (1, 2)
        assert not (tmp_path / "new").exists()
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    return run


def test_what_cannot_be_adapted(finished, detuned, others, refused, tmp_path):
    task = f"folder:{others}"
    assert "holds no finished run" in refused(tmp_path / "none", task)
    error = refused(finished.path, task)
    assert "the frontend mel learns nothing" in error and "such as leaf" in error
    assert "there is no folder /nowhere" in refused(detuned, "folder:/nowhere")
    assert "at least 1. Received: 0" in refused(detuned, task, "--epochs", 0)
    deep = shutil.copytree(others, tmp_path / "deep")
    (deep / "low").rename(deep / "deep")
    assert "doesn't know: deep; it knows high, low" in refused(
        detuned, f"folder:{deep}"
    )


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_of_any_frontend_the_compression_alone_is_adapted(frontend, pooling):
    config = small_config("clips", frontend=frontend, encoder=pooling)
    model = build_classifier(config, (make_head(2),))
    learned = {w.path for w in model.trainable_weights}
    if frontend in ("tfbanks", "sincnet", "wavegram", "mel"):
        with pytest.raises(UserError, match=f"of the frontend {frontend} learns noth"):
            _freeze_all_but_compression(model, config)
        return
    compression = _freeze_all_but_compression(model, config)
    kept = {w.path for w in model.trainable_weights}
    assert kept == {w.path for w in compression.trainable_weights}
    names = {path.rsplit("/")[-1] for path in kept}
    if frontend == "efficient_leaf":
        assert names == {"a", "gamma", "beta"}
    else:
        assert PCEN - {"smooth_coef"} <= names <= PCEN
    # A PCEN that was fixed learns now, at the latest.
    assert kept <= learned or frontend == "leaf_fixed_pcen"


def test_a_run_is_no_class_of_the_clips(detuned, others):
    with pytest.raises(UserError, match="would be taken for a class"):
        adapt(detuned, f"folder:{others}", others / "run")


@pytest.mark.slow
def test_one_task_of_several(clips, others, tmp_path):
    """The head that knows the classes is asked; the other one stays a task."""
    renamed = write_noises(tmp_path / "renamed", n_clips=10)
    for label in ("high", "low"):
        (renamed / label).rename(renamed / f"very {label}")
    config = small_config(clips, frontend="mel_pcen", n_filters=8)
    config = dataclasses.replace(config, task=f"folder:{renamed},folder:{clips}")
    fit(config, tmp_path / "run")
    metrics = adapt(tmp_path / "run", f"folder:{others}", tmp_path / "new", epochs=2)
    assert list(metrics["tasks"]) == [f"folder:{renamed}", f"folder:{others}"]
    assert len(metrics["adaptation"]["after"]) == 3
    evaluations = {e.task: e for e in evaluate(tmp_path / "new")}
    for task, found in metrics["tasks"].items():
        assert flat(evaluations[task].scores) == pytest.approx(flat(found))
    for head in ("renamed", "heard"):
        assert (tmp_path / "new" / "evaluation_clips" / head / "clips.csv").exists()
