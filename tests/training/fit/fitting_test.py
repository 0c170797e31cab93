import csv
import dataclasses
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from leaf_files.clips import read_clip
from leaf_files.errors import UserError
from leaf_files.run_folder import Head
from leaf_files.windows import cut_windows
from leaf_tf import visualize
from tests.training.runs import small_config, write_noises
from training.evaluation import figures
from training.evaluation.evaluating import evaluate
from training.fit.checks import check_heads
from training.fit.fitting import fit
from training.settings.config import FitConfig

FILES = {
    "config.json",
    "data.csv",
    "data.json",
    "decisions.json",
    "labels.txt",
    "tasks.json",
    "metrics.json",
    "history.csv",
    "model.keras",
    "predictions.csv",
    "report.md",
    "checkpoints/best.keras",
    "checkpoints/last.keras",
    "checkpoints/previous.keras",
    "evaluation_clips/clips.csv",
    "figures/class_scores.png",
    "figures/confusion_matrix.png",
    "figures/features.png",
    "figures/learning_curves.png",
    "figures/reliability.png",
}


def files(path):
    """The files of a run; clips and logs, whose names vary, by their folders."""
    return {
        str(file.relative_to(path))
        for file in path.rglob("*")
        if file.is_file() and file.suffix != ".flac" and "logs" not in file.parts
    }


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_run_holds_exactly_the_files_of_the_contract(finished):
    assert files(finished.path) == FILES
    assert len(list(finished.path.glob("evaluation_clips/*.flac"))) == 4
    for split in ("train", "validation"):
        [log] = (finished.path / "logs" / split).iterdir()
        assert log.name.startswith("events.out.tfevents")


def test_noises_are_told_apart(finished):
    """The optimum of a convex problem, whose losses are far below those of guessing."""
    assert finished.metrics["tasks"][finished.config.task]["loss"] < 0.1 * np.log(2)
    assert finished.metrics["tasks"][finished.config.task]["accuracy"] == 1.0


def test_metrics_are_what_fit_returned(finished):
    metrics = read_json(finished.path / "metrics.json")
    assert metrics == finished.metrics
    assert metrics["clips"] == {"train": 32, "validation": 4, "test": 4}
    assert metrics["tasks"][finished.config.task]["n_examples"] == 4
    model = keras.models.load_model(finished.path / "model.keras")
    assert metrics["parameters"] == {"frontend": 0, "total": model.count_params()}
    assert "filter_drift" not in metrics  # nothing of mel is learned


def test_settings_and_labels_are_saved(finished):
    assert FitConfig.read(finished.path / "config.json") == finished.config
    assert (finished.path / "labels.txt").read_text() == "high\nlow\n"


def test_history_has_a_row_per_epoch(finished):
    with open(finished.path / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    best = rows[finished.metrics["best_epoch"] - 1]
    assert float(best["val_accuracy"]) == max(float(r["val_accuracy"]) for r in rows)
    end = float(rows[-1]["learning_rate"])
    assert end < 1e-6 * finished.config.learning_rate


def test_evaluate_says_what_fit_said(finished):
    [evaluation] = evaluate(finished.path)
    assert evaluation.task == finished.config.task
    assert evaluation.head.labels == ("high", "low")
    said, predictions = (
        finished.metrics["tasks"][evaluation.task],
        evaluation.predictions,
    )
    assert predictions.accuracy == said["accuracy"]
    assert predictions.loss == pytest.approx(said["loss"], rel=1e-3)


def test_the_evaluation_clips_are_the_test_split(finished):
    """Whoever averages the model's logits over them finds the metrics."""
    model = keras.models.load_model(finished.path / "model.keras")
    losses = []
    with open(finished.path / "evaluation_clips" / "clips.csv", newline="") as file:
        for row in csv.DictReader(file):
            waveform, rate = read_clip(finished.path / "evaluation_clips" / row["file"])
            assert rate == finished.config.sample_rate
            windows = cut_windows(waveform, finished.config.window_samples)
            logits = np.mean(model(windows), axis=0, dtype=np.float64)
            label = ["high", "low"].index(row["label"])
            losses.append(np.log(np.exp(logits - logits[label]).sum()))
    said = finished.metrics["tasks"][finished.config.task]["loss"]
    assert np.mean(losses) == pytest.approx(said, rel=1e-3)


def test_the_calibration_clips_are_of_the_training_split(finished):
    def sounds(folder):
        return {file.read_bytes() for file in (finished.path / folder).glob("*.flac")}

    kept = sounds("calibration_clips")
    assert len(kept) == finished.metrics["clips"]["train"]
    assert kept.isdisjoint(sounds("evaluation_clips"))


def test_the_model_loads_with_leaf_tf_alone(finished, tmp_path):
    waveform = np.random.default_rng(0).uniform(-1, 1, (2, 3000)).astype(np.float32)
    np.save(tmp_path / "waveform.npy", waveform)
    code = (
        "import sys, numpy as np, keras, leaf_tf; "
        f"model = keras.models.load_model({str(finished.path / 'model.keras')!r}); "
        f"logits = model(np.load({str(tmp_path / 'waveform.npy')!r})); "
        f"np.save({str(tmp_path / 'logits.npy')!r}, np.asarray(logits)); "
        "assert 'training' not in sys.modules and 'leaf_files' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    model = keras.models.load_model(finished.path / "model.keras")
    np.testing.assert_allclose(
        np.load(tmp_path / "logits.npy"), model(waveform), rtol=1e-5, atol=1e-6
    )


def test_the_seed_gives_the_same_run_again(finished, no_figures, tmp_path):
    again = fit(finished.config, tmp_path / "again")
    assert again["tasks"] == finished.metrics["tasks"]
    assert again["best_epoch"] == finished.metrics["best_epoch"]
    other = fit(dataclasses.replace(finished.config, seed=1), tmp_path / "other")
    assert other["tasks"] != finished.metrics["tasks"]


def test_all_of_leaf_learns_and_its_filters_are_drawn(noises, pooling, tmp_path):
    config = small_config(
        noises, frontend="leaf", encoder=pooling, epochs=2, steps_per_epoch=2
    )
    metrics = fit(config, tmp_path / "run")
    assert metrics["parameters"]["frontend"] == 7 * 8
    drawn = (
        "filter_responses",
        "filters",
        "pooling_widths",
        "pcen_parameters",
        "drift",
    )
    assert files(tmp_path / "run") == FILES | {f"figures/{name}.png" for name in drawn}
    drift = metrics["filter_drift"]
    assert 0.0 < drift["filters"] < 1.0 and drift["center_shift_hz"] > 0.0
    frontend = keras.models.load_model(tmp_path / "run" / "model.keras").layers[1]
    untrained = visualize.untrained(frontend)
    assert drift == dataclasses.asdict(visualize.drift(frontend, untrained))
    for weight, start in zip(frontend.trainable_weights, untrained.trainable_weights):
        assert np.all(np.isfinite(weight)) and np.any(weight != start), weight.path


def test_a_batch_larger_than_the_data_and_a_window_longer_than_any_clip(
    pooling, no_figures, tmp_path
):
    folder = write_noises(tmp_path / "clips", n_clips=3)
    longer = {"window_seconds": 3.0, "steps_per_epoch": None, "epochs": 1}
    config = small_config(folder, encoder=pooling, batch_size=50, **longer)
    metrics = fit(config, tmp_path / "run")
    assert metrics["clips"] == {"train": 2, "validation": 2, "test": 2}
    assert np.isfinite(metrics["tasks"][config.task]["loss"])


def test_an_unfinished_run_starts_anew(noises, pooling, tmp_path, monkeypatch):
    run = tmp_path / "run"

    def stop(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("training.fit.fitting.without_optimizer", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(small_config(noises, encoder=pooling, epochs=2), run)
    assert not (run / "metrics.json").exists()
    assert keras.models.load_model(run / "checkpoints" / "best.keras")
    (run / "figures").mkdir()
    (run / "figures" / "filters.png").touch()
    (run / "model.keras").touch()
    fit(small_config(noises, encoder=pooling, epochs=1), run)
    assert files(run) == FILES - {"checkpoints/previous.keras"}  # of one epoch
    assert len((run / "history.csv").read_text().splitlines()) == 2
    assert len(list((run / "logs" / "train").iterdir())) == 1


def test_a_failure_to_draw_loses_no_result(noises, pooling, tmp_path, monkeypatch):
    def fail(*args):
        raise RuntimeError("no ink")

    monkeypatch.setattr(figures, "draw_run", fail)
    run = tmp_path / "run"
    config = small_config(noises, encoder=pooling, epochs=1)
    with pytest.raises(RuntimeError, match="no ink"):
        fit(config, run)
    said = read_json(run / "metrics.json")["tasks"][config.task]
    assert evaluate(run)[0].predictions.loss == pytest.approx(said["loss"], abs=1e-5)


def test_divergence_is_one_line_and_no_metrics(noises, pooling, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(UserError, match="training diverged: .*--learning-rate"):
        fit(small_config(noises, encoder=pooling, learning_rate=1e38), run)
    assert not (run / "metrics.json").exists()
    assert not (run / "model.keras").exists()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"sample_rate": 100}, "the frontend mel can't be made with 8 filters at 100"),
        ({"task": "digits"}, "there is no task 'digits'"),
    ],
)
def test_what_cannot_start_writes_nothing(noises, tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        fit(small_config(noises, **settings), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_run_among_the_clips_is_refused(tmp_path):
    folder = write_noises(tmp_path / "clips", n_clips=3)
    for output in (folder, folder / "run", folder / "high" / ".." / "run"):
        with pytest.raises(UserError, match="would be taken for a class|no run's"):
            fit(small_config(folder), output)
    assert {path.name for path in folder.iterdir()} == {"high", "low"}


def test_a_class_name_of_two_lines_is_refused(tmp_path):
    folder = write_noises(tmp_path / "clips", n_clips=3)
    (folder / "low").rename(folder / "lo\nw")
    with pytest.raises(UserError, match=r"rename them: 1 with .* line breaks"):
        fit(small_config(folder), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "labels, activation, fault",
    [
        (("high", "lo\nw"), "softmax", "names of classes of t can't be labels: 1 with"),
        (("high", "high"), "softmax", r"labels: 1 given more than once \('high'\)"),
        (("a|b", "c"), "sigmoid", r"the name of class 'a\|b' has a '\|'"),
    ],
)
def test_labels_of_any_task_that_cannot_be_written_down(labels, activation, fault):
    head = Head("t", "t", labels, activation)
    with pytest.raises(UserError, match=fault):
        check_heads([head], FitConfig("t"))


def test_a_batch_that_does_not_fit_into_memory_is_one_line(
    noises, tmp_path, monkeypatch
):
    def fit_model(*args, **kwargs):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr(keras.Model, "fit", fit_model)
    with pytest.raises(UserError, match="not enough memory for 8 windows of 0.25 s"):
        fit(small_config(noises), tmp_path / "run")
