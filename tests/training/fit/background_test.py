"""Runs with a background: what resume, evaluate and others know of it."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.decisions import NONE_OF_THESE, Decisions
from leaf_files.errors import UserError
from tests.training.runs import small_config, write_noises
from training.__main__ import dispatch
from training.evaluation.evaluating import as_metrics, evaluate
from training.fit.fitting import fit
from training.run.data_record import DataRecord, OtherDataError
from training.run.folder import RunFolder
from training.settings.config import FitConfig


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """4 recordings of clicks."""
    folder = tmp_path_factory.mktemp("street")
    random = np.random.default_rng(5)
    for n in range(4):
        clicks = (random.uniform(size=24000) > 0.99) * random.uniform(-0.5, 0.5, 24000)
        write_clip(folder / f"{n}.wav", clicks, 8000)
    return folder


@pytest.fixture(scope="module")
def run(noises, street, pooling, tmp_path_factory):
    """A run with a background of noise and of `street`."""
    config = small_config(
        noises, encoder=pooling, epochs=1, background=f"synthetic,{street}"
    )
    path = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.evaluation.figures.draw_run", lambda *args: None)
        patch.setattr("training.fit.fitting.draw_reliability", lambda *args: None)
        metrics = fit(config, path)
    return SimpleNamespace(path=path, config=config, metrics=metrics)


def test_a_run_has_the_class(run, noises):
    folder = RunFolder(run.path)
    [head] = folder.read_heads()
    assert head.labels == ("high", "low", "background")
    assert head.background == "background"
    [decisions] = folder.read_decisions([head])
    assert decisions.background == ("background",) and decisions.can_refuse
    assert FitConfig.read(folder.config).background == run.config.background
    record = DataRecord.read(folder).of_head(head.name)
    labels = [clip.label for clips in record.clips.values() for clip in clips]
    assert labels.count("background") == 20 == labels.count("high")
    kept = (folder.evaluation_clips / "clips.csv").read_text()
    assert "background" in kept
    [entry] = run.metrics["tasks"].values()
    assert entry["per_class"]["background"]["n_examples"] == kept.count("background")
    assert "by --background (" in folder.report.read_text()


def test_what_sounds_like_background_is_none_of_these(run):
    folder = RunFolder(run.path)
    [head] = folder.read_heads()
    [decisions] = folder.read_decisions([head])
    certain = {name: np.eye(3)[n] for n, name in enumerate(head.labels)}
    decided = {
        name: decisions.decided(each, head.labels, head.activation)
        for name, each in certain.items()
    }
    assert decided == {"high": ("high",), "low": ("low",), "background": ()}
    assert Decisions().decided(certain["background"], head.labels, "softmax") == (
        "background",
    )
    assert NONE_OF_THESE not in head.labels


def test_classes_on_their_own_have_it_too(run, no_figures, tmp_path):
    config = dataclasses.replace(run.config, multi_label=True)
    metrics = fit(config, tmp_path / "run")
    [head] = RunFolder(tmp_path / "run").read_heads()
    assert (head.labels, head.activation) == (("high", "low"), "sigmoid")
    [told] = metrics["tasks"].values()
    [found] = as_metrics(evaluate(tmp_path / "run"))["tasks"].values()
    assert found["mAP"] == pytest.approx(told["mAP"])
    assert found["n_examples"] == told["n_examples"]


def test_evaluating_finds_the_same_clips(run):
    [found] = as_metrics(evaluate(run.path))["tasks"].values()
    [before] = run.metrics["tasks"].values()
    assert found["n_examples"] == before["n_examples"]
    assert found["loss"] == pytest.approx(before["loss"], rel=1e-4)
    of_class = found["per_class"]["background"]["n_examples"]
    assert of_class == before["per_class"]["background"]["n_examples"]


def test_a_background_that_is_gone_is_said_in_a_line(run, street):
    gone = street.rename(street.with_name("gone"))
    try:
        with pytest.raises(UserError, match="street.* of --background isn't there"):
            evaluate(run.path)
    finally:
        gone.rename(street)


def test_other_clips_are_evaluated_as_they_are(run, tmp_path):
    [found] = evaluate(run.path, f"folder:{write_noises(tmp_path, 3, seed=7)}")
    assert sorted(found.predictions.classes.tolist()) == [0, 0, 0, 1, 1, 1]


def test_a_moved_folder_is_known_with_its_background(run, noises, tmp_path, capsys):
    moved = tmp_path / noises.name
    noises.rename(moved)
    try:
        [found] = evaluate(run.path, f"folder:{moved}")
    finally:
        moved.rename(noises)
    [before] = run.metrics["tasks"].values()
    assert len(found.predictions.classes) == before["n_examples"]
    assert "holds the clips of" in capsys.readouterr().err


def test_a_run_goes_on_with_its_background_only(run, street, no_figures, capsys):
    (run.path / "metrics.json").unlink()
    again = fit(run.config, run.path, resume=True)
    [now], [before] = again["tasks"].values(), run.metrics["tasks"].values()
    assert now["loss"] == pytest.approx(before["loss"], rel=1e-4)
    (run.path / "metrics.json").unlink()
    other = street / "0.wav"
    content = other.read_bytes()
    write_clip(other, np.random.default_rng(9).uniform(-0.1, 0.1, 24000), 8000)
    try:
        with pytest.raises(OtherDataError, match="changed in sound"):
            fit(run.config, run.path, resume=True)
    finally:
        other.write_bytes(content)
        (run.path / "metrics.json").write_text(json.dumps(again))


def test_inspect_tells_of_it(noises, street, capsys):
    words = f"inspect folder:{noises} --background synthetic,{street} --json"
    dispatch(words.split())
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert "the class 'background' has 20 clips by --background (" in notes[-1]


@pytest.mark.parametrize("command", ["prepare", "mix"])
def test_commands_that_take_the_clips_alone_have_no_such_setting(
    noises, command, tmp_path
):
    from training.commands.arguments import make_parser

    words = f"{command} folder:{noises} --output {tmp_path}/out --background-share 0.5"
    with pytest.raises(SystemExit):
        make_parser().parse_args(words.split())


def test_a_folder_that_is_not_there_is_said_before_any_work(noises, tmp_path):
    words = f"fit --task folder:{noises} --output {tmp_path}/run --background nowhere"
    with pytest.raises(UserError, match="of --background isn't there"):
        dispatch(words.split())
    assert not (tmp_path / "run").exists()
