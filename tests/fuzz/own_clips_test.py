"""Folders and tables as people have them: learned honestly, or refused in one line."""

import collections
import contextlib
import io
import os
import random
import re

import numpy as np
import pytest

from leaf_files.clips import read_clip
from leaf_files.command_line import one_line
from leaf_files.errors import UserError
from leaf_files.run_folder import LABEL_SEPARATOR
from tests.counts import slow
from tests.fuzz import sheets, trees
from tests.fuzz.sounds import Pool
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS
from training.tasks.registry import get_tasks

# What a message has only by mistake.
_ODD = re.compile(r"Traceback|\(\)|\bNone\b| object at |[\s:;,(]$")


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return Pool(tmp_path_factory.mktemp("pool"))


def loaded(drawn, seed=None):
    """([(task, `TaskData`, its clips by split)], lines on stderr); or a `UserError`."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            config = FitConfig(task=drawn.task, **drawn.settings)
            tasks = get_tasks(config)
            return [
                (task, *task.load_clips(config.seed)) for task in tasks
            ], said.getvalue().splitlines()
    except UserError as error:
        return error, said.getvalue().splitlines()


def key_of(clip):
    """A clip of a table, however its path is spelled."""
    return os.path.realpath(clip.path), clip.entry.start or 0.0, clip.entry.end


def split_of(of_split):
    return {key_of(c): split for split, clips in of_split.items() for c in clips}


def require_one_line(drawn, error):
    text = str(error)
    assert one_line(text) and not _ODD.search(one_line(text)), text
    is_odd_name = re.search(r"a\nb|line\nbreak", text)
    assert "\n" not in text or is_odd_name, text
    assert not drawn.is_sound, text
    # A row that contradicts an earlier one is named for that alone.
    is_named = "than an earlier row" in text or all(w in text for w in drawn.words)
    assert is_named, (drawn.words, text)


def require_honest(drawn, data, of_split, said):
    """Checks splits against what is true of the clips, one by one."""
    assert set(of_split) == set(data.splits) == set(SPLITS)
    groups, sounds, names = (collections.defaultdict(set) for _ in range(3))
    labels = collections.defaultdict(set)
    for split, clips in of_split.items():
        found = data.splits[split]
        assert found.n_examples == len(found.clips) == len(clips) > 0, split
        for clip, listed in zip(clips, found.clips):
            names[listed.file].add(split)
            groups[clip.entry.group].add(split)
            labels[split] |= set(clip.labels)
            assert listed.label == LABEL_SEPARATOR.join(clip.labels)
            assert data.multi_label or len(clip.labels) == 1
            if not (clip.heard.is_silent and clip.entry.group is not None):
                sounds[clip.heard.identity].add((split, clip.entry.split))
    assert all(len(splits) == 1 for splits in names.values())
    if None in groups:
        assert set(groups) == {None}
    else:
        torn = {group for group, splits in groups.items() if len(splits) > 1}
        assert not torn, torn
    for where in sounds.values():
        given = {told for _, told in where if told}
        assert len({split for split, _ in where}) == 1 or len(given) > 1, where
    lacking = labels["test"] - labels["train"]
    told = any("not in the train split" in line for line in said)
    # One unit a class can train, if as many as two others are left to be held out.
    is_free = not (data.given_splits or "folds" in drawn.settings)
    enough = n_units([c for clips in of_split.values() for c in clips]) - 2
    assert not lacking or told, lacking
    assert not (lacking and is_free) or enough < len(data.labels), lacking
    assert len(data.labels) == len(set(data.labels)) >= 2
    assert set().union(*labels.values()) <= set(data.labels)


def n_units(clips):
    """The number of what can be split: groups, bound together by copies of sounds."""
    units = []
    for clip in clips:
        unit = {clip.entry.group, clip.heard.identity} - {None}
        if clip.heard.is_silent and clip.entry.group is not None:
            unit = {clip.entry.group}
        bound = [other for other in units if other & unit]
        units = [other for other in units if not other & unit]
        units.append(unit.union(*bound))
    return len(units)


def require_truth_of_folder(task, data, of_split):
    """Labels and groups are those that paths say."""
    how = task.splitting
    for clips in of_split.values():
        for clip in clips:
            path = clip.path.relative_to(task.path).as_posix()
            top, *rest = path.split("/")
            if data.given_splits:
                assert clip.entry.split is not None
                top, *rest = rest
            parts = [part.strip() for part in re.split("[,|]", top)]
            is_background = data.multi_label and top not in data.labels
            if len(parts) > 1 and data.multi_label and set(parts) <= set(data.labels):
                assert set(clip.labels) == set(parts), path
            elif not is_background:
                assert clip.labels == (top,), path
            if how.group_by == "parent":
                assert clip.entry.group == os.path.basename(os.path.dirname(path))
            elif how.group_pattern:
                assert clip.entry.group == re.search(how.group_pattern, path)[1]
            else:
                assert clip.entry.group is None


def require_truth_of_table(drawn, task, data, of_split):
    column = "second" if task.column == "second" else "label"
    groups = collections.defaultdict(set)
    for split, clips in of_split.items():
        for clip in clips:
            said = drawn.truth[key_of(clip)]
            assert set(clip.labels) == said[column], clip.path
            if said["group"] and task.splitting.options == []:
                groups[said["group"]].add(split)
                assert clip.entry.group == said["group"]
            if clip.entry.split is not None:
                told = said["split"].lower()[:3].replace("dev", "val") or "tra"
                assert clip.entry.split.startswith(told)
    torn = {group for group, splits in groups.items() if len(splits) > 1}
    assert not torn, torn


def require_read(data, of_split, sample_rate, in_graph):
    """Clips are what their files hold from their start to their end."""
    for split, clips in of_split.items():
        found = data.splits[split]
        for n, clip in enumerate(clips):
            waveform = found.waveforms.read(sample_rate, n)
            whole, rate = read_clip(clip.path)
            first, last = clip.heard.first, clip.heard.last
            assert (first, last) == (
                round((clip.entry.start or 0) * rate),
                min(len(whole), round((clip.entry.end or 1e6) * rate)),
            )
            assert np.isfinite(waveform).all()
            assert waveform.size == -(-(last - first) * sample_rate // rate)
            if rate == sample_rate:
                np.testing.assert_array_equal(waveform, whole[first:last])
        targets = found.read_labels()
        for target, clip in zip(targets, clips):
            if data.multi_label:
                hot = {data.labels[n] for n in np.flatnonzero(target)}
                assert hot == set(clip.labels)
            else:
                assert (data.labels[target],) == clip.labels
        if in_graph:
            read = list(found.dataset(sample_rate).as_numpy_iterator())
            for n, (clip, target) in enumerate(zip(read, targets)):
                waveform = found.waveforms.read(sample_rate, n)
                np.testing.assert_allclose(clip["waveform"], waveform, atol=1e-4)
                np.testing.assert_array_equal(clip["label"], target)
                assert clip["clip"] == os.fsencode(found.clips[n].file)


def require_all_loaded(task, data, of_split):
    """A model that knows the labels is tested on all clips."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        found = task.load_all(data.labels, data.multi_label)
    assert found.n_examples == sum(map(len, of_split.values()))
    of_file = {c.file: c.label for clips in data.splits.values() for c in clips.clips}
    assert {clip.file: clip.label for clip in found.clips} == of_file
    with contextlib.redirect_stderr(said), pytest.raises(UserError) as error:
        task.load_all(("nothing", "else"), data.multi_label)
    assert not _ODD.search(one_line(error.value))


def require_all_loaded_or_refused(drawn):
    """The same of clips that aren't fit to be split."""
    with contextlib.suppress(UserError), contextlib.redirect_stderr(io.StringIO()):
        for task in get_tasks(FitConfig(task=drawn.task, **drawn.settings)):
            for labels in (sheets.LABELS, trees.CLASSES):
                for multi_label in (True, False):
                    with contextlib.suppress(UserError):
                        task.load_all(labels, multi_label)


def run(draw, n_cases, seed, folder, pool):
    """Draws cases, and judges each; returns {end: cases}."""
    ends = collections.Counter()
    for number in range(n_cases):
        choices = random.Random(f"{seed} {number}")
        drawn = draw(folder / f"c{number}", pool, choices)
        try:
            ends[judged(drawn, folder / f"c{number}", number)] += 1
        except Exception as error:
            raise AssertionError(
                f"case {number} of seed {seed}: {drawn.task} {drawn.settings}"
            ) from error
    print(f"seed {seed}: {dict(ends)}")
    return ends


def judged(drawn, place, number):
    """How a case ends: "loaded" or "refused"."""
    results, said = loaded(drawn)
    assert not any("Traceback" in line or not line.strip() for line in said), said
    if isinstance(results, UserError):
        require_one_line(drawn, results)
        again, _ = loaded(drawn)
        assert str(again) == str(results)
        require_all_loaded_or_refused(drawn)
        return "refused"
    assert not drawn.words, drawn.words
    splits = [split_of(of_split) for _, _, of_split in results]
    assert all(of_task == splits[0] for of_task in splits), "two columns, two splits"
    for task, data, of_split in results:
        require_honest(drawn, data, of_split, said)
        if drawn.truth:
            require_truth_of_table(drawn, task, data, of_split)
        elif drawn.task.startswith("folder:"):
            require_truth_of_folder(task, data, of_split)
        rate = drawn.settings["sample_rate"]
        require_all_loaded(task, data, of_split)
        require_read(data, of_split, rate, in_graph=number % 25 == 24)
    again, _ = loaded(drawn)
    assert splits_by_name(again) == splits_by_name(results)
    if drawn.shuffled:
        drawn.shuffled()
        again, _ = loaded(drawn)
        assert [split_of(of_split) for _, _, of_split in again] == splits
    elif drawn.task.startswith("folder:"):
        moved = place.rename(place.with_name(f"moved{number}"))
        drawn.task = f"folder:{moved}"
        again, _ = loaded(drawn)
        assert splits_by_name(again) == splits_by_name(results)
    return "loaded"


def splits_by_name(results):
    return [
        {split: list(clips.clips) for split, clips in data.splits.items()}
        for _, data, _ in results
    ]


def cases(few, many):
    return pytest.mark.parametrize(
        "n_cases, seed", [(few, 0), pytest.param(slow(many), 1, marks=pytest.mark.slow)]
    )


@cases(20, 500)
def test_folders_are_split_honestly_or_refused_in_one_line(
    n_cases, seed, tmp_path, pool
):
    ends = run(trees.draw, n_cases, seed, tmp_path, pool)
    assert min(ends["loaded"], ends["refused"]) > n_cases / 5


@cases(20, 500)
def test_tables_are_split_honestly_or_refused_in_one_line(
    n_cases, seed, tmp_path, pool
):
    ends = run(sheets.draw, n_cases, seed, tmp_path, pool)
    assert min(ends["loaded"], ends["refused"]) > n_cases / 5
