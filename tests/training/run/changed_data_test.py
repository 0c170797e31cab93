"""A run is tied to the data it came of: what is said and done when that changed."""

import csv
import dataclasses
import json
import shutil
from types import SimpleNamespace

import pytest

from leaf_files import command_line
from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from leaf_files.run_folder import Head
from tests.training.runs import flat, write_noises
from training.__main__ import dispatch
from training.evaluation import figures
from training.evaluation.evaluating import evaluate
from training.fit.checkpoints import Checkpoints
from training.fit.fitting import fit
from training.fit.progress import Progress
from training.run.data_checks import adapted_record, heard_before, news_of
from training.run.data_record import DataRecord, OtherDataError, TaskRecord
from training.run.folder import RunFolder
from training.run.heads import read_heads
from training.settings.config import FitConfig
from training.tasks.own.folder import FolderTask
from training.tasks.registry import get_task


@pytest.fixture
def moved(finished, noises, tmp_path):
    """A copy of the finished run whose clips are a copy too, to be changed."""
    clips = shutil.copytree(noises, tmp_path / "clips")
    path = shutil.copytree(finished.path, tmp_path / "run")
    config = dataclasses.replace(finished.config, task=f"folder:{clips}")
    (path / "config.json").write_text(json.dumps(config.to_dict()))
    tasks = json.loads((path / "tasks.json").read_text())
    tasks["tasks"][0]["task"] = config.task
    (path / "tasks.json").write_text(json.dumps(tasks))
    return SimpleNamespace(
        path=path,
        run=RunFolder(path),
        clips=clips,
        config=config,
        metrics=flat(finished.metrics["tasks"][finished.config.task]),
    )


@pytest.fixture
def begun(moved, monkeypatch):
    """The same, as if it had been cut off before its test."""
    monkeypatch.setattr(figures, "draw_run", lambda *args: None)
    moved.run.metrics.unlink()
    moved.run.model.unlink()
    return moved


def listed(moved, split):
    with moved.run.data_clips.open(newline="") as file:
        return [row["file"] for row in csv.DictReader(file) if row["split"] == split]


def make_quieter(folder):
    for path in folder.rglob("*.flac"):
        waveform, rate = read_clip(path)
        write_clip(path, 0.9 * waveform, rate)


def add_clips(folder, n_clips):
    new = write_noises(folder.parent / "new", n_clips, seed=9)
    for path in new.rglob("*.flac"):
        shutil.copy(path, folder / path.parent.name / f"new{path.name}")


def swap_classes(folder):
    (folder / "high").rename(folder / "x")
    (folder / "low").rename(folder / "high")
    (folder / "x").rename(folder / "low")


def evaluated(moved, capsys, *arguments, **settings):
    """(metrics, notes)."""
    capsys.readouterr()
    [evaluation] = evaluate(moved.path, *arguments, **settings)
    lines = capsys.readouterr().err.splitlines()
    return flat(evaluation.scores), [n for n in lines if n.startswith("note")]


def test_the_record_is_written_as_the_run_begins(finished, noises):
    run = RunFolder(finished.path)
    record = DataRecord.read(run)
    [task] = record.tasks
    assert (task.task, task.labels) == (finished.config.task, ("high", "low"))
    assert task.n_clips == finished.metrics["clips"]
    data = FolderTask(noises).load(seed=0)
    [head] = read_heads(run.tasks)
    assert task.splits == TaskRecord.of(head, data.splits).splits
    assert set(record.files) == {"model.keras", "evaluation_clips"}
    assert run.notes() == []
    assert run.data_clips.stat().st_size < 70 * task.total


def test_unchanged_data_is_evaluated_without_a_word(moved, capsys):
    for n, path in enumerate(sorted((moved.clips / "low").iterdir(), reverse=True)):
        path.rename(path.with_name(f"renamed{n}.flac"))
    found, notes = evaluated(moved, capsys, exactly=True)
    assert found == pytest.approx(moved.metrics)
    assert notes == []


def test_clips_converted_in_place_are_not_taken_for_the_test_split(moved, capsys):
    make_quieter(moved.clips)
    code = command_line.run(dispatch, ["evaluate", str(moved.path)], "training")
    error = capsys.readouterr().err
    assert code == 1 and error.count("\n") == 1
    assert f"the data of {moved.config.task} changed since" in error
    assert "40 clips changed in sound (32 train, 4 validation, 4 test: " in error
    assert "0 of its 4 test clips are left: bring the data back" in error
    spelled = f"folder:{moved.clips}/high/.."  # the same folder
    with pytest.raises(OtherDataError, match="0 of its 4 test clips are left"):
        evaluate(moved.path, spelled)


def test_clips_that_were_added_are_not_tested_on(moved, capsys):
    add_clips(moved.clips, 30)
    now = FolderTask(moved.clips).load(seed=0).splits["test"]
    assert now.n_examples == 10  # drawn anew, with clips that it was trained on
    found, [note] = evaluated(moved, capsys)
    assert found == pytest.approx(moved.metrics)
    assert "60 clips added (high/new00.flac, " in note
    assert "taking those 4 clips whose sound was in its test split, 4 then" in note
    with pytest.raises(OtherDataError, match="60 clips added"):
        evaluate(moved.path, exactly=True)


def test_test_clips_that_are_gone_are_counted(moved, capsys):
    first, *_ = listed(moved, "test")
    (moved.clips / first).unlink()
    found, [note] = evaluated(moved, capsys)
    assert found["n_examples"] == 3
    assert f"1 clip removed (1 test: {first})" in note
    assert "taking those 3 clips" in note


def test_classes_that_were_swapped_are_said(moved, capsys):
    swap_classes(moved.clips)
    found, [note] = evaluated(moved, capsys)
    assert found["accuracy"] == pytest.approx(1 - moved.metrics["accuracy"])
    assert "40 clips now of another class (32 train, 4 validation, 4 test: " in note


def test_trained_clips_in_another_folder_are_counted(moved, capsys):
    other = write_noises(moved.path.parent / "other", n_clips=3, seed=5)
    assert evaluated(moved, capsys, f"folder:{other}")[1] == []
    for split in ("train", "validation", "test"):
        for file in listed(moved, split)[:2]:
            path = moved.clips / file
            shutil.copy(path, other / path.parent.name / f"{split}-{path.name}")
    _, [note] = evaluated(moved, capsys, f"folder:{other}")
    assert "of these 12 clips " in note
    assert "trained on 2 and chose its epoch by 2 (the very same sound)" in note


def test_clips_that_moved_are_the_test_split_that_they_were(moved, capsys):
    elsewhere = moved.clips.rename(moved.path.parent / "elsewhere")
    found, [note] = evaluated(moved, capsys, f"folder:{elsewhere}")
    assert found == pytest.approx(moved.metrics)
    assert f"holds the clips of {moved.config.task}, which isn't there" in note
    shutil.copytree(elsewhere, moved.clips)
    found, [note] = evaluated(moved, capsys, f"folder:{elsewhere}")
    assert found["n_examples"] == 40 and "(the very same sound)" in note


def test_a_converted_copy_of_the_clips_is_said(moved, capsys):
    copy = shutil.copytree(moved.clips, moved.path.parent / "copy")
    make_quieter(copy)
    _, [note] = evaluated(moved, capsys, f"folder:{copy}")
    assert "these 40 clips are called as those of" in note


def test_runs_of_before_say_that_nothing_can_be_checked(moved, capsys):
    moved.run.data.unlink()
    moved.run.data_clips.unlink()
    found, [note] = evaluated(moved, capsys)
    assert found == pytest.approx(moved.metrics)
    assert "has no record of its clips (an older version wrote it): whether" in note
    other = write_noises(moved.path.parent / "other", n_clips=2, seed=5)
    _, [note] = evaluated(moved, capsys, f"folder:{other}")
    assert "whether it was trained on these can't be checked" in note


def test_settings_that_were_edited_are_refused(moved):
    config = dataclasses.replace(moved.config, sample_rate=4000)
    moved.run.config.write_text(json.dumps(config.to_dict()))
    with pytest.raises(UserError, match="says 4000 Hz, the model's frontend "):
        evaluate(moved.path)


def test_a_head_of_several_labels_is_not_tested_on_a_folder(moved):
    tasks = moved.run.tasks.read_text()
    moved.run.tasks.write_text(tasks.replace("softmax", "sigmoid"))
    with pytest.raises(UserError, match="clips of folder:.* have one label each"):
        evaluate(moved.path)


def test_labels_that_were_edited_are_refused(moved):
    moved.run.labels.write_text("low\nhigh\n")
    with pytest.raises(UserError, match="the labels of .* don't belong together"):
        evaluate(moved.path)


def test_a_model_that_was_copied_there_is_said(moved, capsys):
    with moved.run.model.open("ab") as file:
        file.write(b"\0")
    _, [note] = evaluated(moved, capsys)
    assert "model.keras isn't as training wrote it" in note


def rename_a_class(begun):
    (begun.clips / "low").rename(begun.clips / "alow")
    return "class low gone, class alow new, 20 clips now of another class"


def add_a_class(begun):
    shutil.copytree(begun.clips / "low", begun.clips / "mid")
    make_quieter(begun.clips / "mid")
    return r"class mid new, 20 clips added \(16 train, 2 validation, 2 test: mid/00"


def add(begun):
    add_clips(begun.clips, 10)
    return r"20 clips added \(.* train, .*: high/new00.flac, "


def remove(begun):
    (begun.clips / listed(begun, "train")[0]).unlink()
    return r"1 clip removed \(1 train: high/"


def convert(begun):
    make_quieter(begun.clips)
    return r"40 clips changed in sound \(32 train, 4 validation, 4 test: "


def relabel(begun):
    file = next(f for f in listed(begun, "validation") if f.startswith("low"))
    shutil.move(begun.clips / file, begun.clips / "high" / "moved.flac")
    return rf"1 clip now of another class \(1 validation: {file}\)"


@pytest.mark.parametrize(
    "change", [rename_a_class, add_a_class, add, remove, convert, relabel]
)
def test_a_run_does_not_go_on_with_other_data(begun, change):
    before = {path: path.read_bytes() for path in begun.path.glob("*.*")}
    said = change(begun)
    with pytest.raises(OtherDataError, match=said) as error:
        fit(begun.config, begun.path, resume=True)
    assert "bring it back as it was to go on, or name another --output" in str(error)
    assert {path: path.read_bytes() for path in begun.path.glob("*.*")} == before


def test_a_run_goes_on_where_its_clips_moved_to(begun):
    elsewhere = begun.clips.rename(begun.path.parent / "elsewhere")
    config = dataclasses.replace(begun.config, task=f"folder:{elsewhere}")
    other = write_noises(begun.path.parent / "other", n_clips=20, seed=7)
    with pytest.raises(OtherDataError, match="changed since"):
        fit(dataclasses.replace(config, task=f"folder:{other}"), begun.path, True)
    metrics = fit(config, begun.path, resume=True)
    assert flat(metrics["tasks"][config.task]) == pytest.approx(begun.metrics)
    assert [head.task for head in read_heads(begun.run.tasks)] == [config.task]
    assert FitConfig.read(begun.run.config) == config


def test_a_run_does_not_go_on_in_another_folder_while_its_own_is_there(begun):
    elsewhere = shutil.copytree(begun.clips, begun.path.parent / "elsewhere")
    link = begun.path.parent / "link"
    link.symlink_to(begun.clips)
    config = dataclasses.replace(begun.config, task=f"folder:{elsewhere}")
    with pytest.raises(UserError, match="was started with task folder:"):
        begun.run.require_config(config)
    begun.run.require_config(dataclasses.replace(config, task=f"folder:{link}/"))


def test_a_run_goes_on_with_the_same_sounds(begun, capsys):
    """Under other names; and labels that somebody edited are mended."""
    for path in sorted((begun.clips / "low").iterdir()):
        path.rename(path.with_name(f"renamed{path.name}"))
    begun.run.labels.write_text("low\nhigh\n")
    metrics = fit(begun.config, begun.path, resume=True)
    assert flat(metrics["tasks"][begun.config.task]) == pytest.approx(begun.metrics)
    assert begun.run.labels.read_text() == "high\nlow\n"
    assert begun.run.notes() == []
    assert "note" not in capsys.readouterr().out


def test_a_run_of_before_goes_on_if_its_classes_are_the_same(begun, capsys):
    begun.run.data.unlink()
    begun.run.data_clips.unlink()
    (begun.clips / "low").rename(begun.clips / "alow")
    said = "they were high, low and are alow, high; bring them back"
    with pytest.raises(OtherDataError, match=said):
        fit(begun.config, begun.path, resume=True)
    (begun.clips / "alow").rename(begun.clips / "low")
    capsys.readouterr()
    fit(begun.config, begun.path, resume=True)
    assert "whether they are the same now can't be checked" in capsys.readouterr().out
    assert not begun.run.data.exists()


def test_a_checkpoint_of_other_classes_is_one_line(begun, monkeypatch):
    model = SimpleNamespace(output=SimpleNamespace(shape=(None, 3)))
    monkeypatch.setattr(Checkpoints, "restore", lambda *_: (model, Progress()))
    with pytest.raises(UserError, match="tells 3 classes apart, but .* are 2"):
        fit(begun.config, begun.path, resume=True)


def opened(folder, head="clips"):
    """The task, its `TaskRecord` and its clips, as `adapt` opens them."""
    data = FolderTask(folder).load(seed=0)
    record = TaskRecord.of(Head(f"folder:{folder}", head, data.labels), data.splits)
    return get_task(f"folder:{folder}"), record, data.splits


def test_what_is_adapted_to_is_not_what_changed(moved):
    [head] = moved.run.read_heads()
    assert news_of(moved.run, *opened(moved.clips, head.name)) == []
    add_clips(moved.clips, 10)
    with pytest.raises(
        OtherDataError, match=r"20 clips added .* a folder of their own"
    ):
        news_of(moved.run, *opened(moved.clips, head.name))


def test_an_adapted_run_knows_what_the_first_was_trained_on(moved, tmp_path):
    [head] = moved.run.read_heads()
    other = write_noises(tmp_path / "other", n_clips=10, seed=5)
    task, data, clips = opened(other, head.name)
    assert news_of(moved.run, task, data, clips) == []
    new = dataclasses.replace(head, task=data.task)
    record = adapted_record(moved.run, (new,), data)
    assert record.tasks == (data,)
    assert [task.head for task in record.before] == [f"{head.name}, before 1"]
    (tmp_path / "new").mkdir()
    record.write(RunFolder(tmp_path / "new"))
    trained = DataRecord.read(RunFolder(tmp_path / "new")).sounds("train")
    assert len(trained) == 32 + 16
    _, _, old_clips = opened(moved.clips)
    told = heard_before(RunFolder(tmp_path / "new"), task, old_clips["train"])
    assert "of these 32 clips" in told and "trained on 32 and" in told

    for file in listed(moved, "train"):
        shutil.copy(moved.clips / file, other / file.replace("/", "/copy"))
    [*lines] = news_of(moved.run, *opened(other, head.name))
    assert len(lines) == 2
    assert "validation clips" in lines[0] and "test clips" in lines[1]
    assert " chose its epoch by 0 (the very same sound)" in lines[1]
