"""Examples in docstrings print what they say, and whatever is public has one."""

import doctest
import importlib
import inspect

import numpy as np
import pytest

from leaf_files.atomic import write_json
from leaf_files.clips import write_clip
from tests.rooms import dotted, modules, with_examples
from training.run.data_record import DataRecord, TaskRecord
from training.run.folder import RunFolder
from training.run.heads import make_heads
from training.run.models import build_classifier
from training.settings.config import FitConfig
from training.tasks.registry import get_task

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
    "training.evaluation.figures.draw_run": "draws for seconds",
    "training.fit.adapting.adapt": "trains",
    "training.fit.callbacks.ValidateAndSave": "works within a training",
    "training.fit.devices.Hosts": "needs several hosts",
    "training.fit.devices.Mirrored": "the number of devices is the machine's",
    "training.fit.fitting.fit": "trains",
    "training.fit.meeting.meet": "needs several hosts",
}
ROOMS = ("tasks", "input", "evaluation", "settings", "commands", "run", "fit")
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
    """The folder in which examples run: it has `drums`, a task, and `run`, its run."""
    folder = tmp_path_factory.mktemp("examples")
    random = np.random.default_rng(0)
    for label in ("kick", "snare"):
        for index in range(5):
            path = folder / "drums" / label / f"{index}.wav"
            write_clip(path, random.uniform(-0.5, 0.5, 800), 8000)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_run(RunFolder("run"))
    return folder


def write_run(run):
    """Writes a run on `folder:drums`, as if it were trained."""
    config = FitConfig(
        "folder:drums",
        frontend="mel",
        n_filters=8,
        sample_rate=8000,
        window_seconds=0.1,
    )
    data = get_task(config.task).load()
    heads = make_heads(config.tasks, [data])
    write_json(run.config, config.to_dict())
    run.write_heads(heads)
    DataRecord((TaskRecord.of(heads[0], data.splits),)).write(run)
    build_classifier(config, heads).save(run.model)


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
