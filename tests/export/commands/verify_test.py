import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys

import pytest

from export.__main__ import dispatch
from export.runtimes.table import RUNTIMES, Runtime
from leaf_files import command_line
from leaf_files.errors import UserError


@pytest.fixture
def copy(exported, tmp_path):
    """A copy of an export, to break; its SavedModel, slow to load, is not asked."""
    folder = shutil.copytree(exported, tmp_path / "copy")
    probes = json.loads((folder / "probes.json").read_text())
    del probes["saved_model/1"]
    forge(folder, "probes.json", json.dumps(probes).encode())
    return folder


def forge(folder, name, content):
    """Writes a file, and its checksum into the report."""
    (folder / name).write_bytes(content)
    report = json.loads((folder / "report.json").read_text())
    digest = hashlib.sha256(content).hexdigest()
    report["files"][name] = {"bytes": len(content), "sha256": digest}
    (folder / "report.json").write_text(json.dumps(report))


@pytest.fixture
def verify(capsys):
    """Runs the command; returns its exit code and {path: (state, words)}."""

    def run(folder):
        code = command_line.run(dispatch, ["verify", str(folder)], "python -m export")
        output = capsys.readouterr()
        lines = [
            line.split(None, 2) for line in output.out.split("\n\n")[0].split("\n")
        ]
        states = {path: (state, *words) for state, path, *words in lines}
        return code, states, output.out.splitlines()[-1]

    return run


def test_an_export_is_as_it_was_written(exported, verify):
    code, states, verdict = verify(exported)
    assert code == 0
    assert {state for state, _ in states.values()} == {"ok"}
    for artifact in ("saved_model/1", "model.tflite", "frontend.tflite"):
        assert "answers differ by" in states[artifact][1]
    assert {"labels.txt", "report.md", "probes.json"} <= set(states)
    seal = hashlib.sha256((exported / "report.json").read_bytes()).hexdigest()
    assert verdict == f"All as written, by a report.json of the SHA-256 {seal}"


def test_a_changed_byte_a_missing_and_an_extra_file_are_told(copy, verify):
    data = bytearray((copy / "model.tflite").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "model.tflite").write_bytes(data)
    variables = copy / "saved_model" / "1" / "variables" / "variables.index"
    variables.write_bytes(variables.read_bytes() + b"\0")
    (copy / "report.md").unlink()
    (copy / "saved_model" / "1" / "notes.txt").write_text("mine")
    code, states, verdict = verify(copy)
    wrong = {path: words for path, words in states.items() if words[0] != "ok"}
    index = "saved_model/1/variables/variables.index"
    size = variables.stat().st_size
    digest = hashlib.sha256(data).hexdigest()
    assert code == 1
    assert wrong.pop("model.tflite")[1].startswith(f"SHA-256 {digest}, ")
    assert wrong == {
        index: ("changed", f"{size:,} bytes, {size - 1:,} at export"),
        "report.md": ("missing",),
        "saved_model/1/notes.txt": ("extra", "no export wrote it"),
    }
    assert verdict.startswith("4 not as written, by a report.json")


def test_another_model_under_a_right_checksum_answers_otherwise(copy, verify, tmp_path):
    other = (copy / "frontend.tflite").read_bytes()
    forge(copy, "model.tflite", other)
    code, states, _ = verify(copy)
    assert code == 1
    state, words = states["model.tflite"]
    assert state == "changed" and "answers differ by inf from those at export" in words


def test_labels_in_the_report_are_those_of_the_file(copy, verify):
    forge(copy, "labels.txt", b"north\nsouth\neast\nup\n")
    code, states, _ = verify(copy)
    assert code == 1
    assert states["report.json"] == (
        "changed",
        "its labels are not those of labels.txt",
    )


def test_a_report_that_is_not_what_the_artifacts_say_is_told(copy, verify):
    """Its labels and those of labels.txt are edited alike."""
    forge(copy, "labels.txt", b"north\nsouth\neast\nup\n")
    report = json.loads((copy / "report.json").read_text())
    report["heads"][0]["labels"][3] = "up"
    (copy / "report.json").write_text(json.dumps(report))
    code, states, verdict = verify(copy)
    assert code == 1
    assert states["labels.txt"][0] == states["model.tflite"][0] == "ok"
    state, words = states["report.json"]
    assert state == "changed"
    assert words.endswith("says of itself: label 4 west, not up as the report has it")
    assert verdict.startswith("2 not as written")  # of two classifiers


def test_a_model_that_does_not_run_is_told(copy, verify):
    forge(copy, "model.tflite", b"hello")
    code, states, _ = verify(copy)
    assert code == 1
    assert "does not run" in states["model.tflite"][1]


@dataclasses.dataclass(frozen=True)
class Wrong(Runtime):
    """LiteRT, with a mistake in its answers; it doesn't run `frontend.tflite`."""

    mistake: float = 0.0

    def load(self, path):
        run = super().load(path)
        if path.name == "frontend.tflite":
            raise UserError(f"{path} does not run: operator 7 is unknown")
        return lambda windows: {k: v + self.mistake for k, v in run(windows).items()}


@pytest.fixture
def by_runtime(monkeypatch, capsys):
    """Runs the command with a runtime of some mistake; returns code and lines."""

    def run(folder, **changes):
        settings = {**vars(RUNTIMES["litert"]), "name": "mine", "title": "Mine"}
        monkeypatch.setitem(RUNTIMES, "mine", Wrong(**{**settings, **changes}))
        argv = ["verify", str(folder), "--runtime", "mine"]
        code = command_line.run(dispatch, argv, "python -m export")
        output = capsys.readouterr()
        _, _, told = output.out.partition("\nMine ")
        return code, told.splitlines()[1:] + output.err.splitlines()

    return run


def test_a_runtime_is_asked_the_files_that_it_takes(light_artifacts, by_runtime):
    code, lines = by_runtime(light_artifacts)
    told = {line[9:].split()[0]: line[:9].strip() for line in lines[:3]}
    assert code == 0
    assert told == {
        "model.tflite": "ok",
        "frontend.tflite": "not run",
        "model_streaming.tflite": "ok",
    }
    (line,) = (line for line in lines if "frontend" in line)
    assert line.endswith("  does not run: operator 7 is unknown")


@pytest.mark.parametrize("mistake, wrong", [(5e-4, False), (2e-3, True)])
def test_other_answers_of_a_runtime_are_told(
    light_artifacts, by_runtime, mistake, wrong
):
    code, lines = by_runtime(light_artifacts, mistake=mistake)
    assert code == wrong
    assert ("Not as at export in Mine" in lines) == wrong
    (line,) = (line for line in lines if "model.tflite" in line)
    assert line.startswith("other" if wrong else "ok")
    assert f"answers differ by {mistake:.1e} from those at export" in line


def test_a_runtime_that_takes_no_file_is_told(light_artifacts, by_runtime):
    code, lines = by_runtime(light_artifacts, formats=("onnx",))
    assert code == 1
    assert lines[0] == "takes none of these files, but onnx"
    assert lines[-1] == "Not as at export in Mine"


def test_a_runtime_that_is_missing_is_told_before_any_work(copy, by_runtime):
    code, lines = by_runtime(copy, module="no_such_module", package="no-such")
    assert code == 1
    assert "pip install no-such" in lines[-1]


def test_what_cannot_run_here_is_not_asked(exported):
    program = """
import sys
for name in ("tensorflow", "keras", "ai_edge_litert"):
    sys.modules[name] = None  # importing it fails
from export.__main__ import dispatch
sys.exit(dispatch(["verify", *sys.argv[1:]]))
"""
    command = [sys.executable, "-c", program, exported]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "not asked: tensorflow is not installed" in done.stdout
    assert "not asked: ai_edge_litert" in done.stdout


@pytest.mark.parametrize(
    "report, message",
    [
        (None, "there is no report.json in"),
        ("{", "is not a report with checksums (JSONDecodeError"),
        ("{}", "is not a report with checksums (KeyError: 'files')"),
        ("[]", "is not a report with checksums (TypeError"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path, capsys, report, message):
    if report is not None:
        (tmp_path / "report.json").write_text(report)
    argv = ["verify", str(tmp_path)]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
