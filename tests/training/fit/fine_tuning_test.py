"""`fit --from RUN`: frontend and encoder of a finished run, with a new head."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest

from leaf_files import command_line
from leaf_files.run_folder import Head
from tests.training.fit.resume_test import CutAfter, CutOff
from tests.training.runs import make_head, small_config
from training.__main__ import dispatch
from training.fit.fitting import fit
from training.run.data_record import DataRecord, TaskRecord
from training.run.folder import RunFolder
from training.run.models import (
    build_classifier,
    freeze,
    load_classifier,
    start_from,
)
from training.settings.config import FitConfig
from training.tasks.own.folder import FolderTask

# Of another task than those that follow.
HEADS = (make_head(3, "birds"),)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """An encoder with weights, statistics and numbers to draw, and cheap."""
    path = tmp_path_factory.mktemp("encoders") / "light.keras"
    features = keras.Input((None, 8))
    outputs = keras.layers.Conv1D(8, 3, padding="same", use_bias=False)(features)
    outputs = keras.layers.BatchNormalization(momentum=0.5)(outputs)
    outputs = keras.layers.GlobalAveragePooling1D()(keras.layers.ReLU()(outputs))
    keras.Model(features, keras.layers.Dropout(0.3)(outputs)).save(path)
    return str(path)


@pytest.fixture(scope="module")
def parent(noises, encoder, tmp_path_factory):
    """A run as if it had been trained: all its weights moved."""
    run = RunFolder(tmp_path_factory.mktemp("parents") / "run")
    own = {"min_freq": 50}
    config = small_config(
        noises, frontend="mel_pcen", frontend_settings=own, encoder=encoder
    )
    run.path.mkdir()
    run.config.write_text(json.dumps(config.to_dict()))
    run.write_heads(HEADS)
    model = build_classifier(config, HEADS)
    model.set_weights([1.1 * weight + 0.01 for weight in model.get_weights()])
    model.save(run.model)
    return run


def child_config(noises, parent, **settings):
    config = FitConfig.read(parent.config)
    few = {"epochs": 2, "steps_per_epoch": 3, "checkpoint_steps": 2}
    own = {"task": f"folder:{noises}", "from_run": str(parent.path)}
    return dataclasses.replace(config, **{**own, **few, **settings})


def parts(path, heads):
    """The weights of frontend and encoder, statistics as well."""
    _, frontend, encoder, _ = load_classifier(path, heads).layers
    return {"frontend": frontend.get_weights(), "encoder": encoder.get_weights()}


def is_same(weights, others):
    return all(map(np.array_equal, weights, others))


@pytest.mark.parametrize("frozen", ["frontend", "encoder", "frontend,encoder"])
def test_frozen_parts_stay_and_so_do_their_statistics(frozen):
    """Of this frontend and this encoder both have some."""
    model = build_classifier(small_config("t", frontend="efficient_leaf"), HEADS)
    freeze(model, frozen)
    learning = {id(weight) for weight in model.trainable_weights}
    _, *layers = model.layers
    before = [layer.get_weights() for layer in layers]
    waveform = np.random.default_rng(0).uniform(-1, 1, (4, 2000)).astype("float32")
    model(waveform, training=True)
    for layer, weights, name in zip(layers, before, ("frontend", "encoder", "head")):
        is_free = name not in frozen
        assert any(id(weight) in learning for weight in layer.weights) == is_free
        if name != "head":
            assert is_same(layer.get_weights(), weights) != is_free


def test_a_model_starts_with_all_but_the_head_of_the_other(noises, parent):
    heads = (make_head(4, "a"), make_head(2, "b", "sigmoid"))
    model = build_classifier(child_config(noises, parent, task="a,b"), heads)
    start_from(model, parent)
    source = load_classifier(parent.model, HEADS)
    waveform = np.random.default_rng(0).uniform(-1, 1, (2, 3000)).astype("float32")
    embeddings = [m.layers[2](m.layers[1](waveform)) for m in (model, source)]
    np.testing.assert_allclose(*embeddings, rtol=1e-6, atol=1e-7)
    outputs = {name: logits.shape[1] for name, logits in model.output.items()}
    assert outputs == {"a": 4, "b": 2}


@pytest.fixture(scope="module")
def child(noises, parent, tmp_path_factory):
    """A run of two classes that started from that of three, its frontend frozen."""
    path = tmp_path_factory.mktemp("children") / "run"
    config = child_config(noises, parent, freeze="frontend")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.evaluation.figures.draw_run", lambda *args: None)
        fit(config, path)
    return RunFolder(path)


def test_a_run_learns_what_is_not_frozen(parent, child):
    before = parts(parent.model, HEADS)
    after = parts(child.model, child.read_heads())
    assert is_same(before["frontend"], after["frontend"])
    assert not is_same(before["encoder"], after["encoder"])


def test_a_run_says_what_it_started_from(parent, child):
    config = FitConfig.read(child.config)
    assert (config.from_run, config.freeze) == (str(parent.path), "frontend")
    assert DataRecord.read(child).started_from == {
        "run": str(parent.path),
        "model": parent.file_marks()["model.keras"],
    }


def test_it_goes_on_without_the_run_it_started_from(
    noises, parent, child, no_figures, tmp_path, monkeypatch
):
    gone, path = shutil.copytree(parent.path, tmp_path / "gone"), tmp_path / "run"
    config = dataclasses.replace(FitConfig.read(child.config), from_run=str(gone))
    original = keras.Model.fit

    def cut(model, *args, callbacks, **kwargs):
        return original(model, *args, callbacks=[*callbacks, CutAfter(4)], **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "fit", cut)
        with pytest.raises(CutOff):
            fit(config, path)
    shutil.rmtree(gone)
    fit(config, path, resume=True)
    models = [
        load_classifier(r.model, r.read_heads()) for r in (RunFolder(path), child)
    ]
    weights = [model.get_weights() for model in models]
    for weight, expected in zip(*weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5)
    assert DataRecord.read(RunFolder(path)).started_from["run"] == str(gone)


def test_clips_that_the_other_run_was_trained_on_are_counted(
    noises, parent, no_figures, tmp_path, capsys
):
    """Its split is of another seed, so that its training clips are among the tested."""
    old = RunFolder(shutil.copytree(parent.path, tmp_path / "old"))
    splits = FolderTask(noises).load(seed=1).splits
    head = Head(f"folder:{noises}", "birds", ("high", "low"))
    DataRecord((TaskRecord.of(head, splits),)).write(old)
    config = child_config(noises, old, epochs=1, steps_per_epoch=1)
    fit(config, tmp_path / "run")
    said = capsys.readouterr().out
    assert f"note: of these 4 test clips {old.path} trained on" in said
    record = DataRecord.read(RunFolder(tmp_path / "run"))
    assert [task.head for task in record.before] == ["birds, before 1"]
    assert record.before[0].splits == TaskRecord.of(head, splits).splits


def refusal(*argv, capsys):
    code = command_line.run(dispatch, ["fit", *map(str, argv)], prog="fit")
    printed = capsys.readouterr()
    assert code == 1 and printed.out == "" and printed.err.count("\n") == 1
    return printed.err


def test_settings_of_the_model_are_those_of_the_other_run(parent):
    from training.commands.arguments import fit_config, make_parser

    words = ["fit", "--task", "t", "--output", "o", "--from", str(parent.path)]
    config = fit_config(make_parser().parse_args(words))
    expected = FitConfig.read(parent.config)
    model = ("frontend", "frontend_settings", "encoder", "n_filters", "sample_rate")
    for name in (*model, "window_seconds"):
        assert (
            getattr(config, name)
            == getattr(expected, name)
            != getattr(FitConfig("t"), name)
        )
    assert config.learning_rate == FitConfig("t").learning_rate
    words += ["--window-seconds", "0.5", "--freeze", "encoder,frontend"]
    config = fit_config(make_parser().parse_args(words))
    assert (config.window_seconds, config.freeze) == (0.5, "frontend,encoder")


@pytest.mark.parametrize(
    "argv, message",
    [
        (["--sample-rate", 16000], "has sample_rate 8000 (received: 16000); leave"),
        (["--frontend", "leaf"], "has frontend mel_pcen (received: leaf), frontend_s"),
        (
            ["--set", "frontend.min_freq=60"],
            "has frontend_settings {'min_freq': 50} (received: {'min_freq': 60}); lea",
        ),
        (
            ["--from", "nowhere"],
            "nowhere holds no finished run: config.json is missing",
        ),
    ],
)
def test_what_contradicts_is_one_line(argv, message, parent, tmp_path, capsys):
    words = ("--task", "synthetic", "--output", tmp_path / "r", "--from", parent.path)
    assert message in refusal(*words, *argv, capsys=capsys)
    assert not (tmp_path / "r").exists()


def test_a_damaged_run_is_one_line(noises, parent, tmp_path, capsys):
    damaged = shutil.copytree(parent.path, tmp_path / "damaged")
    words = ["--task", f"folder:{noises}", "--output", tmp_path / "r"]
    model = damaged / "model.keras"
    model.write_bytes(model.read_bytes()[:999])
    words += ["--from", damaged]
    code = command_line.run(dispatch, ["fit", *map(str, words)], prog="fit")
    assert code == 1
    assert "model.keras is damaged" in capsys.readouterr().err
    (damaged / "tasks.json").write_text("{}")
    assert "cannot read the tasks in" in refusal(*words, capsys=capsys)


def test_an_encoder_that_learned_nothing_is_not_frozen():
    with pytest.raises(
        ValueError, match="`freeze` can't be encoder: the encoder small"
    ):
        FitConfig("t", freeze="encoder")
    FitConfig("t", freeze="encoder", encoder="own.keras")
    FitConfig("t", freeze="frontend")
