"""Clips that were heard are in memory; from there they are what the files hold."""

import dataclasses
import os
import threading

import numpy as np
import pytest

from leaf_files.errors import UserError
from leaf_files.threads import in_threads
from training.input.memory import ClipMemory, ClipReader, open_clips
from training.tasks.own import task as own_task
from training.tasks.own.folder import FolderTask
from training.tasks.own.sounds import Sounds
from training.tasks.own.task import Opening

RATE = 16000  # twice that of the files


@pytest.fixture
def task(make_folder):
    """A folder of 20 clips."""
    return FolderTask(make_folder({"a": 10, "b": 10}, samples=1000))


def opened(task, **how):
    return dataclasses.replace(task, opening=Opening(**how)).load().splits


def clips_of(clip_set):
    clips = clip_set.dataset(RATE).as_numpy_iterator()
    return [(c["clip"], c["label"], c["waveform"].tolist()) for c in clips]


def age(task):
    """Lets the index rely on the files."""
    for path in task.path.rglob("*.wav"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def test_clips_in_memory_are_those_of_the_files(task):
    files, memory = opened(task), opened(task, sample_rate=RATE)
    for split in files:
        assert memory[split].in_memory(RATE) and not files[split].in_memory(RATE)
        assert clips_of(memory[split]) == clips_of(files[split])
        assert clips_of(memory[split].only([1])) == clips_of(files[split].only([1]))
    other_rate = memory["train"].dataset(4000).as_numpy_iterator()
    assert [len(clip["waveform"]) for clip in other_rate] == [500] * 16


def test_files_are_opened_once(task, monkeypatch):
    opens = []
    open_clip = own_task.hear_all.__globals__["open_clip"]
    monkeypatch.setitem(
        own_task.hear_all.__globals__,
        "open_clip",
        lambda path: opens.append(path) or open_clip(path),
    )
    splits = opened(task, sample_rate=RATE)
    for path in task.path.rglob("*.wav"):
        path.unlink()
    assert len(opens) == len(set(opens)) == 20
    kept = open_clips(splits["train"], RATE, "reading")
    assert isinstance(kept, ClipReader)
    assert kept.clip(3)["waveform"].shape == (2000,)


def test_known_clips_are_read_in_threads(task):
    age(task)
    first = opened(task, sample_rate=RATE)["train"]
    known = opened(task, sample_rate=RATE)["train"]
    assert first.in_memory(RATE) and not known.in_memory(RATE)
    kept, read = ClipMemory(known, RATE, ""), ClipReader(first, RATE, "")
    for index in range(16):
        for key, value in kept.clip(index).items():
            np.testing.assert_array_equal(value, read.clip(index)[key])


def test_clips_beyond_the_memory_are_read_from_files(task, monkeypatch):
    monkeypatch.setattr(
        Sounds, "in_free_memory", lambda rate, share=1: Sounds(rate, 10_000)
    )
    splits = opened(task, sample_rate=RATE)
    assert not splits["train"].in_memory(RATE)
    assert clips_of(splits["train"]) == clips_of(opened(task)["train"])
    with pytest.raises(UserError, match="don't fit into memory; leave out --cache"):
        ClipMemory(splits["train"], RATE, "")


def test_a_clip_that_is_lost_is_named(task):
    known = opened(task)["train"]
    lost = task.path / known.clips[2].file
    lost.write_text("no sound")
    with pytest.raises(UserError, match=f"{lost}.*it was whole before"):
        ClipMemory(known, RATE, "")


def test_waveforms_of_many_threads_lie_side_by_side():
    sounds = Sounds(8000, 4 * 5050)
    waveforms = [np.full(n, n, np.float32) for n in range(1, 101)]
    places = list(in_threads(sounds.put, range(100), waveforms))
    assert sorted(places) == sorted(sounds.places.values())
    everything = sounds.tensor().numpy()
    for (start, samples), waveform in zip(places, waveforms):
        np.testing.assert_array_equal(everything[start : start + samples], waveform)
    assert sounds.put("one more", np.zeros(1, np.float32)) is None and sounds.is_full


def test_results_of_threads_are_in_order_and_few_wait():
    begun, most = [], 0
    lock = threading.Lock()

    def note(number):
        with lock:
            begun.append(number)
        return -number

    for n, result in enumerate(in_threads(note, range(5000))):
        assert result == -n
        most = max(most, len(begun) - n)
    assert most <= 16 * (4 * os.cpu_count() + 1)
