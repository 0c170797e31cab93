"""Examples in docstrings print what they say, and whatever is public has one."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from leaf_files.atomic import write_json
from leaf_files.clips import write_clip
from tests.docstrings import run_examples, without_example
from tests.rooms import with_examples
from tests.training.comparison.made import finish
from training.comparison.plan import Comparison
from training.run.data_record import DataRecord, TaskRecord
from training.run.folder import RunFolder
from training.run.heads import make_heads
from training.run.models import build_classifier
from training.settings.config import FitConfig
from training.tasks.registry import get_task

DESCRIPTION = "its docstring is the data set's description"
# What can't be shown in a few lines that take no time, and why.
EXCEPTIONS = {
    "training.__main__.main": "reads the process's arguments",
    "training.tasks.builders.audio_set.AudioSet": DESCRIPTION,
    "training.tasks.builders.birdsong.Dcase2018Birds": DESCRIPTION,
    "training.tasks.builders.speech_commands35.SpeechCommands35": DESCRIPTION,
    "training.tasks.builders.tut_urban.TutUrbanScenes2018": DESCRIPTION,
    "training.tasks.builders.sources.fetch": "downloads",
    "training.tasks.tfds_clips.TfdsClips": "needs data that TFDS has prepared",
    "training.evaluation.figures.draw_run": "draws for seconds",
    "training.comparison.comparing.compare": "trains",
    "training.comparison.job.end_with_parent": "waits for the end of its parent",
    "training.comparison.job.main": "trains",
    "training.comparison.launch.launch": "starts processes",
    "training.fit.adapting.adapt": "trains",
    "training.fit.callbacks.ValidateAndSave": "works within a training",
    "training.fit.devices.Hosts": "needs several hosts",
    "training.fit.devices.Mirrored": "the number of devices is the machine's",
    "training.fit.finishing.finish": "draws for seconds",
    "training.fit.fitting.fit": "trains",
    "training.fit.quantizing.quantize": "trains",
    "training.fit.meeting.meet": "needs several hosts",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder in copies of which examples run.

    It has `drums`, a task; `run`, a run on it; `pair`, a comparison of leaf and mel;
    and `other_data`, another one, of runs that differ in their clips.
    """
    folder = tmp_path_factory.mktemp("examples")
    random = np.random.default_rng(0)
    for label in ("kick", "snare"):
        for index in range(5):
            path = folder / "drums" / label / f"{index}.wav"
            write_clip(path, random.uniform(-0.5, 0.5, 800), 8000)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_run(RunFolder("run"))
        write_comparison("pair", n_seeds=3)
        for n_clips, run in enumerate(write_comparison("other_data", n_seeds=1), 10):
            clips = {"train": n_clips, "validation": 1, "test": 1}
            write_json(run.metrics, {**run.read_metrics(), "clips": clips})
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


def write_comparison(folder, n_seeds):
    """Writes the metrics of runs in which leaf is better by 4 to 6 points.

    Returns:
        The `RunFolder`s.
    """
    settings = FitConfig("synthetic")
    made = Comparison(settings, ("mel", "leaf"), n_seeds, Path(folder), "mel")

    def score(task, frontend, seed):
        return 0.5 + 0.1 * seed + (0.04 + 0.01 * seed) * (frontend == "leaf")

    finish(made, score)
    return [run.folder for run in made.runs]


@pytest.mark.parametrize("name", with_examples("training"))
def test_examples_print_what_they_say(name, folder, tmp_path):
    # What the examples of one module write, those of others don't see.
    run_examples(name, shutil.copytree(folder, tmp_path / "examples"))


def test_whatever_is_public_has_an_example():
    assert without_example("training", EXCEPTIONS) == []
