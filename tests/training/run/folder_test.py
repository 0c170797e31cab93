import csv
import json

import numpy as np
import pytest
import tensorflow as tf

from leaf_files.clips import read_clip
from leaf_files.errors import UserError
from leaf_files.run_folder import Head
from training.run.folder import RunFolder
from training.settings.config import FitConfig
from training.tasks.clip_sets import ClipSet

HEAD = Head("task", "task", ("a", "b"))


def noise_set(n_clips):
    """Clip n holds n / 1000; labels take turns."""

    def read(sample_rate):
        values = np.arange(n_clips, dtype=np.float32)[:, None] / 1000
        return tf.data.Dataset.from_tensor_slices(
            {
                "waveform": np.repeat(values, 3, axis=1),
                "label": np.arange(n_clips) % 2,
                "clip": [f"{n}" for n in range(n_clips)],
            }
        )

    return ClipSet(n_clips, read)


def rows(run):
    with open(run.evaluation_clips / "clips.csv", newline="") as file:
        return list(csv.DictReader(file))


def unfinished(path):
    run = RunFolder(path)
    path.mkdir(exist_ok=True)
    run.config.write_text(json.dumps(FitConfig("synthetic").to_dict()))
    return run


def test_a_new_an_empty_and_an_unfinished_folder_will_do(tmp_path):
    RunFolder(tmp_path / "a" / "b").require_writable()
    assert not (tmp_path / "a").exists()
    RunFolder(tmp_path).require_writable()
    assert not list(tmp_path.iterdir())
    unfinished(tmp_path).require_writable()


def test_a_finished_run_is_kept(tmp_path):
    run = unfinished(tmp_path)
    run.metrics.write_text("{}")
    with pytest.raises(UserError, match="holds a finished run already"):
        run.require_writable()


@pytest.mark.parametrize("name", ["notes.txt", "config.json"])
def test_files_of_others_are_kept(tmp_path, name):
    """A config.json alone makes no run: other programs write one, too."""
    (tmp_path / name).write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match="holds files that are no run's"):
        RunFolder(tmp_path).require_writable()


def test_clear_leaves_nothing_of_the_run_and_all_else(tmp_path):
    run = unfinished(tmp_path)
    for file in (run.best, run.last, run.logs / "train" / "events", run.model):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "notes.txt").touch()
    run.clear()
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "notes.txt"}
    run.clear()


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="config.json is missing"):
        RunFolder(tmp_path).require_finished()
    with pytest.raises(UserError, match="tasks.json is missing"):
        unfinished(tmp_path).require_finished()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\n",
        b"[]",
        b'{"tasks": []}',
        b'{"tasks": [{"task": "t", "head": "t", "labels": ["a"]}]}',
        b'{"tasks": [{"task": "t", "head": 1, "labels": [], "activation": "softmax"}]}',
        b'{"tasks": [{"task": "t", "head": "t", "labels": ["a"], "activation": "x"}]}',
    ],
)
def test_heads_that_cannot_be_read_are_one_line(tmp_path, content):
    run = RunFolder(tmp_path)
    run.tasks.write_bytes(content)
    with pytest.raises(UserError, match="cannot read the tasks in .*tasks.json"):
        run.read_heads()


def test_heads_survive_their_file(tmp_path):
    heads = (HEAD, Head("folder:/größe", "gr__e", ("ä", "b|c"), "sigmoid"))
    run = RunFolder(tmp_path)
    run.write_heads(heads)
    assert run.read_heads() == heads
    assert (tmp_path / "labels_task.txt").read_text() == "a\nb\n"
    assert (tmp_path / "labels_gr__e.txt").read_text(encoding="utf-8") == "ä\nb|c\n"


def test_evaluation_clips_sound_as_before(tmp_path):
    run = RunFolder(tmp_path)
    run.write_evaluation_clips([noise_set(5)], [HEAD], 8000)
    found = rows(run)
    assert [row["label"] for row in found] == ["a", "b", "a", "b", "a"]
    for n, row in enumerate(found):
        waveform, rate = read_clip(run.evaluation_clips / row["file"])
        assert rate == 8000
        np.testing.assert_allclose(waveform, [n / 1000] * 3, atol=0.5001 / 32768)


@pytest.mark.parametrize("n_clips, kept", [(500, 500), (501, 251), (1000, 500)])
def test_many_evaluation_clips_are_thinned_evenly(tmp_path, n_clips, kept):
    run = RunFolder(tmp_path)
    run.write_evaluation_clips([noise_set(n_clips)], [HEAD], 8000)
    assert len(rows(run)) == kept == len(list(tmp_path.rglob("*.flac")))
    last, _ = read_clip(run.evaluation_clips / rows(run)[-1]["file"])
    assert last[0] > (n_clips - 3) / 1000


def calibration_clips(folder, n_clips, seed):
    run = RunFolder(folder)
    run.write_calibration_clips([noise_set(n_clips)], 8000, seed)
    waveforms = [read_clip(path)[0] for path in sorted(run.calibration_clips.iterdir())]
    return [round(1000 * float(waveform[0])) for waveform in waveforms]


def test_calibration_clips_are_all_or_a_hundred_by_the_seed(tmp_path):
    assert calibration_clips(tmp_path / "few", 5, seed=0) == [0, 1, 2, 3, 4]
    some = calibration_clips(tmp_path / "some", 300, seed=0)
    assert len(set(some)) == 100 and max(some) > 250
    assert calibration_clips(tmp_path / "again", 300, seed=0) == some
    assert calibration_clips(tmp_path / "other", 300, seed=1) != some
