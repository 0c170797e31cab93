import dataclasses
import json
import shutil
import sys

import pytest

from leaf_files.atomic import write_json
from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from leaf_files.run_folder import Head
from tests.training.comparison.made import finish, make_comparison
from training.comparison import comparing, job
from training.comparison.data import finished_like, require_one_data, without_record
from training.comparison.launch import launch
from training.comparison.results import collect
from training.run.data_record import DataRecord, TaskRecord
from training.tasks.clip_sets import SPLITS, ClipSet, ListedClip


def write_record(run, n_clips, labels=("a", "b")):
    """Clips 0, 1, ...; the seed splits them."""
    listed = [ListedClip(f"{n:016x}", "a", f"{n}.wav") for n in range(n_clips)]
    splits = {}
    for place, split in enumerate(SPLITS):
        own = listed[(place + run.config.seed) % 3 :: 3]
        splits[split] = ClipSet(len(own), read=None, clips=own)
    head = Head(run.config.task, "task", labels)
    DataRecord((TaskRecord.of(head, splits),)).write(run.folder)
    metrics = json.loads(run.folder.metrics.read_text())
    clips = {split: splits[split].n_examples for split in SPLITS}
    write_json(run.folder.metrics, {**metrics, "clips": clips})


@pytest.fixture
def comparison(tmp_path):
    comparison = make_comparison(tmp_path)
    finish(comparison, lambda task, frontend, seed: 0.5)
    for run in comparison.runs:
        write_record(run, 18)
    return comparison


def test_seeds_may_split_the_same_data(comparison):
    require_one_data(comparison.runs)
    assert collect(comparison).n_runs == 6
    assert without_record(comparison.runs) == []


def test_runs_of_other_clips_are_named(comparison):
    for run in comparison.runs[-2:]:
        write_record(run, 72)
    said = (
        "runs of different data can't be compared; those here are of 18 clips: "
        "synthetic, mel, seed 0, synthetic, leaf, seed 0, synthetic, mel, seed 1, "
        r"synthetic, leaf, seed 1; 72 clips: synthetic, mel, seed 2, synthetic, leaf, "
        r"seed 2 \(54 clips added .*; remove the folders .* such as .*mel/seed2, "
    )
    with pytest.raises(UserError, match=said):
        require_one_data(comparison.runs)
    with pytest.raises(UserError, match="runs of different data"):
        collect(comparison)
    with pytest.raises(UserError, match="runs of different data"):
        comparing.compare(comparison)  # though all are finished
    assert not (comparison.output / "report.md").exists()


def test_other_labels_are_other_data(comparison):
    write_record(comparison.runs[1], 18, labels=("b", "a"))
    with pytest.raises(UserError, match="the classes in another order, b, a"):
        require_one_data(comparison.runs)


def test_of_runs_without_a_record_clips_are_counted(comparison, capsys):
    for run in comparison.runs[:2]:
        run.folder.data.unlink()
    comparing.compare(comparison)
    first, *_ = capsys.readouterr().out.splitlines()
    assert "6 of them finished already (2 by an older version, without a rec" in first
    metrics = json.loads(comparison.runs[0].folder.metrics.read_text())
    metrics["clips"]["train"] += 1
    write_json(comparison.runs[0].folder.metrics, metrics)
    with pytest.raises(
        UserError, match="of 18 clips: .*; 19 clips: synthetic, mel, se"
    ):
        require_one_data(comparison.runs)


def test_a_run_is_compared_with_one_that_has_a_record(comparison):
    runs = comparison.runs
    runs[0].folder.data.unlink()
    assert finished_like(runs[2], runs) is runs[1].folder
    for run in runs:
        run.folder.metrics.unlink()
    assert finished_like(runs[0], runs) is None


def test_a_run_on_other_data_stops_all(comparison):
    code = "import sys; print('run: error: more clips'); sys.exit(3)"
    runs = comparison.runs
    assert job.OTHER_DATA == 3

    def command(run):
        return [sys.executable, "-c", code if run is runs[1] else ""]

    with pytest.raises(UserError, match="leaf, seed 0: more clips; see .*seed0.log"):
        launch(runs, command, 1, lambda *_: None, proven=True)
    assert not runs[2].log.exists()


def test_a_job_asks_for_the_data_of_the_others(finished, noises, tmp_path, capsys):
    clips = shutil.copytree(noises, tmp_path / "clips")
    config = dataclasses.replace(finished.config, task=f"folder:{clips}", seed=1)
    waveform, rate = read_clip(clips / "low" / "03.flac")
    write_clip(clips / "low" / "03.flac", 0.9 * waveform, rate)
    request = {
        "config": config.to_dict(),
        "run": str(tmp_path / "run"),
        "noisy_metrics": str(tmp_path / "run" / "noisy.json"),
        "noises": [],
        "like": str(finished.path),
    }
    assert job.main([json.dumps(request)]) == job.OTHER_DATA
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"run: error: the data of folder:{clips} isn't the same ")
    assert "1 clip changed in sound (1 " in error and "low/03.flac)" in error
    assert not (tmp_path / "run").exists()
