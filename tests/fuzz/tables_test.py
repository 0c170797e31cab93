"""Tables as people write them: read to the last cell, or refused in one line."""

import os
import random

import pytest

from leaf_files.errors import UserError
from tests.counts import slow
from tests.fuzz import damage, tables
from training.tasks.clip_sets import SPLIT_NAMES
from training.tasks.tables.reading import read_table

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
