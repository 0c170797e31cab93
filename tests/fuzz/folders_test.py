"""Folders of clips as people make them: split as they say, or refused in one line."""

import random
import shutil

import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from tests.counts import slow
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS
from training.tasks.registry import get_task

LABELS = ("wren", "Wren", "owl", "jay, blue", "ключ", "noise", "wren,owl", "owl|wren")
SPLIT_FOLDERS = ("train", "Training", "val", "dev", "validation", "TEST", "eval")
MEANT = dict(
    zip(SPLIT_FOLDERS, (*("train",) * 2, *("validation",) * 3, *("test",) * 2))
)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Clips of ten samples each; the first two are silent."""
    folder = tmp_path_factory.mktemp("sounds")
    waveforms = np.random.default_rng(0).uniform(-0.5, 0.5, (60, 10))
    waveforms[:2] = 0
    for number, waveform in enumerate(waveforms):
        write_clip(folder / f"{number}.wav", waveform[: 10 - number % 2], 8000)
    return sorted(folder.iterdir())


def draw(folder, sounds, chance):
    """Makes a folder of classes, or of splits with classes; `chance` is a `Random`."""
    tops = [folder]
    if chance.random() < 0.4:
        names = chance.sample(SPLIT_FOLDERS, chance.randint(1, 4))
        tops = [folder / name for name in names]
    labels = chance.sample(LABELS, chance.randint(1, 4) if chance.random() < 0.1 else 3)
    n_makers = chance.choice((1, 3, 6, 20))
    for top in tops:
        for label in labels:
            if chance.random() < 0.1:
                continue
            (top / label).mkdir(parents=True)
            for number in range(_size(chance)):
                place = top / label
                if chance.random() < 0.1:
                    place = place / "deeper"
                    place.mkdir(exist_ok=True)
                maker = f"m{chance.randrange(n_makers)}__"
                maker = maker if chance.random() < 0.995 else ""
                sound = chance.choice(sounds)
                path = place / f"{maker}{number}.wav"
                if chance.random() < 0.05:
                    path.symlink_to(sound)
                else:
                    shutil.copy(sound, path)
        if chance.random() < 0.05:
            top.mkdir(exist_ok=True)
            shutil.copy(sounds[0], top / "loose.wav")
    if chance.random() < 0.05:
        odd = folder / chance.choice(labels)
        odd.mkdir(exist_ok=True)
        (odd / "m0__bad.wav").write_text("no sound")


def _size(chance):
    """Number of clips of a class."""
    return 0 if chance.random() < 0.03 else chance.choice((1, 6, 9, 15, 25))


def settings_of(chance):
    """Settings of splits, some of which need what a folder may not have."""
    settings = {}
    if chance.random() < 0.6:
        settings["group_pattern"] = "([^/]+)__"
    elif chance.random() < 0.2:
        settings["group_by"] = chance.choice(("parent", "none"))
    if chance.random() < 0.3:
        settings["folds"] = chance.choice((2, 3, "groups"))
    return settings


def require_sound_splits(data, settings):
    """Checks what has to hold of a `TaskData`."""
    clips = {split: data.splits[split].clips for split in SPLITS}
    files = [clip.file for split in SPLITS for clip in clips[split]]
    assert len(set(files)) == len(files) > 0 and all(clips.values())
    given = {
        split: {MEANT.get(clip.file.split("/")[0]) for clip in clips[split]} - {None}
        for split in SPLITS
    }
    for split, places in given.items():
        assert places <= {split, "train"}
    if any(data.splits[split].groups is not None for split in SPLITS):
        groups = [set(data.splits[split].groups) for split in SPLITS]
        assert len(set.union(*groups)) == sum(map(len, groups))
        if "group_pattern" in settings:
            for split in SPLITS:
                for clip, group in zip(clips[split], data.splits[split].groups):
                    assert clip.file.rpartition("/")[2].startswith(f"{group}__")
    elif not any(given.values()):
        heard = [{clip.sound for clip in clips[split]} for split in SPLITS]
        assert len(set.union(*heard)) == sum(map(len, heard))


@pytest.mark.parametrize(
    "n_cases, seed", [(40, 0), pytest.param(slow(1000), 1, marks=pytest.mark.slow)]
)
def test_folders_are_split_as_they_say_or_refused(sounds, n_cases, seed, tmp_path):
    n_split = 0
    for number in range(n_cases):
        chance = random.Random(f"{seed} {number}")
        folder = tmp_path / f"{number}"
        draw(folder, sounds, chance)
        settings = settings_of(chance)
        task = get_task(f"folder:{folder}", FitConfig("t", **settings))
        try:
            data = task.load(seed=number)
        except UserError as error:
            assert "\n" not in str(error)
            continue
        require_sound_splits(data, settings)
        n_split += 1
    assert n_split >= n_cases / 10
