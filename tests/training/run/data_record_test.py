import dataclasses
import json

import pytest
import soundfile

from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from leaf_files.run_folder import Head
from training.run.data_checks import (
    require_same_data,
    require_unchanged,
    sounds_among_clips,
)
from training.run.data_record import (
    DataRecord,
    OtherDataError,
    TaskRecord,
    changes,
    in_order,
)
from training.run.folder import RunFolder
from training.tasks.clip_sets import SPLITS, ClipSet, ListedClip
from training.tasks.own.folder import FolderTask

HEAD = Head("folder:/clips", "clips", ("high", "low"))


def record(clips, head=HEAD):
    """A `TaskRecord` of {split: "SOUND LABEL FILE, ..."}."""
    splits = {}
    for split in SPLITS:
        listed = [ListedClip(*text.split()) for text in clips.get(split, ())]
        splits[split] = ClipSet(len(listed), read=None, clips=listed)
    return TaskRecord.of(head, splits)


CLIPS = {
    "train": ["1 high a/1.wav", "2 high a/2.wav", "3 low b/3.wav", "4 low b/4.wav"],
    "validation": ["5 high a/5.wav", "6 low b/6.wav"],
    "test": ["7 high a/7.wav", "8 low b/8.wav"],
}


def changed(by_split=True, head=HEAD, **splits):
    now = record({**CLIPS, **splits}, head)
    return changes(record(CLIPS), now, by_split)


def test_names_and_order_are_no_change():
    renamed = ["4 low x/9.flac", "2 high a/1.wav", "1 high y.wav", "3 low b/3.wav"]
    assert changed(train=renamed) == ""
    assert record({**CLIPS, "train": renamed}).splits == record(CLIPS).splits


@pytest.mark.parametrize(
    "said, splits",
    [
        (
            "2 clips added (1 train, 1 test: a/9.wav, a/0.wav)",
            {
                "train": [*CLIPS["train"], "9 high a/9.wav"],
                "test": [*CLIPS["test"], "0 high a/0.wav"],
            },
        ),
        ("1 clip removed (1 validation: b/6.wav)", {"validation": ["5 high a/5.wav"]}),
        ("1 clip added (1 test: copy)", {"test": [*CLIPS["test"], "8 low copy"]}),
        (
            "2 clips changed in sound (2 test: a/7.wav, b/8.wav)",
            {"test": ["77 high a/7.wav", "88 low b/8.wav"]},
        ),
        (
            "4 clips changed in sound (4 train: a/1.wav, a/2.wav, b/3.wav, ...)",
            {"train": [f"{c[0]}x{c[1:]}" for c in CLIPS["train"]]},
        ),
        (
            "1 clip now of another class (1 test: b/8.wav)",
            {"test": ["7 high a/7.wav", "8 high a/8.wav"]},
        ),
        (
            "2 clips drawn into another split",
            {
                "validation": ["5 high a/5.wav", "8 low b/8.wav"],
                "test": ["7 high a/7.wav", "6 low b/6.wav"],
            },
        ),
    ],
)
def test_what_changed_is_said(said, splits):
    assert changed(**splits) == said


def test_a_split_counts_only_where_it_has_to():
    splits = {"validation": CLIPS["test"], "test": CLIPS["validation"]}
    assert changed(**splits) == "4 clips drawn into another split"
    assert changed(**splits, by_split=False) == ""
    fewer = changed(test=["7 high a/7.wav"], by_split=False)
    assert fewer == "1 clip removed (1 test: b/8.wav)"


@pytest.mark.parametrize(
    "labels, said",
    [
        (("alow", "high"), "class low gone, class alow new"),
        (("high", "low", "mid"), "class mid new"),
        (
            ("low", "high"),
            "the classes in another order, low, high (before: high, low)",
        ),
        (tuple("abcdhigh"), "classes high, low gone, classes a, b, c, ... new"),
    ],
)
def test_what_became_of_the_classes_is_said(labels, said):
    assert changed(head=dataclasses.replace(HEAD, labels=labels)) == said


def test_of_data_that_is_not_listed_numbers_are_told():
    def prepared(n, mark):
        splits = {s: ClipSet(n, read=None, fingerprint=mark) for s in SPLITS}
        return TaskRecord.of(HEAD, splits, f"all {mark}")

    assert changes(prepared(4, "x"), prepared(4, "x")) == ""
    assert changes(prepared(4, "x"), prepared(4, "x"), by_split=False) == ""
    assert "4 clips in test, before 3" in changes(prepared(3, "x"), prepared(4, "y"))
    assert "other clips" in changes(prepared(4, "x"), prepared(4, "y"), by_split=False)


def test_hosts_see_the_order_too():
    def mark(*sounds):
        clips = [ListedClip(sound, "high", "x.wav") for sound in sounds]
        return in_order([ClipSet(len(clips), read=None, clips=clips)])

    assert mark("1", "2") == mark("1", "2")
    assert mark("1", "2") != mark("2", "1")


def written(path, **settings):
    clips = {**CLIPS, "test": ['7 high a/"7",\u00fc\udcff.wav', "8 low b/8.wav"]}
    data = DataRecord((record(clips),), **settings)
    path.mkdir(exist_ok=True)
    data.write(RunFolder(path))
    return RunFolder(path), data


def test_a_record_survives_its_files(tmp_path):
    before = (record(CLIPS, dataclasses.replace(HEAD, name="clips, before 1")),)
    run, data = written(tmp_path, before=before, files={"model.keras": "0123"})
    found = DataRecord.read(run)
    assert [task.to_dict() for task in found.tasks + found.before] == [
        task.to_dict() for task in data.tasks + data.before
    ]
    assert changes(found.tasks[0], data.tasks[0]) == ""
    assert found.tasks[0].clips["test"][0].file == 'a/"7",\u00fc\udcff.wav'
    assert found.files == {"model.keras": "0123"}
    assert found.sounds("train", "test") == set("123478")
    assert DataRecord.read(run, with_clips=False).tasks[0].clips is None


def test_runs_of_before_have_no_record(tmp_path):
    assert DataRecord.read(RunFolder(tmp_path)) is None


@pytest.mark.parametrize("name", ["data.json", "data.csv"])
@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"{", b'{"tasks": [{}]}'])
def test_a_damaged_record_is_one_line(tmp_path, name, content):
    run, _ = written(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="cannot read what the run in .* remove both"):
        DataRecord.read(run)


@pytest.mark.parametrize(
    "place, value",
    [
        (("labels",), [1]),
        (("fingerprint",), []),
        (("splits",), {}),
        (("splits", "test", "clips"), float("inf")),
        (("splits", "test", "fingerprint"), "0" * 16),  # the clips are another run's
    ],
)
def test_a_record_of_something_else_is_one_line(tmp_path, place, value):
    run, _ = written(tmp_path)
    record = json.loads(run.data.read_text())
    entry = record["tasks"][0]
    for name in place[:-1]:
        entry = entry[name]
    entry[place[-1]] = value
    run.data.write_text(json.dumps(record))
    with pytest.raises(UserError, match="cannot read what the run in .* remove both"):
        DataRecord.read(run)


def test_without_the_list_of_clips_fingerprints_tell(tmp_path):
    run, data = written(tmp_path)
    run.data_clips.unlink()
    [before] = DataRecord.read(run).tasks
    assert before.clips is None
    assert changes(before, data.tasks[0]) == ""
    assert changes(before, record({**CLIPS, "test": []})) == "0 clips in test, before 2"


def folder_record(folder, seed=0):
    data = FolderTask(folder).load(seed=seed)
    return TaskRecord.of(dataclasses.replace(HEAD, labels=data.labels), data.splits)


def test_a_clip_is_its_sound_not_its_file(make_folder):
    folder = make_folder({"dog": 4, "cat": 5})
    before = folder_record(folder)
    assert before.n_clips == {"train": 5, "validation": 2, "test": 2}

    samples, rate = soundfile.read(folder / "dog" / "0.wav", dtype="int16")
    soundfile.write(folder / "dog" / "z.flac", samples, rate)  # the same samples
    (folder / "dog" / "0.wav").unlink()
    (folder / "cat" / "sub").mkdir()
    (folder / "cat" / "3.wav").rename(folder / "cat" / "sub" / "other.wav")
    after = folder_record(folder)
    assert changes(before, after) == ""
    assert (before.splits, before.fingerprint) == (after.splits, after.fingerprint)

    other = folder_record(folder, seed=1)
    assert "drawn into another split" in changes(before, other)
    assert changes(before, other, by_split=False) == ""
    assert other.fingerprint == before.fingerprint

    waveform, rate = read_clip(folder / "dog" / "1.wav")
    write_clip(folder / "dog" / "1.wav", 0.9 * waveform, rate)
    quieter = changes(before, folder_record(folder), by_split=False)
    assert quieter.startswith("1 clip changed in sound (1 ")
    assert quieter.endswith(": dog/1.wav)")


def test_a_run_does_not_go_on_with_other_noise(tmp_path):
    run = RunFolder(tmp_path)
    before, after = (
        DataRecord((record(CLIPS),), mixed_in={"noise_dir": n}) for n in "ab"
    )
    before.write(run)
    require_unchanged((HEAD,), before, run, print)
    require_same_data(before, run)
    with pytest.raises(OtherDataError, match="sounds in the folder of --noise-dir cha"):
        require_unchanged((HEAD,), after, run, print)
    with pytest.raises(OtherDataError, match="folder of --noise-dir aren't those of"):
        require_same_data(after, run)


def test_clips_that_are_noise_as_well_are_counted():
    data = DataRecord((record(CLIPS),))
    files = {"noise_dir": {"1": "x.wav", "8": "y.wav", "9": "z.wav"}, "rir_dir": {}}
    [line] = sounds_among_clips(data, files)
    assert line.startswith(
        "note: 2 of the 3 sounds of --noise-dir are clips to learn or to test, too "
        "(1 train, 0 validation, 1 test: x.wav, y.wav)"
    )
