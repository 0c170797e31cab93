import json
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from leaf_files import command_line
from leaf_files.decisions import Decisions
from leaf_files.errors import UserError
from tests.training.runs import flat, write_noises
from training.__main__ import dispatch
from training.evaluation.clips import ClipPredictions
from training.evaluation.evaluating import evaluate
from training.fit.quantizing import quantize
from training.fit.rounding import KeepClosest, Rounding
from training.run.folder import RunFolder
from training.run.models import load_classifier, parts

FEW = {"epochs": 2, "steps_per_epoch": 4, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def quantized(finished, tmp_path_factory):
    path = tmp_path_factory.mktemp("quantized") / "run"
    return SimpleNamespace(path=path, metrics=quantize(finished.path, path, **FEW))


def test_the_new_run_is_one_like_any_other(quantized, finished, capsys):
    run = RunFolder(quantized.path)
    assert json.loads(run.metrics.read_text()) == quantized.metrics
    assert run.labels.read_text() == RunFolder(finished.path).labels.read_text()
    for clips in (run.evaluation_clips, run.calibration_clips):
        assert list(clips.glob("*.flac"))
    [evaluation] = evaluate(quantized.path)
    expected = flat(quantized.metrics["tasks"][finished.config.task])
    assert flat(evaluation.scores) == pytest.approx(expected)
    assert "note" not in capsys.readouterr().err  # on files or clips that changed
    config = json.loads(run.config.read_text())
    assert config["epochs"] == 2 and config["seed"] == finished.config.seed
    model, original = (
        keras.models.load_model(RunFolder(p).model)
        for p in (quantized.path, finished.path)
    )
    assert [w.path for w in model.weights] == [w.path for w in original.weights]
    assert not model.compiled


def test_it_says_how_far_from_the_run_it_is(quantized, finished):
    told = quantized.metrics["quantization"]
    assert told["run"] == str(finished.path)
    original = finished.metrics["tasks"][finished.config.task]
    assert told["original"]["loss"] == pytest.approx(original["loss"])
    for when in ("before", "after"):
        # The head alone is rounded, and its values: by about a hundredth of these.
        assert 0 < told[when]["difference"] < 0.2
        assert told[when]["answered_otherwise"] == 0
    report = RunFolder(quantized.path).report.read_text()
    assert told["weight_bits"] == 8 and "weights to 8 bits" in report
    assert "Of 4 test clips the rounded model answers 0 otherwise" in report


def test_the_closest_epoch_is_kept_or_none():
    """Logits of the original are 0; those before, and after each epoch, are given."""

    def kept(*logits):
        state = SimpleNamespace(weights=0)
        model = SimpleNamespace(
            get_weights=lambda: state.weights,
            set_weights=lambda weights: setattr(state, "weights", weights),
        )
        given = iter(logits)
        evaluator = SimpleNamespace(
            predict=lambda model, doing: ClipPredictions(
                np.full((3, 2), next(given)), np.zeros(3, int)
            )
        )
        original = ClipPredictions(np.zeros((3, 2)), np.zeros(3, int))
        keeper = KeepClosest(SimpleNamespace(model=model), evaluator, original)
        keeper.on_train_begin()
        for state.weights in range(1, len(logits)):
            keeper.on_epoch_end(state.weights - 1, {"loss": 1.0})
        keeper.on_train_end()
        return state.weights, keeper.best_epoch

    assert kept(0.5, -0.4, 0.1, -0.2) == (2, 2)
    assert kept(0.1, 0.4, -0.3) == (0, 0)
    with pytest.raises(UserError, match="diverged in epoch 1; try a lower --learning-"):
        kept(0.1, np.nan)


def test_what_is_learned_are_the_logits_of_the_run(finished):
    """Where nothing is lost, nothing moves; else it is learned back."""
    run = RunFolder(finished.path)
    heads = run.read_heads()
    model, original = (load_classifier(run.model, heads) for _ in range(2))
    rounding = Rounding(model, original)
    waveform = np.random.default_rng(0).uniform(-1, 1, (4, 2000)).astype("float32")
    exact = rounding._difference(waveform, training=True).numpy()
    assert np.abs(exact).max() < 0.05
    model.get_layer("logits").bias.assign([3.0, -1.0])
    bias = original.get_layer("logits").bias.numpy()
    moved = rounding._difference(waveform, training=True).numpy()
    np.testing.assert_allclose(moved, [[3, -1] - bias] * 4, atol=0.1)
    trainable = {w.path for w in rounding._difference.trainable_weights}
    assert trainable == {"logits/kernel", "logits/bias"}


@pytest.fixture
def refused(capsys, tmp_path):
    """refused(run): what is answered, in one line; nothing is written."""

    def run(run, *options, output=tmp_path / "new"):
        capsys.readouterr()
        argv = ("quantize", run, "--output", output, *options)
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


def test_what_cannot_be_quantized(finished, refused, tmp_path):
    assert "holds no finished run" in refused(tmp_path / "none")
    assert "holds a finished run already" in refused(
        finished.path, output=finished.path
    )
    assert "at least 1. Received: 0" in refused(finished.path, "--epochs", 0)
    run = shutil.copytree(finished.path, tmp_path / "recurrent")
    model = keras.models.load_model(run / "model.keras")
    encoder = parts(model)["encoder"]
    features = keras.Input(encoder.input_shape[1:])
    outputs = keras.layers.GRU(8, name="gru")(features)
    waveform = keras.Input((None,))
    other = keras.Model(features, outputs, name="listener")
    outputs = other(model.get_layer("frontend")(waveform))
    outputs = keras.layers.Dense(2, name="logits")(outputs)
    keras.Model(waveform, outputs).save(run / "model.keras")
    error = refused(run)
    assert "the encoder listener can't be trained to bear rounding" in error
    assert "Received: a GRU, gru" in error


def test_several_heads_are_refused(finished, refused, tmp_path):
    run = shutil.copytree(finished.path, tmp_path / "two")
    tasks = json.loads((run / "tasks.json").read_text())
    [head] = tasks["tasks"]
    tasks["tasks"].append({**head, "task": "folder:/other", "head": "other"})
    tasks["tasks"][1]["name"] = "other"
    (run / "tasks.json").write_text(json.dumps(tasks))
    (run / "labels.txt").unlink()
    assert "has 2 heads" in refused(run)


def test_clips_that_changed_are_refused(finished, noises, refused, tmp_path):
    clips = shutil.copytree(noises, tmp_path / "clips")
    run = shutil.copytree(finished.path, tmp_path / "run")
    for name in ("config.json", "tasks.json", "data.json"):
        text = (run / name).read_text()
        (run / name).write_text(text.replace(str(noises), str(clips)))
    write_noises(clips, n_clips=3, seed=5)
    error = refused(run)
    assert "changed since" in error and "bring the data back as it was" in error


def test_thresholds_are_dropped_where_the_model_moved(
    finished, tmp_path, capsys, monkeypatch
):
    run = RunFolder(shutil.copytree(finished.path, tmp_path / "run"))
    heads = run.read_heads()
    run.write_decisions(heads, [Decisions(1.5, thresholds={"high": 0.9})])
    monkeypatch.setattr("training.fit.finishing.draw_reliability", lambda *_: None)
    monkeypatch.setattr("training.fit.finishing.figures.save_figures", lambda *_: None)
    for differences in ((1.0, 2.0), (1.0, 0.5)):
        of_epochs = iter(differences)
        monkeypatch.setattr(
            "training.fit.rounding.difference", lambda *_, n=of_epochs: next(n)
        )
        path = tmp_path / f"new {differences}"
        quantize(run.path, path, epochs=1, steps_per_epoch=1)
        [decisions] = RunFolder(path).read_decisions(heads)
        is_closer = differences[1] < differences[0]
        assert dict(decisions.thresholds) == ({} if is_closer else {"high": 0.9})
        dropped = "thresholds of the old run are dropped" in capsys.readouterr().out
        assert dropped == is_closer


def test_the_command_has_defaults_of_its_own(finished, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "training.fit.quantizing.quantize", lambda *args, **kwargs: asked.append(kwargs)
    )
    command = ["quantize", str(finished.path), "--output", str(tmp_path / "new")]
    dispatch(command)
    dispatch([*command, "--weight-bits", "4", "--epochs", "9"])
    few, more = asked
    assert few["weight_bits"] == 8 and few["learning_rate"] == 1e-4
    assert (few["epochs"], few["steps_per_epoch"]) == (5, 50)
    assert (more["weight_bits"], more["epochs"]) == (4, 9)
