"""`python -m benchmarks start`: seconds from a folder of many clips to a first step."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.speed import machine
from leaf_files.clips import write_clip
from leaf_files.errors import UserError

_RATE = 8000
_CLASSES = 10
# Files as old as these may be relied on.
_LONG_AGO = 1_700_000_000


def measure(n_clips, clip_seconds=0.25, folder=None):
    """Starts a training on many clips: new to it, known, and in shards.

    Each start is a process of its own, of the default settings, and ends after the
    first step. The files are in the memory of the operating system: disks are not
    measured.

    Args:
        n_clips: Number of clips to make.
        clip_seconds: Their length.
        folder: Folder of clips to start on instead, a Path.

    Returns:
        A dict for JSON: "machine"; "rows", one a start, each with "n_clips",
        "ready_seconds", until the clips are known and split; "first_step_seconds",
        from the start of the process to the end of the first step;
        "clips_per_second", of the time in which clips are opened;
        "processor_seconds"; and "peak_bytes", of the process.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if folder is None:
            _say(f"making {n_clips} clips")
            folder = _made(scratch / "clips", n_clips, clip_seconds)
        task, shards = f"folder:{folder}", f"shards:{scratch / 'shards'}"
        starts = (
            ("new clips", task, ()),
            ("known clips", task, ()),
            ("known clips, read as they are asked for", task, ("--cache", "none")),
            ("clips in shards", shards, ()),
        )
        rows = []
        for title, of_task, options in starts:
            if of_task == shards:
                _say("writing shards")
                _prepare(task, scratch)
            _say(title)
            rows.append({"start": title, **_start(of_task, options, scratch)})
        return {"machine": machine(), "rows": rows}


def _start(task, options, scratch):
    """The numbers of one start."""
    began = time.perf_counter()
    command = ["benchmarks.first_step", task, os.fspath(scratch / "run"), *options]
    child = _child(command, scratch, stdout=subprocess.PIPE)
    times, last = {}, ""
    for line in child.stdout:
        if line.strip():
            last = line
        for mark in ("reading the clips", "classes; ", "first step"):
            if mark in line:
                times[mark] = time.perf_counter() - began
                if mark == "classes; ":
                    n_clips = _total(line)
    if child.wait() or "first step" not in times:
        raise UserError(f"the training did not start: {last.strip()}")
    _, _, peak, processor = last.split()
    heard = times["classes; "] - times["reading the clips"]
    return {
        "n_clips": n_clips,
        "ready_seconds": times["classes; "],
        "first_step_seconds": times["first step"],
        "clips_per_second": n_clips / heard,
        "processor_seconds": float(processor),
        "peak_bytes": int(peak),
    }


def _prepare(task, scratch):
    words = ["training", "prepare", task, "--output", os.fspath(scratch / "shards")]
    if _child(words, scratch, stdout=subprocess.DEVNULL).wait():
        raise UserError("the shards could not be written")


def _child(words, scratch, **streams):
    settings = {"LEAF_TF_CACHE": os.fspath(scratch / "cache")}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, **settings},
        text=True,
        **streams,
    )


def _total(line):
    """The number of clips in "10 classes; 8 train, 1 validation, 1 test clips"."""
    sizes = line.split(";")[1].split("clips")[0].split(",")
    return sum(int(size.split()[0]) for size in sizes)


def _made(folder, n_clips, clip_seconds):
    """A folder of noisy tones, of another pitch in each class."""
    random = np.random.default_rng(0)
    time_axis = np.arange(int(clip_seconds * _RATE)) / _RATE
    classes = [folder / f"class{n}" for n in range(_CLASSES)]
    for path in classes:
        path.mkdir(parents=True)
    tones = [
        0.3 * np.sin(2 * np.pi * 300 * (n + 1) * time_axis) for n in range(_CLASSES)
    ]
    for n in range(n_clips):
        noise = random.uniform(-0.1, 0.1, len(time_axis))
        path = classes[n % _CLASSES] / f"{n:07d}.wav"
        write_clip(path, tones[n % _CLASSES] + noise, _RATE)
        os.utime(path, (_LONG_AGO, _LONG_AGO))
    return folder


def _say(line):
    print(line, file=sys.stderr, flush=True)
