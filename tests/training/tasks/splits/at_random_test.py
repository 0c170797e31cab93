import numpy as np
import pytest

from leaf_files.errors import UserError
from training.tasks.identity import identity
from training.tasks.splits.at_random import hold_out_group, split_clips, too_few

CLIPS = [(f"clip{n}", "ab"[n % 2]) for n in range(60)]


def by_clip(clips, seed=0):
    return dict(zip((clip for clip, _ in clips), split_clips(clips, "ab", seed)))


def test_each_class_is_split_80_10_10():
    split_of = by_clip(CLIPS)
    for label in "ab":
        found = [
            split
            for (_, clip_label), split in zip(CLIPS, split_of.values())
            if clip_label == label
        ]
        assert found.count("train") == 24
        assert found.count("validation") == 3
        assert found.count("test") == 3


def test_the_split_depends_on_the_seed_not_on_the_order():
    assert by_clip(CLIPS) == by_clip(CLIPS[::-1])
    assert by_clip(CLIPS) != by_clip(CLIPS, seed=1)


def test_the_split_is_the_same_in_every_version():
    """A changed rule would leak: a run's test clips could be trained on."""
    test = [clip for clip, split in by_clip(CLIPS).items() if split == "test"]
    assert test == ["clip18", "clip21", "clip22", "clip27", "clip30", "clip31"]


def test_copies_stay_together_whatever_their_class():
    clips = CLIPS + [("clip0", "a")] * 5 + [("clip1", "a")]
    splits = split_clips(clips, "ab", 3)
    for clip in ("clip0", "clip1"):
        assert len({s for s, (c, _) in zip(splits, clips) if c == clip}) == 1


def test_three_distinct_clips_are_one_for_each_split():
    clips = [("x", "a"), ("y", "a"), ("z", "a")]
    assert sorted(split_clips(clips, "a", 0)) == ["test", "train", "validation"]


def test_copies_do_not_count_as_clips():
    clips = [("x", "a"), ("y", "a"), ("y", "a")]
    with pytest.raises(UserError, match="class 'a' has 2 distinct clips.*add"):
        split_clips(clips, "a", 0)


def test_a_class_without_clips_is_named():
    with pytest.raises(UserError, match="class 'empty' has 0 distinct clips"):
        split_clips(CLIPS, ["a", "b", "empty"], 0)


def test_all_classes_that_are_too_small_are_named_at_once():
    labels = "abvwxyz"
    with pytest.raises(UserError, match="'v' has 0 .*, 'w' has 0, 'x' has 0, .* such"):
        split_clips(CLIPS, labels, 0)
    assert "... (7 such classes)" in too_few([], labels)
    assert too_few(CLIPS, "ab") == ""


def test_identity_is_the_sound():
    waveform = np.arange(5, dtype=np.float32)
    assert identity(waveform, 8000) == identity(waveform.copy(), 8000)
    assert identity(waveform, 8000) != identity(waveform, 16000)
    assert identity(waveform, 8000) != identity(waveform[:4], 8000)


def test_a_held_out_group_is_whole_and_its_number_is_the_seed():
    groups = ["cy", "al", "bo", "cy", "dee", "al"]
    assert hold_out_group(groups, 0) == [
        *("train", "test", "validation", "train", "train", "test")
    ]
    assert hold_out_group(groups, 3) == [
        *("train", "validation", "train", "train", "test", "validation")
    ]
    assert hold_out_group(groups, 4) == hold_out_group(groups, 0)


def test_two_groups_are_too_few_to_hold_out():
    with pytest.raises(UserError, match=r"2 speakers \(al, bo\); at least 3"):
        hold_out_group(["al", "bo", "al"], 0)
