import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaf_files.errors import UserError
from training.settings.config import FitConfig
from training.tasks.splits.assigning import Unsplit
from training.tasks.splits.at_random import split_clips
from training.tasks.splits.splitting import Splitting


def clips_of(text, labels="ab", **same):
    """A clip for each word: "a/ann" is of class a and group ann, "a" of no group."""
    clips = []
    for number, word in enumerate(text.split()):
        label, _, group = word.partition("/")
        name = f"{word}__{number}"
        clips.append(Unsplit(name, f"{number}", (label,), group or None, **same))
    return clips


PEOPLE = clips_of(" ".join(f"{label}/{who}" for who in "pqrstuvwxy" for label in "ab"))


def refusal(clips, seed=0, **how):
    with pytest.raises(UserError) as error:
        Splitting(**how).assign(clips, "ab", seed)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_groups_it_is_the_random_split():
    clips = clips_of("a " * 20 + "b " * 20)
    sounds = [(clip.identity, *clip.labels) for clip in clips]
    found = Splitting().assign(clips, "ab", 7)
    assert found == (split_clips(sounds, "ab", 7), [], [])


def test_groups_are_found_by_pattern_parent_or_as_told():
    names = ["a/ann__1.wav", "b/bob__2.wav"]
    told = ["x", "y"]
    assert Splitting().groups(names, told) == (told, "")
    assert Splitting().groups(names) == (None, "")
    assert Splitting(group_by="none").groups(names, told) == (None, "")
    by_folder = Splitting(group_by="parent")
    assert by_folder.groups(["a/1.wav", "b/a/2.wav", "3.wav", "/4.wav"]) == (
        ["a", "a", ".", "."],
        "",
    )
    by_name = Splitting(group_pattern="([^/]+)__")
    assert by_name.groups(names, told) == (["ann", "bob"], "")


def test_clips_without_a_group_are_counted_and_named():
    groups, fault = Splitting(group_pattern="([a-z]*)__").groups(
        ["a/ann__1.wav", "a/2.wav", "b/__3.wav"]
    )
    assert groups is None
    assert fault.startswith(
        "2 of 3 clips have no group by --group-pattern '([a-z]*)__', such as a/2.wav, "
        "b/__3.wav; "
    )
    _, fault = Splitting().groups(["1", "2"], ["ann", None])
    assert fault.startswith("1 of 2 clips have no group, such as 2; ")


def test_groups_that_share_a_sound_are_split_as_one():
    clips = PEOPLE + [
        PEOPLE[0]._replace(group="y"),
        Unsplit("silence 1", "0000", ("a",), "q", is_silent=True),
        Unsplit("silence 2", "0000", ("a",), "x", is_silent=True),
    ]
    for seed in range(8):
        found = Splitting().assign(clips, "ab", seed)
        assert found.warnings == [
            "groups share copies of a sound, and are split as one: y and p"
        ]
        splits = dict(zip([clip.group for clip in clips], found.splits))
        assert splits["p"] == splits["y"]


def test_too_few_groups_or_classes_to_test_are_refused():
    assert refusal(clips_of("a/ann b/ann a/bob b/bob")).startswith(
        "the clips come from 2 groups (ann, bob); at least 3 are needed, one each to "
        "train, validate and test: name groups that are smaller with --group-pattern"
    )
    assert refusal(clips_of("a/1 a/2 a/3 b/4 a/5")).startswith(
        "1 class comes from one group only, which trains, such as 'b' (4), and the "
        "test split has 1 class of 2 (a), which says nothing about telling classes "
        "apart: "
    )
    assert "class 'b' has no clips" in refusal(clips_of("a/1 a/2 a/3 a/4"))


def test_classes_that_are_held_out_nowhere_are_named():
    clips = clips_of("c/1 a/1 b/1 a/2 b/2 d/2 a/3 b/3 a/4 b/4 d/4")
    found = Splitting().assign(clips, "abcd", 0)
    assert found.warnings == [
        "1 class comes from one group only, which trains and tests nothing: 'c' (1)",
        "1 class is not in the validation split: 'd'",
    ]


def test_folds_are_walked_by_the_seed():
    for seed in range(12):
        found = Splitting(folds=5).assign(PEOPLE, "ab", seed)
        [note] = found.notes
        assert note.startswith(f"fold {seed % 5} of 5 tests, counted from 0; fold ")
        same = Splitting(folds=5, fold=seed % 5).assign(PEOPLE, "ab", 0)
        assert found.splits == same.splits
        one_out = Splitting(folds="groups").assign(PEOPLE, "ab", seed)
        who = "pqrstuvwxy"[seed % 10]
        assert f"fold {seed % 10} of 10 ({who}) tests" in one_out.notes[0]
        tested = {c.group for c, s in zip(PEOPLE, one_out.splits) if s == "test"}
        assert tested == {who}


def test_folds_of_clips_without_groups():
    clips = clips_of("a " * 10 + "b " * 15)
    tested = []
    for fold in range(5):
        found = Splitting(folds=5, fold=fold).assign(clips, "ab", 0)
        test = [c for c, s in zip(clips, found.splits) if s == "test"]
        assert sorted(c.labels[0] for c in test) == ["a"] * 2 + ["b"] * 3
        tested += [clip.name for clip in test]
    assert sorted(tested) == sorted(clip.name for clip in clips)


def test_folds_of_clips_without_groups_balance_all_columns():
    clips = [
        clip._replace(balance=(f"x={clip.labels[0]}", f"y={n % 2}"))
        for n, clip in enumerate(clips_of("a a b b " * 5))
    ]
    for fold in range(5):
        found = Splitting(folds=5, fold=fold).assign(clips, "ab", 0)
        test = [c.balance for c, s in zip(clips, found.splits) if s == "test"]
        assert sorted(test) == [(f"x={x}", f"y={y}") for x in "ab" for y in (0, 1)]
    with pytest.raises(UserError, match="class 'b' has 2 distinct clips"):
        Splitting(folds=2).assign(clips[:6], "ab", 0)


def test_two_columns_without_groups_are_refused_where_one_is_too_few():
    clips = [c._replace(balance=(f"x={c.labels[0]}",)) for c in clips_of("a b")]
    with pytest.raises(UserError, match="no clips are left to"):
        Splitting().assign(clips, "ab", 0)


def test_folds_that_cannot_be_are_refused():
    assert "--folds 11 needs at least 11 groups whose" in refusal(PEOPLE, folds=11)
    assert "--fold must be below 10, the number of folds" in refusal(
        PEOPLE, folds="groups", fold=10
    )
    assert "--folds groups leaves one group out, and the groups" in refusal(
        clips_of("a a a b b b"), folds="groups"
    )


def with_splits(text):
    """A clip for each word, such as "a/ann=test"; no "=" is no given split."""
    clips = []
    for n, word in enumerate(text.split()):
        rest, _, split = word.partition("=")
        label, _, group = rest.partition("/")
        clips.append(Unsplit(f"{n}", f"{n}", (label,), group or None, split or None))
    return clips


TRAIN = "a=train b=train " * 10


def test_given_splits_are_kept_and_missing_ones_drawn_from_training():
    clips = with_splits(TRAIN + "a=test b=test")
    found = Splitting().assign(clips, "ab", 0)
    assert found.splits[-2:] == ["test", "test"]
    assert found.splits.count("validation") == 2 and len(found.warnings) == 0
    assert found.notes == [
        "the data gives no validation split: 2 of 20 clips are drawn for it"
    ]
    clips = with_splits(TRAIN + "a=validation b=validation a=test b=test a")
    found = Splitting().assign(clips, "ab", 0)
    assert found.splits == [clip.given or "train" for clip in clips]
    assert found.notes == []


def test_clips_without_a_given_split_follow_their_group():
    clips = with_splits("a/1=train b/1 a/2=validation b/2 a/3=test b/3")
    assert Splitting().assign(clips, "ab", 0).splits == [
        *("train", "train", "validation", "validation", "test", "test")
    ]
    # Groups that share a sound, and are given two splits, keep each its own.
    clips[4] = clips[4]._replace(identity=clips[0].identity)
    assert Splitting().assign(clips, "ab", 0).splits == [
        *("train", "train", "validation", "validation", "test", "test")
    ]


def test_a_group_in_two_given_splits_is_refused_and_a_sound_named():
    clips = with_splits("a/x=train b/x=test b/y=test a/y=test")
    assert refusal(clips).startswith(
        "1 group is in two of the splits that the data gives: x (train and test); put"
    )
    clips = with_splits(TRAIN + "a=test b=test")
    clips[-1] = clips[-1]._replace(identity="1")
    found = Splitting().assign(clips, "ab", 0)
    assert found.splits[-1] == "test"
    assert found.warnings == [
        "1 sound is in two of the splits that the data gives, so that scores say less: "
        "1 = 21"
    ]
    assert "--folds draws other splits" in refusal(clips, folds=3)


def test_multi_label_clips_are_balanced_without_groups_too():
    clips = [
        Unsplit(f"{n}", f"{n}", ("a", "b") if n % 5 == 0 else ("a",)[: n % 2])
        for n in range(100)
    ]
    found = Splitting().assign(clips, "ab", 0, multi_label=True)
    counts = {
        split: sum("b" in c.labels for c, s in zip(clips, found.splits) if s == split)
        for split in ("train", "validation", "test")
    }
    assert counts == {"train": 16, "validation": 2, "test": 2}
    assert found.splits.count("test") == 10


def test_a_clip_goes_with_its_group_before_copies_of_its_sound():
    # Groups ann and bob share a sound, and are given to two splits.
    clips = [
        Unsplit("1", "same", ("a",), "ann", "train"),
        Unsplit("2", "same", ("b",), "bob", "validation"),
        Unsplit("3", "else", ("a",), "bob"),
        Unsplit("4", "other", ("a",), "cy", "test"),
        Unsplit("5", "more", ("b",), "cy"),
        Unsplit("6", "still", ("b",), "ann"),
    ]
    found = Splitting().assign(clips, "ab", seed=0)
    assert found.splits == [
        *("train", "validation", "validation", "test", "test", "train")
    ]


drawn = st.tuples(
    st.integers(0, 25),  # the sound
    st.sampled_from("abc"),
    st.integers(0, 7),  # the group
    st.sampled_from([None] * 9 + ["train", "validation", "test"]),
)


def sounds_of_two_given_splits(clips):
    """Sounds that the data itself puts into two splits, by itself or through groups."""
    units = []  # (sounds and groups that go together, splits that are given to them)
    for clip in clips:
        names = {("sound", clip.identity), ("group", clip.group)} - {("group", None)}
        splits = {clip.given} - {None}
        for unit in [unit for unit in units if unit[0] & names]:
            units.remove(unit)
            names, splits = names | unit[0], splits | unit[1]
        units.append((names, splits))
    return {
        name
        for names, splits in units
        if len(splits) > 1
        for kind, name in names
        if kind == "sound"
    }


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    clips=st.lists(drawn, min_size=1, max_size=40),
    has_groups=st.booleans(),
    has_given=st.booleans(),
    folds=st.sampled_from([None, None, 2, 3, "groups"]),
    multi_label=st.booleans(),
    seed=st.integers(0, 9),
)
def test_whatever_the_clips_no_group_is_in_two_splits(
    clips, has_groups, has_given, folds, multi_label, seed
):
    clips = [
        Unsplit(
            f"{n}",
            f"{sound}",
            (label,),
            f"g{group}" if has_groups else None,
            split if has_given else None,
        )
        for n, (sound, label, group, split) in enumerate(clips)
    ]
    try:
        found = Splitting(folds=folds).assign(clips, "abc", seed, multi_label)
    except UserError as error:
        assert "\n" not in str(error)
        return
    assert all(c.given in (None, s, "train") for c, s in zip(clips, found.splits))
    assert set(found.splits) == {"train", "validation", "test"}
    torn = sounds_of_two_given_splits(clips)
    for key in ("group", "identity"):
        places = {}
        for clip, split in zip(clips, found.splits):
            if getattr(clip, key) is not None and clip.identity not in torn:
                places.setdefault(getattr(clip, key), set()).add(split)
        if key == "identity" or not has_given:
            assert all(len(splits) == 1 for splits in places.values())
    if has_groups:
        pairs = {(clip.group, split) for clip, split in zip(clips, found.splits)}
        assert len(pairs) == len({clip.group for clip in clips})


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"group_pattern": "(a"}, "`group_pattern` must be a regular expression with"),
        ({"group_pattern": "a"}, "`group_pattern` must be a regular expression with"),
        ({"group_pattern": "(a)", "group_by": "parent"}, "both tell groups; choose"),
        ({"fold": 1}, "`fold` is one of `folds`; say how many there are"),
        ({"folds": 3, "fold": 3}, "`fold` must be below `folds`, 3, as .* Received: 3"),
        ({"folds": 1}, "`folds` must be a whole number from 2, or groups. Received: 1"),
        ({"folds": "all"}, "`folds` must be a whole number from 2, or groups."),
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        FitConfig("t", **wrong)
