import csv
import dataclasses
import json

import numpy as np
import pytest

from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from tests.training.runs import write_noises
from training.__main__ import dispatch
from training.mixtures import mixing
from training.mixtures.mixing import mix
from training.mixtures.settings import MixSettings
from training.tasks.own.tables.reading import read_table
from training.tasks.registry import get_task

RATE = 8000
LSB = 1 / 32768
SETTINGS = MixSettings(
    minutes=1.0, recording_minutes=0.5, events_per_minute=20.0, sample_rate=RATE
)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_noises(tmp_path_factory.mktemp("mixtures") / "clips", n_clips=10)


def mixed(clips, output, settings=SETTINGS, **changes):
    """(waveform of each recording, rows of the table) of mixtures."""
    settings = dataclasses.replace(settings, **changes)
    mix(get_task(f"folder:{clips}"), settings, output, lambda line: None)
    with open(output / "table.csv") as file:
        rows = list(csv.DictReader(file))
    names = sorted(path.name for path in output.glob("mixture_*"))
    return {name: read_clip(output / name)[0].astype(float) for name in names}, rows


def place_of(row):
    return round(float(row["start"]) * RATE), round(float(row["end"]) * RATE)


def test_events_are_where_the_table_says_as_loud_as_it_says(clips, tmp_path):
    changes = {"snr": (-5.0, 15.0), "format": "wav"}
    waveforms, rows = mixed(clips, tmp_path / "mixed", **changes)
    silent, no_rows = mixed(clips, tmp_path / "none", events_per_minute=0, **changes)
    assert (len(rows), no_rows) == (20, [])
    for name, waveform in waveforms.items():
        background, events = silent[name], waveform - silent[name]
        assert np.mean(background**2) == pytest.approx(0.01**2, rel=0.05)
        for row in (row for row in rows if row["path"] == name):
            start, end = place_of(row)
            found = 10 * np.log10(np.mean(events[start:end] ** 2) / 0.01**2)
            assert found == pytest.approx(float(row["snr"]), abs=0.3)  # of its fades
            # It begins at this sample, but for the 5 ms of its fade.
            assert np.abs(events[start : start + 80]).max() > 4 * LSB
            assert np.abs(events[end - 80 : end]).max() > 4 * LSB
            events[start:end] = 0
        assert np.abs(events).max() <= 1.01 * LSB


def test_a_clip_is_put_in_without_its_silence(tmp_path):
    random = np.random.default_rng(0)
    for label in ("a", "b"):
        for n in range(4):
            clip = np.zeros(RATE)
            clip[2000:4000] = random.uniform(-0.5, 0.5, 2000)
            write_clip(tmp_path / "clips" / label / f"{n}.wav", clip, RATE)
    _, rows = mixed(tmp_path / "clips", tmp_path / "mixed")
    assert {end - start for start, end in map(place_of, rows)} == {2000}


def test_the_seed_decides_on_all(clips, tmp_path):
    (first, rows), (again, rows_again), (other, other_rows) = (
        mixed(clips, tmp_path / name, seed=seed)
        for name, seed in (("first", 5), ("again", 5), ("other", 6))
    )
    assert rows == rows_again != other_rows
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        assert abs(np.corrcoef(first[name], other[name])[0, 1]) < 0.2


def test_blocks_are_of_any_length(clips, tmp_path, monkeypatch):
    whole, _ = mixed(clips, tmp_path / "whole")
    monkeypatch.setattr(mixing, "_BLOCK_SECONDS", 0.0371)
    pieces, _ = mixed(clips, tmp_path / "pieces")
    for name in whole:
        np.testing.assert_array_equal(whole[name], pieces[name])


@pytest.mark.parametrize("overlap", [False, True])
def test_loud_events_lower_a_whole_recording(clips, tmp_path, overlap):
    """Nothing is clipped, and ratios hold."""
    changes = {"snr": (50.0, 50.0), "overlap": overlap, "format": "wav"}
    waveforms, rows = mixed(clips, tmp_path / "mixed", **changes)
    for name, waveform in waveforms.items():
        assert 0.3 < np.abs(waveform).max() <= 0.991
        events = np.zeros(len(waveform), bool)
        for row in (row for row in rows if row["path"] == name):
            start, end = place_of(row)
            events[start:end] = True
        # Of 16 bits at such a level few are the background's.
        ratio = np.mean(waveform[events] ** 2) / np.mean(waveform[~events] ** 2)
        assert 10 * np.log10(ratio) == pytest.approx(50, abs=4 if overlap else 1)


def test_only_clips_of_the_split_are_taken(clips, tmp_path):
    task = get_task(f"folder:{clips}")
    splits = task.load(seed=0).splits
    for split in ("train", "test"):
        _, rows = mixed(clips, tmp_path / split, split=split)
        names = {clip.file for clip in splits[split].clips}
        assert {row["clip"] for row in rows} <= names
    assert {row["clip"] for row in rows} == names  # of the 2 test clips


def test_the_table_is_one_of_clips(clips, tmp_path):
    _, rows = mixed(clips, tmp_path / "mixed")
    table = read_table(tmp_path / "mixed" / "table.csv")
    assert (table.faults, table.bad) == ([], [])
    assert len(table.entries()) == len(rows)
    assert table.columns["label"].labels == ("high", "low")


def test_recordings_are_a_background_each_as_loud(clips, tmp_path):
    random = np.random.default_rng(0)
    for n, level in enumerate((0.5, 0.005)):
        noise = random.uniform(-level, level, 10 * RATE)
        write_clip(tmp_path / "street" / f"{n}.wav", noise, RATE)
    changes = {"events_per_minute": 0, "background": str(tmp_path / "street")}
    waveforms, _ = mixed(clips, tmp_path / "mixed", **changes)
    whole = np.concatenate(list(waveforms.values()))
    assert len(whole) == 60 * RATE
    for start in range(0, len(whole), 10 * RATE):
        level = np.sqrt(np.mean(whole[start : start + 10 * RATE] ** 2))
        assert level == pytest.approx(0.01, rel=0.02)
    content = json.loads((tmp_path / "mixed" / "mixtures.json").read_text())
    files = content["background_files"]
    # Both, before one is repeated.
    assert all(len({*files[n : n + 2]}) == 2 for n in range(0, 6, 2))


def test_background_classes_are_no_events(clips, tmp_path, capsys):
    write_noises(tmp_path / "clips", n_clips=4)
    (tmp_path / "clips" / "high").rename(tmp_path / "clips" / "noise")
    write_noises(tmp_path / "more", n_clips=4)
    (tmp_path / "more" / "high").rename(tmp_path / "clips" / "high")
    _, rows = mixed(tmp_path / "clips", tmp_path / "mixed")
    assert {row["label"] for row in rows} == {"high", "low"}
    assert "4 clips of folder:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, said",
    [
        (["--events-per-minute", "600"], "don't fit into a recording"),
        (["--background", "no"], "there is no folder .*no: --background is pink"),
        (["--minutes", "0"], "`minutes` must be above 0"),
    ],
)
def test_what_cannot_be_mixed_is_refused(clips, tmp_path, options, said):
    command = ["mix", f"folder:{clips}", "--output", str(tmp_path / "mixed")]
    with pytest.raises(UserError, match=said):
        dispatch([*command, "--minutes", "1", *options])
    assert not (tmp_path / "mixed").exists()


def test_a_folder_of_other_files_is_kept(clips, tmp_path):
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="will not replace the folder"):
        mixed(clips, tmp_path / "mixed")
    with pytest.raises(UserError, match="folder of the clips"):
        mixed(clips, clips / "mixed")
