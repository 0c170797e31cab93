"""What is read back from shards is what was prepared: clips, splits, groups, sounds."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from leaf_files import command_line
from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from leaf_files.run_folder import Head
from training.__main__ import dispatch
from training.input.memory import ClipMemory
from training.run.data_record import TaskRecord
from training.tasks import preparing
from training.tasks.clip_sets import SPLITS
from training.tasks.own.folder import FolderTask
from training.tasks.own.listing import Listing
from training.tasks.preparing import prepare
from training.tasks.registry import get_task
from training.tasks.splits.splitting import Splitting

RATE = 8000


@pytest.fixture
def task(make_folder):
    """30 clips of 2 classes, by 5 speakers, in three formats."""
    folder = make_folder({"a": 12, "b": 12})
    random = np.random.default_rng(1)
    for n in range(6):
        sound = random.uniform(-0.9, 0.9, (300, 2))
        soundfile.write(folder / "a" / f"é{n}.wav", sound, 4000, subtype="FLOAT")
        soundfile.write(folder / "b" / f"{n}x.ogg", sound[:, 0], 16000)
    return FolderTask(folder, splitting=Splitting(group_pattern=r"(\d)"))


def quietly(line):
    pass


def shards_of(task, folder, say=quietly, **how):
    prepare(task, 3, folder, say, **how)
    return get_task(f"shards:{folder}")


def contents(clip_set):
    clips = [*clip_set.dataset(RATE).as_numpy_iterator()]
    return [{key: np.asarray(clip[key]).tolist() for key in clip} for clip in clips]


def test_shards_are_the_clips(task, tmp_path):
    shards = shards_of(task, tmp_path / "shards", shard_bytes=1000)
    data, read = task.load(seed=3), shards.load(seed=0)
    assert read.labels == data.labels and not read.multi_label
    head = Head("task", "task", data.labels)
    assert TaskRecord.of(head, read.splits) == TaskRecord.of(head, data.splits)
    for split in SPLITS:
        one, other = data.splits[split], read.splits[split]
        assert one.groups == other.groups and len(set(one.groups)) > 0
        assert contents(one) == contents(other)
        assert contents(one.only([0, 2])) == contents(other.only([0, 2]))
    memory = ClipMemory(read.splits["train"], RATE, "")
    for n, clip in enumerate(contents(read.splits["train"])):
        kept = memory.clip(n)["waveform"].numpy()
        # soundfile here, tensorflow-io's operators there, where they load.
        np.testing.assert_allclose(kept, clip["waveform"], atol=1e-6)


def test_tensorflow_reads_the_records(task, tmp_path):
    shards_of(task, tmp_path / "shards")
    [path] = (tmp_path / "shards").glob("train-*.tfrecord")
    spec = {
        **dict.fromkeys(
            ["audio", "encoding", "sound", "labels", "group", "clip"],
            tf.io.FixedLenFeature([], tf.string),
        ),
        "sample_rate": tf.io.FixedLenFeature([], tf.int64),
        "weight": tf.io.FixedLenFeature([], tf.float32),
    }
    for record in tf.data.TFRecordDataset(os.fspath(path)):
        example = {k: v.numpy() for k, v in tf.io.parse_example(record, spec).items()}
        clip = example["clip"].decode()
        assert (task.path / clip).read_bytes() == example["audio"]
        assert example["labels"].decode() == clip[0] and example["weight"] == 1


class Segments(FolderTask):
    """Two weighted segments of each clip, of several labels."""

    def listing(self):
        whole = super().listing()
        entries = [
            dataclasses.replace(
                entry,
                labels=labels,
                group=f"g{n % 5}",
                start=start,
                end=0.01,
                weight=1 / 3,
            )
            for n, entry in enumerate(whole.entries)
            for start, labels in ((0.002, ("a", "b")), (0.004, entry.labels))
        ]
        return Listing(entries, whole.labels, multi_label=True)


def test_segments_weights_and_several_labels(task, tmp_path):
    segments = Segments(task.path)
    data = segments.load(seed=3)
    shards = shards_of(segments, tmp_path / "shards", shard_bytes=3000)
    read = shards.load()
    assert read.multi_label
    head = Head("task", "task", data.labels, "sigmoid")
    assert TaskRecord.of(head, read.splits) == TaskRecord.of(head, data.splits)
    for split in SPLITS:
        assert read.splits[split].weighted
        assert read.splits[split].groups == data.splits[split].groups
        assert contents(read.splits[split]) == contents(data.splits[split])


def test_a_preparation_goes_on_where_it_stopped(task, tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    shards_of(task, whole, shard_bytes=1000)
    cut, lines = tmp_path / "cut", []
    example, left = preparing._example, iter(range(15))
    monkeypatch.setattr(
        preparing, "_example", lambda *of: (next(left), example(*of))[1]
    )
    with pytest.raises(StopIteration):
        shards_of(task, cut, shard_bytes=1000)
    with pytest.raises(UserError, match="holds no shards.json.*not written to its end"):
        get_task(f"shards:{cut}").load()
    (cut / f".{'0' * 32}.tfrecord").write_text("half")  # as a kill leaves one
    n_done = len([*cut.glob("[a-z]*.tfrecord")])
    monkeypatch.setattr(preparing, "_example", example)
    shards_of(task, cut, lines.append, shard_bytes=1000)
    assert f"going on after {n_done} shards" in lines and n_done > 0
    files = {path.name: path.read_bytes() for path in whole.iterdir()}
    assert {path.name: path.read_bytes() for path in cut.iterdir()} == files
    shards_of(task, cut, lines.append, shard_bytes=1000)
    assert "and whole" in lines[-1]


def test_other_clips_start_anew_or_are_refused(task, tmp_path):
    folder = tmp_path / "shards"
    shards_of(task, folder)
    random = np.random.default_rng(5)
    write_clip(task.path / "a" / "9new.wav", random.uniform(-1, 1, 50), RATE)
    with pytest.raises(UserError, match="holds the shards of other clips"):
        shards_of(task, folder)
    (folder / "shards.json").unlink()
    (folder / "plan.json").write_text('"another"')
    assert "9new" in str(contents(shards_of(task, folder).load().splits["train"])) or (
        "9new" in (folder / "clips.csv").read_text()
    )


@pytest.mark.parametrize("what", ["photo.jpg", "clips.csv", ".hidden"])
def test_folders_of_other_things_are_left_alone(task, tmp_path, what):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / what).write_text("mine")
    with pytest.raises(UserError, match=f"holds other files, such as {what}; name"):
        shards_of(task, tmp_path / "mine")
    assert (tmp_path / "mine" / what).read_text() == "mine"


def test_outputs_that_cannot_be(task, tmp_path):
    (tmp_path / "file").write_text("")
    for output, words in (
        (tmp_path / "file", "it is a file"),
        ("gs://bucket/shards", "a folder of this machine, not to gs://bucket/shards"),
        (task.path / "a" / "shards", "lies in the folder of the clips"),
    ):
        with pytest.raises(UserError, match=words):
            shards_of(task, output)


def test_damage_is_named(task, tmp_path):
    shards_of(task, tmp_path / "whole")

    def damaged(damage):
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "whole", folder)
        damage(folder)
        with pytest.raises(UserError) as error:
            clips = get_task(f"shards:{folder}").load().splits["train"]
            ClipMemory(clips, RATE, "")
        return str(error.value)

    def of_manifest(**changed):
        def damage(folder):
            manifest = json.loads((folder / "shards.json").read_text())
            (folder / "shards.json").write_text(json.dumps({**manifest, **changed}))

        return damage

    def noise(folder):
        [path] = folder.glob("train-*.tfrecord")
        path.write_bytes(b"\xff" * path.stat().st_size)

    def cut(folder):
        [path] = folder.glob("test-*.tfrecord")
        path.write_bytes(path.read_bytes()[:-1])

    assert "there is no folder" in damaged(shutil.rmtree)
    assert "no shards.json" in damaged(lambda folder: (folder / "shards.json").unlink())
    assert "of format 9, not 1" in damaged(of_manifest(format=9))
    assert "lists other clips" in damaged(of_manifest(splits={}))
    assert "No such file" in damaged(lambda folder: (folder / "clips.csv").unlink())
    assert "test-00000-of-00001.tfrecord has" in damaged(cut)
    assert "record is damaged" in damaged(noise)


def test_settings_of_splits_are_refused(task, tmp_path):
    shards = shards_of(task, tmp_path / "shards")
    assert "are those it was prepared with" in shards.why_not_split
    assert shards.is_same(get_task(f"shards:{tmp_path}/x/../shards"))


def test_shards_at_an_address(task, tmp_path, monkeypatch):
    """As of a bucket: TensorFlow's own file systems read file:// so."""
    shards = shards_of(task, tmp_path / "shards").load()
    there = get_task(f"shards:file://{tmp_path}/shards").load()
    assert contents(there.splits["test"]) == contents(shards.splits["test"])
    with pytest.raises(UserError, match="there is no folder file://"):
        get_task(f"shards:file://{tmp_path}/none").load()


def test_the_command_prepares_and_says_what_to_do(
    task, pooling, no_figures, tmp_path, capsys
):
    def training(*words):
        return command_line.run(dispatch, [*map(str, words)], "training")

    shards = tmp_path / "shards"
    name = f"folder:{task.path}"
    options = ("--group-pattern", r"(\d)", "--seed", 2)
    assert training("prepare", name, "--output", shards, *options) == 0
    told = capsys.readouterr().out
    assert f"learn from them by --task shards:{shards}" in told
    read = get_task(f"shards:{shards}").load()
    assert read.splits["test"].clips == task.load(seed=2).splits["test"].clips
    small = f"--frontend mel --n-filters 8 --encoder {pooling} --epochs 1"
    learned = tmp_path / "run"
    name_read = f"shards:{shards}"
    assert (
        training("fit", "--task", name_read, "--output", learned, *small.split()) == 0
    )
    assert "Split: as they were prepared." in (learned / "report.md").read_text()
    assert training("prepare", name, "--output", tmp_path) == 1
    assert training("prepare", f"shards:{shards}", "--output", tmp_path / "x") == 1
    *_, other, already = capsys.readouterr().err.splitlines()
    assert "it holds other files" in other and "is shards already" in already
