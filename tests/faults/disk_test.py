"""A full disk and a read-only one lose nothing that was there before."""

import os
import subprocess
import zipfile

import numpy as np
import pytest

from export.__main__ import dispatch as export
from leaf_files import atomic, command_line
from leaf_files.clips import read_clip, write_clip
from tests.export.models import classifier, mel
from tests.training.runs import SAMPLE_RATE, write_noises
from training.__main__ import dispatch as training

FULL = "No space left on device"
SMALL = (
    *("--frontend", "mel", "--n-filters", "8", "--sample-rate", str(SAMPLE_RATE)),
    *("--window-seconds", "0.25", "--epochs", "2", "--batch-size", "4"),
)


@pytest.fixture
def mounted(tmp_path):
    """mounted(size) is a disk of its own, such as "64k", with a file of the user's."""
    place = tmp_path / "disk"

    def mount(size):
        place.mkdir()
        options = ("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
        try:
            done = subprocess.run(["mount", *options], capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("needs the command mount")
        if done.returncode:
            pytest.skip(f"may not mount a disk here: {done.stderr.strip()}")
        (place / "mine.txt").write_text("before")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True)


def contents(folder):
    """{path: bytes} of all files below a folder."""
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def refused(capfd):
    """Asserts that a command fails with one line that has these words."""

    def run(dispatch, words, *argv):
        capfd.readouterr()
        assert command_line.run(dispatch, [*map(str, argv)], "python -m any") == 1
        error = capfd.readouterr().err
        assert error.count("\n") == 1 and words in error, error

    return run


@pytest.mark.parametrize(
    "write",
    [
        lambda path: atomic.write_text(path, "x" * 100_000),
        lambda path: atomic.write_json(path, ["x" * 100_000]),
        lambda path: write_clip(
            path, np.zeros(50_000) + np.arange(50_000) % 7 / 9, 8000
        ),
    ],
    ids=["text", "json", "clip"],
)
def test_a_file_that_finds_no_place_leaves_the_one_before(mounted, write):
    disk = mounted("64k")
    path = disk / "file.wav"
    write_clip(path, np.ones(100), 8000)
    before = contents(disk)
    with pytest.raises(OSError, match=FULL):
        write(path)
    assert contents(disk) == before
    assert read_clip(path)[0].size == 100


def test_a_folder_that_finds_no_place_leaves_the_one_before(mounted):
    disk = mounted("64k")
    with atomic.replacing_folder(disk / "artifact", marker="report.json") as folder:
        (folder / "report.json").write_text("before")
    before = contents(disk)
    with pytest.raises(OSError, match=FULL):
        with atomic.replacing_folder(disk / "artifact", marker="report.json") as folder:
            (folder / "report.json").write_bytes(bytes(100_000))
    assert contents(disk) == before
    assert sorted(os.listdir(disk)) == ["artifact", "mine.txt"]


# In the first clips of the run; in its checkpoints.
@pytest.mark.parametrize("size", ["16k", "1000k"])
def test_fit_on_a_full_disk(mounted, refused, tmp_path, size):
    clips = write_noises(tmp_path / "clips", n_clips=4)
    disk = mounted(size)
    run = disk / "run"
    refused(training, FULL, "fit", "--task", f"folder:{clips}", "--output", run, *SMALL)
    assert (disk / "mine.txt").read_text() == "before"
    for checkpoint in run.rglob("*.keras"):  # what is there is whole
        assert zipfile.ZipFile(checkpoint).testzip() is None
    assert not [p for p in run.rglob("*") if p.name.startswith(".")]
    assert not (run / "metrics.json").exists()


@pytest.mark.parametrize("formats", ["saved_model", "tflite"])
def test_export_on_a_full_disk(mounted, refused, tmp_path, formats):
    model = tmp_path / "model.keras"
    classifier(layer=mel()).save(model)
    disk = mounted("48k")
    artifact = disk / "artifact"
    artifact.mkdir()
    (artifact / "report.json").write_text("{}")
    (artifact / "model.tflite").write_bytes(b"before")
    before = contents(disk)
    options = ("--output", artifact, "--formats", formats, "--window", "0.2")
    refused(export, FULL, model, *options)
    assert contents(disk) == before
    assert sorted(os.listdir(disk)) == ["artifact", "mine.txt"]


def test_a_read_only_disk(mounted, refused, tmp_path):
    clips = write_noises(tmp_path / "clips", n_clips=4)
    model = tmp_path / "model.keras"
    classifier(layer=mel()).save(model)
    disk = mounted("64k")
    (disk / "run").mkdir()
    before = contents(disk)
    done = subprocess.run(["mount", "-o", "remount,ro", str(disk)], capture_output=True)
    if done.returncode:
        pytest.skip("may not make a disk read-only here")
    words = "Read-only file system; name a folder that can be made and written to"
    for output in (disk / "run", disk / "new" / "run"):
        refused(training, words, "fit", "--task", f"folder:{clips}", "--output", output)
        refused(export, words, model, "--output", output)
    assert contents(disk) == before
