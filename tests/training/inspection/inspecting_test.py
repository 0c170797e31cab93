"""What `inspect` finds in clips that were made to have it."""

import csv
import json

import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from tests.training import miniatures
from training.__main__ import dispatch
from training.inspection.facts import ClipFacts
from training.inspection.figures import lengths
from training.inspection.findings import decibels, told_by
from training.inspection.inspecting import inspect
from training.settings.config import FitConfig

RATE = 8000


@pytest.fixture
def rooms(tmp_path, rng):
    """Two classes of noise, 3 cuts of each of 4 rooms; what is odd about some."""
    folder = tmp_path / "clips"
    for label in ("door", "window"):
        for room in range(4):
            for cut in range(3):
                noise = rng.uniform(-0.1, 0.1, RATE + 100 * cut)
                write(folder, f"{label}/room{room}_{cut}.wav", noise)
    loud = np.clip(20 * rng.uniform(-0.1, 0.1, RATE), -1, 1)
    write(folder, "door/room0_0.wav", loud)
    write(folder, "door/room1_0.wav", np.zeros(RATE))
    write(folder, "door/room2_0.wav", 1e-4 * rng.uniform(-1, 1, RATE))
    tone = 0.1 * np.sin(np.arange(2 * RATE) ** 1.4 / 90) + rng.uniform(-0.1, 0.1, 16000)
    write(folder, "window/room3_0.wav", tone)
    write(folder, "window/room0_0.wav", 0.5 * tone[4000:])
    write(folder, "window/room0_1.wav", tone)
    return folder


def write(folder, name, waveform):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_clip(folder / name, waveform, RATE)


def findings(task, **settings):
    [found] = inspect(FitConfig(task=str(task), **settings))
    return found.findings


def test_what_is_odd_about_clips_is_found_and_named(rooms):
    found = findings(f"folder:{rooms}")
    assert found["clips"] == 24
    assert found["sample_rates"] == {"8000": 24}
    assert found["seconds"]["min"] == 1 and found["seconds"]["max"] == 2
    assert found["clipped"] == ["door/room0_0.wav"]
    assert found["silent"] == ["door/room1_0.wav"]
    assert found["quiet"] == ["door/room2_0.wav"]
    assert found["copies"] == [["window/room0_1.wav", "window/room3_0.wav"]]
    [alike] = found["near_duplicates"]
    assert alike == [f"window/room{name}.wav" for name in ("0_0", "0_1", "3_0")]
    assert found["classes"]["door"]["clips"] == 12
    assert found["groups"] is None
    [proposed, *_] = found["proposed_groups"]
    assert proposed["option"] == r"--group-pattern '(room\d+)_'"
    assert proposed["groups"] == 4
    assert found["loudness_dbfs"]["min"] == -120
    # Of uniform noise in [-a, a] the mean square is a^2 / 3.
    assert found["loudness_dbfs"]["median"] == pytest.approx(-24.8, abs=0.1)


def test_groups_that_are_asked_for_are_held_out_whole(rooms):
    found = findings(f"folder:{rooms}", group_pattern=r"(room\d)_")
    assert found["groups"] == 4
    assert found["proposed_groups"] == []
    assert sum(split["groups"] for split in found["splits"].values()) == 4
    assert sum(split["clips"] for split in found["splits"].values()) == 24
    door = found["classes"]["door"]
    assert door["test"] == {"clips": 3, "groups": 1}


@pytest.mark.parametrize("settings", [{}, {"group_pattern": r"(room\d)_"}])
def test_the_table_that_is_written_is_read_as_it_is(rooms, tmp_path, settings):
    table = tmp_path / "lists" / "clips.csv"
    config = FitConfig(task=f"folder:{rooms}", **settings)
    [before] = inspect(config, write=table)
    again = findings(f"table:{table}")
    for key in ("clips", "hours", "splits", "classes", "groups", "loudness_dbfs"):
        assert again[key] == before.findings[key], key
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert {r["sounds_like"] for r in rows if "/window/room3_0" in r["path"]} == {"1"}
    assert ("group" in rows[0]) == bool(settings)
    with pytest.raises(UserError, match="exists, and may have been edited"):
        inspect(config, write=table)


def test_a_table_beside_the_clips_has_short_paths_and_segments(tmp_path, rng):
    write(tmp_path, "long.wav", rng.uniform(-0.1, 0.1, 12 * RATE))
    rows = [f"long.wav,{'ab'[n % 2]},g{n},{n},{n + 1}" for n in range(12)]
    table = tmp_path / "events.csv"
    table.write_text("\n".join(["path,label,group,start,end", *rows]))
    copy = tmp_path / "copy.csv"
    inspect(FitConfig(task=f"table:{table}"), write=copy)
    with copy.open() as file:
        written = list(csv.DictReader(file))
    assert {row["path"] for row in written} == {"long.wav"}
    kept = [(r["label"], r["group"], r["start"], r["end"]) for r in written]
    assert kept == [("ab"[n % 2], f"g{n}", f"{n}.0", f"{n + 1}.0") for n in range(12)]


def test_clips_of_several_labels_are_counted_for_each(tmp_path, rng):
    labels = ["a", "b", "a|b"] * 8
    for n in range(24):
        write(tmp_path, f"{n}.wav", rng.uniform(-0.1, 0.1, 800))
    rows = [f"{n}.wav,{label}" for n, label in enumerate(labels)]
    table = tmp_path / "tags.csv"
    table.write_text("\n".join(["path,label", *rows]))
    copy = tmp_path / "copy.csv"
    inspect(FitConfig(task=f"table:{table}"), write=copy)
    for task in (table, copy):
        found = findings(f"table:{task}")
        assert found["multi_label"]
        assert found["labels_a_clip"] == {"1": 16, "2": 8}
        assert [found["classes"][label]["clips"] for label in "ab"] == [16, 16]


def test_a_class_that_a_table_would_take_for_two_is_not_written(tmp_path, rng):
    for n in range(6):
        write(
            tmp_path, f"clips/{'a|b' if n % 2 else 'c'}/{n}.wav", rng.uniform(-1, 1, 80)
        )
    copy = tmp_path / "copy.csv"
    with pytest.raises(UserError, match=r"a class is called 'a\|b': rename it"):
        inspect(FitConfig(task=f"folder:{tmp_path / 'clips'}"), write=copy)
    assert not copy.exists()


def test_clips_that_cant_be_split_are_described_all_the_same(tmp_path, rng, capsys):
    for n in range(4):
        write(tmp_path, f"clips/a/{n}.wav", rng.uniform(-0.1, 0.1, 800))
    write(tmp_path, "clips/b/0.wav", rng.uniform(-0.1, 0.1, 800))
    (tmp_path / "clips/a/broken.wav").write_bytes(b"RIFF")
    dispatch(["inspect", f"folder:{tmp_path / 'clips'}"])
    printed = capsys.readouterr().out
    assert "none can be made, see below" in printed
    assert "1 of 6 clips can't be used" in printed
    assert "class 'b' has 1 distinct clips" in printed


def test_figures_are_drawn_and_json_is_printed(rooms, tmp_path, capsys):
    figures = tmp_path / "figures"
    task = f"folder:{rooms}"
    options = ["--group-pattern", r"(room\d)_", "--output", str(figures), "--json"]
    dispatch(["inspect", task, *options])
    assert json.loads(capsys.readouterr().out)["task"] == task
    drawn = sorted(path.name for path in figures.iterdir())
    assert drawn == ["classes.png", "groups.png", "lengths.png", "loudness.png"]


def test_a_task_of_tfds_is_inspected_too(tmp_path):
    miniatures.ready(tmp_path / "tfds", ["spoken_digit"])
    settings = {"task": "spoken_digit", "data_dir": str(tmp_path / "tfds")}
    found = findings(**settings)
    assert found["clips"] == sum(of["clips"] for of in found["splits"].values())
    assert found["sample_rates"] == {"8000": found["clips"]}
    [proposed, *_] = found["proposed_groups"]
    assert proposed["option"] == "--group-pattern '[^/_]+_([^/_]+)_[^/_]+$'"
    assert proposed["groups"] == len(miniatures.DIGIT_SPEAKERS)
    held_out = findings(**settings, group_pattern=r"_(\w+)_")
    assert held_out["groups"] == len(miniatures.DIGIT_SPEAKERS)
    with pytest.raises(UserError, match="are no files"):
        inspect(FitConfig(**settings), write=tmp_path / "clips.csv")
    with pytest.raises(UserError, match="isn't prepared"):
        findings("spoken_digit", data_dir=str(tmp_path))


def test_a_table_is_called_csv(rooms, tmp_path):
    with pytest.raises(UserError, match=r"makes a table, FILE.csv. Received: .*tsv"):
        inspect(FitConfig(task=f"folder:{rooms}"), write=tmp_path / "clips.tsv")


def test_loudness_is_that_of_a_full_scale_square_wave_at_0_db():
    assert decibels(1.0) == 0
    assert decibels(0.0) == -120


def test_a_value_tells_classes_by_its_commonest_one():
    assert told_by([1, 1, 2, 2], "aabb") == 1
    assert told_by([1, 1, 1, 1], "aabb") == 0.5


def test_lengths_are_written_in_seconds():
    clips = [ClipFacts("", (), s, RATE, "", 0.0, 0, False, "") for s in (0.15, 3.0)]
    figure = lengths(clips)
    figure.draw_without_rendering()
    [axes] = figure.axes
    low, high = axes.get_xlim()
    ticks = zip(axes.get_xticks(), axes.get_xticklabels())
    shown = [label.get_text() for tick, label in ticks if low <= tick <= high]
    assert shown == ["0.2", "0.5", "1", "2"]
    assert not any(label.get_text() for label in axes.get_xticklabels(minor=True))
