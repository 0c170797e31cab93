"""Tables as people write them: read to the last cell, or refused in one line."""

import os
import random

import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from tests.counts import slow
from tests.fuzz import damage, tables
from training.tasks.clip_sets import SPLIT_NAMES
from training.tasks.own.table import TableTask
from training.tasks.own.tables.reading import read_table

ANNOTATIONS = (
    b"Selection\tView\tBegin Time (s)\tEnd Time (s)\tBegin File\tSpecies\n"
    b"1\tWaveform 1\t0.5\t1.0\twren.wav\twren\n"
    b"1\tSpectrogram 1\t0.5\t1.0\twren.wav\twren\n",
    b"0.500000\t1.000000\twren\n\\\t900.0\t1200.0\n1.5\t1.75\towl\n",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tables.make_files(tmp_path_factory.mktemp("tables") / "data")


def cases(few, many):
    return pytest.mark.parametrize(
        "n_cases, seed", [(few, 0), pytest.param(slow(many), 1, marks=pytest.mark.slow)]
    )


def said_of(entry):
    """What an `Entry` says, to be compared."""
    return (
        (os.path.realpath(entry.path), entry.start, entry.end),
        (sorted(entry.labels), entry.group, entry.split, entry.weight),
    )


def truth_of(drawn, folder):
    splits = [clip["split"] for clip in drawn.clips.values()]
    without = "train" if any(splits) else None
    for (name, start, end), clip in drawn.clips.items():
        split = SPLIT_NAMES.get(clip["split"].lower(), without)
        yield (
            (tables.same_file(folder, name), start, end),
            (sorted(clip["labels"]), clip["group"], split, clip["weight"]),
        )


@cases(150, 1000)
def test_tables_are_read_as_they_were_meant(folder, n_cases, seed):
    for number in range(n_cases):
        drawn = tables.draw(folder, random.Random(f"{seed} {number}"))
        path = folder / drawn.name
        path.write_bytes(drawn.content)
        table = read_table(path)
        told = [*table.faults, *table.bad]
        for words in drawn.refusals:
            assert any(words in line for line in told), (number, words, told)
        if drawn.refusals:
            continue
        assert not told, (number, told)
        read = {key: said for key, said in map(said_of, table.entries())}
        for key, (labels, group, split, weight) in truth_of(drawn, folder):
            assert read[key][0] == labels, number
            assert read[key][2:] == (split, weight), number
            assert not group or read[key][1] == group, number
        assert len(read) == len(table.clips) == len(drawn.clips), number
        [column] = table.columns.values()
        assert column.multi_label == drawn.is_several, number


@cases(150, 1000)
def test_damaged_tables_are_refused_in_one_line_or_read(folder, n_cases, seed):
    for number in range(n_cases):
        choices = random.Random(f"{seed} {number}")
        drawn = tables.draw(folder, choices)
        path = folder / drawn.name
        content = choices.choice([drawn.content, drawn.content, *ANNOTATIONS])
        path.write_bytes(damage.damaged(content, choices)[0])
        try:
            table = read_table(path, background=choices.choice([None, "noise"]))
        except UserError as error:
            told = [str(error)]
        else:
            told = [*table.faults, *table.bad, *table.notes, *table.warnings]
        assert not any("\n" in line for line in told), (number, told)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A folder of 30 clips, each of another sound, but for two copies."""
    folder = tmp_path_factory.mktemp("sounds")
    choices = np.random.default_rng(0)
    for number in range(30):
        waveform = choices.uniform(-0.5, 0.5, 40)
        write_clip(folder / f"{number}.wav", waveform, 8000)
    for number in (0, 1):
        (folder / f"copy{number}.wav").write_bytes(
            (folder / f"{number}.wav").read_bytes()
        )
    return folder


def split_table(folder, choices):
    """A table with groups, of classes of any balance; some with splits or segments."""
    names = sorted(path.name for path in folder.glob("*.wav"))
    names = choices.sample(names, choices.randrange(3, len(names)))
    groups = [f"g{n}" for n in range(choices.randrange(1, 12))]
    labels = ["a", "b", "c", "A"][: choices.randrange(1, 5)]
    of_group = {group: choices.choice(labels) for group in groups}
    with_splits, with_times = choices.random() < 0.3, choices.random() < 0.3
    rows = ["path,label,group,split,start,end"]
    for name in names:
        group = choices.choice(groups)
        pure = choices.random() < 0.5
        label = of_group[group] if pure else choices.choice(labels)
        split = choices.choice(["train", "train", "val", "test", ""])
        times = choices.choice(["0,0.002", "0.001,0.004", "0.003,9"])
        rows.append(
            f"{name},{label},{group},{split if with_splits else ''},"
            f"{times if with_times else ','}"
        )
    path = folder / "clips.csv"
    path.write_text("\n".join(rows))
    return path


@cases(40, 1000)
def test_no_group_is_in_two_splits(sounds, n_cases, seed):
    n_split = 0
    for number in range(n_cases):
        choices = random.Random(f"{seed} {number}")
        task = TableTask(split_table(sounds, choices))
        try:
            data = task.load(seed=number)
        except UserError as error:
            assert "\n" not in str(error), number
            continue
        n_split += 1
        for parts in (
            [set(clips.groups) for clips in data.splits.values()],
            [{clip.file for clip in clips.clips} for clips in data.splits.values()],
        ):
            assert sum(map(len, parts)) == len(set.union(*parts)), number
    assert n_split > n_cases / 8
