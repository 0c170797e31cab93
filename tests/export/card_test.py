"""The card of an export: its code runs, and its checksums are right."""

import hashlib
import json
import re
import shutil

import numpy as np
import pytest
import soundfile

from export.__main__ import dispatch
from leaf_files import command_line
from tests.cards import block, head_of, run_block
from tests.export.conftest import LABELS
from tests.export.models import SAMPLE_RATE


@pytest.fixture
def place(exported, windows, tmp_path, monkeypatch):
    """A copy of an export with a clip, and in it."""
    folder = shutil.copytree(exported, tmp_path / "copy")
    soundfile.write(folder / "clip.wav", windows[0], SAMPLE_RATE, subtype="FLOAT")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def best(run, windows):
    return LABELS[int(np.argmax(run.model(windows[:1])))]


@pytest.mark.parametrize("section", ["LiteRT, Python", "SavedModel"])
def test_the_code_prints_the_label(place, best, section, capsys):
    run_block((place / "README.md").read_text(), section)
    assert capsys.readouterr().out.split() == [best]


def test_the_request_is_a_window_as_tf_serving_takes_it(place, windows, capsys):
    shell = block((place / "README.md").read_text(), "TF Serving, REST", "sh")
    [code] = re.findall(r"<< END\n(.*?)END\n", shell, flags=re.S)
    exec(compile(code, "README.md", "exec"), {})
    instances = json.loads(capsys.readouterr().out)["instances"]
    np.testing.assert_allclose(instances, windows[:1], atol=1e-6)
    assert "-e MODEL_NAME=compass" in shell and "models/compass:predict" in shell


def test_checksums_are_those_of_the_files(exported):
    card = (exported / "README.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| .* \| `(\w{64})` \|$", card, flags=re.M)
    there = {
        path.relative_to(exported).as_posix()
        for path in exported.rglob("*")
        if path.is_file()
    }
    assert {name for name, _ in rows} == there - {"README.md", "report.json"}
    for name, digest in rows:
        assert hashlib.sha256((exported / name).read_bytes()).hexdigest() == digest


def test_the_card_says_what_the_report_does(exported):
    card = (exported / "README.md").read_text()
    head = head_of(card)
    assert {"tflite", "tf-serving"} <= set(head["tags"])
    assert "8000 Hz, float32 in [-1, 1], in windows of 0.5 s" in card
    assert "`north`, `south`, `east`, `west`" in card
    # It knows no scores but those of the export's clips.
    assert "model-index" not in head and "0.6667" in card


def test_one_that_somebody_wrote_is_never_replaced(exported, run, tmp_path, capsys):
    folder = shutil.copytree(exported, tmp_path / "copy")
    (folder / "README.md").write_text("# Mine\n")
    argv = [str(run.folder), "--output", str(folder)]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    error = capsys.readouterr().err
    assert "the README.md in it is not as an export wrote it; move it" in error
    assert (folder / "README.md").read_text() == "# Mine\n"
