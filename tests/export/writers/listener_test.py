"""`listen.py`: what `export listen` answers, where nothing of ours is installed."""

import importlib.metadata
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from export.__main__ import dispatch
from export.writers.listener import listener
from tests.export.models import SAMPLE_RATE

# What it needs, and what that needs: names of distributions.
NEEDED = ("ai-edge-litert", "numpy", "soundfile")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder of links to the packages that it needs, and to no other."""
    folder = tmp_path_factory.mktemp("packages")
    waiting, seen = list(NEEDED), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        for requirement in found.requires or ():
            if "extra ==" not in requirement:
                end = next(
                    (i for i, c in enumerate(requirement) if c in " ;<>=!~[("), None
                )
                waiting.append(requirement[:end])
        for top in {
            file.parts[0] for file in found.files or () if file.parts[0] != ".."
        }:
            target = Path(str(found.locate_file(top)))
            if target.exists() and not (folder / top).exists():
                (folder / top).symlink_to(target)
    return folder


@pytest.fixture(scope="module")
def alone(packages, light_artifacts):
    """Runs it as a program there; returns what was printed, and said on stderr."""

    def run(*argv, **options):
        # -S: no site-packages, so that neither `export` nor TensorFlow is there.
        command = [sys.executable, "-S", light_artifacts / "listen.py", *argv]
        done = subprocess.run(
            list(map(str, command)),
            env={"PYTHONPATH": str(packages)},
            cwd=packages,
            capture_output=True,
            **options,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.fixture(scope="module")
def clip(windows, tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.wav"
    soundfile.write(path, np.concatenate(windows), SAMPLE_RATE, subtype="PCM_16")
    return path


def without_times(text):
    """JSON lines without how long computing took."""
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        line.pop("computing_seconds", None)
        line.pop("real_time_factor", None)
    return lines


def test_it_prints_what_the_command_prints(alone, light_artifacts, clip, capsys):
    options = ["--smoothing", "0", "--threshold", "0.3", "--scores"]
    assert not dispatch(["listen", str(light_artifacts), str(clip), *options])
    expected = capsys.readouterr().out
    code, printed, said = alone(clip, *options)
    assert (code, printed) == (0, expected), said
    assert expected.count("\n") > 25 and "real-time factor" in said

    assert not dispatch(["listen", str(light_artifacts), str(clip), "--json"])
    expected = without_times(capsys.readouterr().out)
    raw = (np.concatenate([soundfile.read(clip, dtype="int16")[0]])).tobytes()
    code, printed, said = alone("-", "--json", input=raw)
    assert (code, without_times(printed)) == (0, expected), said


def test_mistakes_are_answered_in_a_line_that_names_it(alone, clip):
    code, _, said = alone("nothing.wav")
    assert code == 1
    assert said == "python listen.py: error: there is no audio file nothing.wav\n"
    code, _, said = alone(clip, "--treshold", "0.5")
    assert code == 2
    assert "(did you mean --threshold?); see python listen.py --help" in said
    soundfile.write(clip.with_name("fast.wav"), np.zeros(4410), 44100)
    code, _, said = alone(clip.with_name("fast.wav"))
    assert code == 1
    assert said.startswith("python listen.py: error: soxr is not installed; install it")


def test_help_needs_no_package(light_artifacts):
    command = [sys.executable, "-I", "-S", light_artifacts / "listen.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"-r {SAMPLE_RATE} | python listen.py -" in " ".join(done.stdout.split())


def test_it_is_the_modules_of_this_version_line_by_line(light_artifacts):
    path = light_artifacts / "listen.py"
    assert path.read_text() == listener(SAMPLE_RATE)
    names = {"__name__": "listen", "__file__": str(path)}
    with pytest.raises(ImportError, match="is a program, not a module"):
        exec(compile(path.read_text(), path, "exec"), names)
    modules = names["Modules"]()
    lines = path.read_text().splitlines()
    assert "export.commands.listen" in modules.sources
    for name, padded in modules.sources.items():
        source = padded.lstrip("\n")
        above = len(padded) - len(source)
        n_lines = len(source.splitlines())
        assert lines[above : above + n_lines] == source.splitlines()
        original = Path(importlib.util.find_spec(name).origin).read_text()
        assert source.rstrip() == original.rstrip()
