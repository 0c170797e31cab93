import json
import shutil

import numpy as np
import pytest

from leaf_files.errors import UserError
from tests import pages
from tests.training.runs import write_noises
from training.__main__ import dispatch
from training.evaluation.evaluating import evaluate


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, to be damaged."""
    return shutil.copytree(finished.path, tmp_path / "run")


def only(evaluations):
    [evaluation] = evaluations
    return evaluation.predictions


def test_another_folder_is_evaluated_whole(finished, tmp_path):
    folder = write_noises(tmp_path / "other", n_clips=7, seed=5)
    [evaluation] = evaluate(finished.path, f"folder:{folder}")
    assert evaluation.task == f"folder:{folder}"
    predictions = evaluation.predictions
    assert predictions.accuracy == 1.0
    np.testing.assert_array_equal(predictions.confusion(), [[7, 0], [0, 7]])


def test_another_folder_may_lack_a_class(finished, tmp_path):
    folder = write_noises(tmp_path / "other", n_clips=2)
    shutil.rmtree(folder / "high")
    predictions = only(evaluate(finished.path, f"folder:{folder}"))
    np.testing.assert_array_equal(predictions.confusion(), [[0, 0], [0, 2]])


def test_labels_swapped_in_another_folder_are_all_wrong(finished, tmp_path):
    folder = write_noises(tmp_path / "other", n_clips=2)
    (folder / "high").rename(folder / "x")
    (folder / "low").rename(folder / "high")
    (folder / "x").rename(folder / "low")
    assert only(evaluate(finished.path, f"folder:{folder}")).accuracy == 0.0


def test_the_own_folder_in_another_spelling_is_not_evaluated_whole(finished, noises):
    """Else the training clips would count among the test clips."""
    spelled = f"folder:{noises}/high/.."
    predictions = only(evaluate(finished.path, spelled))
    assert len(predictions.classes) == 4


def test_unknown_classes_are_named(finished, tmp_path):
    folder = write_noises(tmp_path / "other", n_clips=2)
    (folder / "low").rename(folder / "deep")
    with pytest.raises(UserError, match="doesn't know: deep; it knows high, low"):
        evaluate(finished.path, f"folder:{folder}")


def test_clips_of_the_unknown(finished, capsys):
    """The very test clips are no better known than the test clips."""
    folder = finished.path / "evaluation_clips"
    argv = ["evaluate", str(finished.path), "--unknown", str(folder)]
    assert dispatch([*argv, "--json"]) is None
    [entry] = json.loads(capsys.readouterr().out)["tasks"].values()
    entry = entry["unknown"][str(folder)]
    assert (entry["n_examples"], entry["n_known"]) == (4, 4)
    # 4 of 16 pairs are equal but for what batches round.
    assert entry["auroc"] == pytest.approx(0.5, abs=2 / 16)
    assert entry["called_none"] == entry["known_lost"] == 0.0  # all are decided on
    names = pages.named("commands.md", "leaf-train evaluate")
    content = {"tasks": {"TASK": {"unknown": {"FOLDER": entry}}}}
    assert pages.unnamed(content, names) == []
    dispatch(argv)
    assert "against 4 known ones; 0.0 % (0.0 to 60.2) called none of these" in (
        capsys.readouterr().out
    )


def test_a_folder_of_the_unknown_that_is_not_there(finished):
    with pytest.raises(UserError, match="there is no folder gone; name a folder of"):
        evaluate(finished.path, unknown=["gone"])


def test_damaged_settings_are_one_line(run):
    (run / "config.json").write_text('{"task": ')
    with pytest.raises(UserError, match="cannot read the settings in"):
        evaluate(run)


def test_damaged_models_are_one_line(run):
    (run / "model.keras").write_bytes(b"PK nothing")
    with pytest.raises(UserError, match="model.keras is damaged"):
        evaluate(run)


def test_labels_of_another_model_are_one_line(run):
    entries = json.loads((run / "tasks.json").read_text())
    entries["tasks"][0]["labels"].append("middle")
    (run / "tasks.json").write_text(json.dumps(entries))
    with pytest.raises(UserError, match="tells 2 classes apart.* are 3"):
        evaluate(run)


def test_a_run_whose_clips_are_gone_names_the_folder(run, tmp_path):
    entries = json.loads((run / "tasks.json").read_text())
    entries["tasks"][0]["task"] = f"folder:{tmp_path / 'gone'}"
    (run / "tasks.json").write_text(json.dumps(entries))
    with pytest.raises(UserError, match="there is no folder .*gone"):
        evaluate(run)
