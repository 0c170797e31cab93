"""Where a package is not installed, a line says so, whatever the command."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from leaf_files import missing
from leaf_files.command_line import run
from leaf_files.errors import UserError
from leaf_files.missing import missing_package

ROOT = Path(__file__).parents[2]

# Each of (package, program, arguments), in a process that has imported nothing yet.
FORKS = """
import contextlib, importlib, io, json, os, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def answer(package, program, argv):
    Absent.package = package
    sys.meta_path.insert(0, Absent())
    sys.argv[1:] = argv
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = importlib.import_module(f"{program}.__main__").main()
        except SystemExit as error:
            code = error.code
        except BaseException as error:
            code = repr(error)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}

for case in json.loads(sys.argv[1]):
    read, write = os.pipe()
    if not os.fork():
        with open(write, "w") as pipe:
            pipe.write(json.dumps(answer(*case)) + "\\n")
        os._exit(0)
    os.close(write)
    with open(read) as pipe:
        print(pipe.read(), end="")
    os.wait()
"""


def answers(*cases):
    """What each command answers without a package: dicts of code, out and err."""
    done = subprocess.run(
        [sys.executable, "-c", FORKS, json.dumps(cases)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_any_command_names_what_is_missing(tmp_path):
    clips, new = tmp_path / "clips", str(tmp_path / "new")
    clips.mkdir()
    (tmp_path / "a.tflite").write_bytes(b"TFL3" * 9)
    file = str(tmp_path / "a.tflite")
    cases = [
        ("matplotlib", "export", ["run", "--output", new]),
        ("numpy", "export", ["run", "--output", new]),
        ("soundfile", "export", ["predict", file, "a.wav"]),
        ("ai_edge_litert", "export", ["predict", file, "a.wav"]),
        ("ai_edge_litert", "export", ["listen", file, "a.wav"]),
        ("numpy", "export", ["verify", str(tmp_path)]),
        ("soundfile", "training", ["tasks"]),
        ("tqdm", "training", ["tasks", "synthetic"]),
        ("numpy", "training", ["tasks"]),
        ("soundfile", "training", ["fit", "--task", f"folder:{clips}"]),
        ("matplotlib", "training", ["compare", "--task", "synthetic"]),
    ]
    cases[-2][2].extend(["--output", new])
    cases[-1][2].extend(["--frontends", "mel,leaf", "--output", new])
    for (package, program, argv), found in zip(cases, answers(*cases), strict=True):
        what = f"{program} {argv[0]} without {package}: {found}"
        assert found["code"] == 1, what
        assert found["out"] == "" and found["err"].count("\n") == 1, what
        line = f"python -m {program}: error: {package} is not installed; install it: "
        assert found["err"].startswith(line + "python -m pip install "), what
        assert package.replace("_", "-") in found["err"].partition("install it")[2]
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_help_and_mistakes_need_nothing():
    cases = [
        ("numpy", "export", ["--help"]),
        ("numpy", "export", ["predict", "--help"]),
        ("numpy", "export", ["listen", "--help"]),
        ("numpy", "export", ["verify"]),
        ("tensorflow", "training", ["fit", "--help"]),
    ]
    codes = [found["code"] for found in answers(*cases)]
    assert codes == [0, 0, 0, 2, 0]


def imported(folder):
    """The packages that the modules below a folder import, anywhere in them."""
    names = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("folder", ["files", "export", "training", "leaf_tf"])
def test_all_that_is_imported_is_known_to_pip_by_a_requirement(folder, monkeypatch):
    monkeypatch.setattr(missing, "_is_there", lambda package: False)
    # What others of them bring along.
    brought = {"absl", "flatbuffers", "google", "h5py", "requests"}
    for package in imported(folder) - sys.stdlib_module_names - missing._OURS:
        error = ModuleNotFoundError(f"No module named {package!r}", name=package)
        line = missing_package(error)
        assert line.startswith(f"{package} is not installed; install it: python -m pip")
        words = line.partition(" (also missing here: ")[0].split()
        is_bound = any(mark in words[-1] for mark in ("[", ">", "=", "<"))
        assert is_bound or package in brought, line


@pytest.mark.parametrize("is_installed", [True, False])
def test_the_versions_are_those_of_leaf_tf(is_installed, monkeypatch):
    def requires(name):
        if not is_installed:
            raise importlib.metadata.PackageNotFoundError
        return ["numpy>=1.26", "keras>=3.12.4,!=3.13.0", "jax>=0.5; extra == 'jax'"]

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    monkeypatch.setattr(missing, "_is_there", lambda package: package == "numpy")

    def line(package):
        return missing_package(ModuleNotFoundError(name=f"{package}.some.part"))

    assert "python -m pip install 'keras" in line("keras") and ">=3.12" in line("keras")
    assert "python -m pip install 'leaf_tf[jax]'" in line("jax")
    assert "pip install python-dateutil" in line("dateutil")
    also = line("jax").partition(" (also missing here: ")[2]
    assert "keras" in also and "numpy" not in also


def stub(tmp_path, monkeypatch, text):
    """A package `leafless` whose import runs a text."""
    (tmp_path / "leafless.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "leafless", raising=False)
    # The line that imports it must be one of ours.
    monkeypatch.setattr(missing, "_ROOT", ROOT / "tests")
    monkeypatch.setattr(missing, "_OURS", {"leaf_files"})


@pytest.mark.parametrize(
    "text, reason",
    [
        ("raise ImportError('libfoo.so: no such file')", "libfoo.so: no such file"),
        ("raise OSError('sndfile library not found')", "sndfile library not found"),
        ("", "cannot import name 'leaves' from 'leafless'"),
    ],
)
def test_one_that_does_not_load_is_named_too(
    tmp_path, monkeypatch, text, reason, capsys
):
    stub(tmp_path, monkeypatch, text)

    def main(argv):
        from leafless import leaves  # noqa: F401

    assert run(main, [], "prog") == 1
    error = capsys.readouterr().err
    assert error.startswith(
        f"prog: error: leafless is installed but doesn't load ({reason}"
    )
    assert error.endswith("; mend it: python -m pip install leafless\n")
    assert error.count("\n") == 1


def raising(error, cause=None):
    def main(argv):
        raise error from cause

    return main


ABSENT = ModuleNotFoundError("No module named 'abacus'", name="abacus")


@pytest.mark.parametrize(
    "error, cause",
    [
        (ABSENT, None),
        # What looks like a damaged file, for want of what reads it.
        (UserError("model.keras is damaged"), ABSENT),
        (RuntimeError("no backend"), ABSENT),
        # As TensorFlow tells of what its threads ran into.
        (RuntimeError("node\nModuleNotFoundError: No module named 'abacus'\n"), None),
    ],
)
def test_it_is_found_behind_other_exceptions(error, cause, capsys):
    assert run(raising(error, cause), [], "prog") == 1
    expected = "prog: error: abacus is not installed; install it: "
    assert capsys.readouterr().err.startswith(expected)


def test_who_says_it_better_is_heard(capsys):
    error = UserError("jax is not installed; install leaf_tf[jax]")
    assert run(raising(error, ABSENT), [], "prog") == 1
    assert capsys.readouterr().err == f"prog: error: {error}\n"


@pytest.mark.parametrize(
    "name", ["leaf_files.no_such_module", "export", "json.nothing"]
)
def test_a_module_of_ours_or_of_python_is_a_bug(name):
    with pytest.raises(ModuleNotFoundError):
        run(raising(ModuleNotFoundError("No module", name=name)), [], "prog")
