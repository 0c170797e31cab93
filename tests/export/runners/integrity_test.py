import json
import shutil

import pytest

from export.__main__ import dispatch
from export.runners import integrity as intact
from export.runners.integrity import require_intact
from leaf_files import command_line
from leaf_files.errors import UserError


@pytest.fixture
def copy(exported, tmp_path):
    """A copy of the artifact folder, to be damaged."""
    return shutil.copytree(exported, tmp_path / "copy")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_is_as_it_was_exported_passes(copy):
    for name in ("model.tflite", "saved_model/1"):
        require_intact(copy / name)


@pytest.mark.parametrize(
    "artifact, damaged",
    [
        ("model.tflite", "model.tflite"),
        ("saved_model/1", "saved_model/1/variables/variables.data-00000-of-00001"),
        ("saved_model/1", "saved_model/1/fingerprint.pb"),
    ],
)
def test_one_bit_is_enough(copy, artifact, damaged):
    """It would have loaded, and answered something."""
    flip(copy / damaged)
    with pytest.raises(
        UserError, match="in report.json beside it: it is damaged"
    ) as error:
        require_intact(copy / artifact)
    assert str(error.value).startswith(str(copy / damaged))


def test_a_part_that_is_missing_is_named(copy):
    (copy / "saved_model/1/variables/variables.index").unlink()
    with pytest.raises(UserError, match=r"variables\.index does not have the checksum"):
        require_intact(copy / "saved_model/1")


def test_damage_to_one_artifact_leaves_the_others_usable(copy):
    flip(copy / "model.tflite")
    require_intact(copy / "saved_model/1")


@pytest.mark.parametrize("report", ["", "3", "{}", '{"files": 3}', '{"files": {}}'])
def test_without_checksums_a_file_is_tried(copy, report):
    (copy / "report.json").write_text(report)
    require_intact(copy / "model.tflite")


def test_other_checksums_refuse(copy):
    report = json.loads((copy / "report.json").read_text())
    report["files"]["model.tflite"] = "abc"
    (copy / "report.json").write_text(json.dumps(report))
    with pytest.raises(UserError, match="does not have the checksum"):
        require_intact(copy / "model.tflite")


def alone(exported, tmp_path):
    """The path of a copy without a report beside it."""
    return shutil.copy(exported / "model.tflite", tmp_path / "alone.tflite")


def test_a_file_that_ends_the_process_is_refused(exported, tmp_path, monkeypatch):
    path = alone(exported, tmp_path)
    monkeypatch.setattr(intact, "_TRIAL", "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(UserError, match=r"alone\.tflite is damaged: LiteRT crashes"):
        require_intact(path)


def test_a_file_that_never_answers_is_refused(exported, tmp_path, monkeypatch):
    path = alone(exported, tmp_path)
    monkeypatch.setattr(intact, "_TRIAL", "import time; time.sleep(600)")
    monkeypatch.setattr(intact, "_TRIAL_SECONDS", 0.5)
    with pytest.raises(UserError, match=r"did not answer within 0\.5 s"):
        require_intact(path)


def test_what_a_trial_complains_of_is_handed_on(tmp_path, capsys):
    (tmp_path / "text.tflite").write_text("no model")
    argv = ["predict", str(tmp_path / "text.tflite"), "clip.wav"]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    assert "is not a TFLite model" in capsys.readouterr().err
