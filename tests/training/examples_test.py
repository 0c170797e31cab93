"""Examples in docstrings print what they say, and whatever is public has one."""

import doctest
import importlib
import inspect

import numpy as np
import pytest

from leaf_files.clips import write_clip
from tests.rooms import dotted, modules, with_examples

DESCRIPTION = "its docstring is the data set's description"
# What can't be shown in a few lines that take no time, and why.
WITHOUT = {
    "training.__main__.main": "reads the process's arguments",
    "training.tasks.builders.audio_set.AudioSet": DESCRIPTION,
    "training.tasks.builders.birdsong.Dcase2018Birds": DESCRIPTION,
    "training.tasks.builders.speech_commands35.SpeechCommands35": DESCRIPTION,
    "training.tasks.builders.tut_urban.TutUrbanScenes2018": DESCRIPTION,
    "training.tasks.builders.sources.fetch": "downloads",
    "training.tasks.tfds_clips.TfdsClips": "needs data that TFDS has prepared",
    "training.evaluation.evaluating.evaluate": "needs a finished run",
    "training.evaluation.figures.draw_run": "needs a finished run",
    "training.evaluation.plotting.plot": "needs a finished run",
}
ROOMS = ("tasks", "input", "evaluation", "settings", "commands")
MODULES = [dotted(path) for room in ROOMS for path in modules("training", room)]
MODULES += ["training.__main__"]


def public(name):
    """{dotted name: class or function} of a module, without what it imports."""
    module = importlib.import_module(name)
    return {
        f"{name}.{member}": value
        for member, value in vars(module).items()
        if (inspect.isclass(value) or inspect.isfunction(value))
        and not member.startswith("_")
        and value.__module__ == name
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder in which examples run: it has `drums`, a folder task."""
    folder = tmp_path_factory.mktemp("examples")
    random = np.random.default_rng(0)
    for label in ("kick", "snare"):
        for index in range(5):
            path = folder / "drums" / label / f"{index}.wav"
            write_clip(path, random.uniform(-0.5, 0.5, 800), 8000)
    return folder


@pytest.mark.parametrize("name", with_examples("training"))
def test_examples_print_what_they_say(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    module = importlib.import_module(name)
    assert not doctest.testmod(module, optionflags=flags).failed


@pytest.mark.parametrize("name", MODULES)
def test_whatever_is_public_has_an_example(name):
    without = {
        member
        for member, value in public(name).items()
        if ">>> " not in (inspect.getdoc(value) or "")
    }
    assert without == {member for member in WITHOUT if member.startswith(f"{name}.")}
