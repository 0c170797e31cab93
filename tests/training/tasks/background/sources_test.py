"""Tasks to which `--background` adds clips."""

import collections
import shutil
from pathlib import Path

import numpy as np
import pytest

from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from training.settings.config import FitConfig
from training.tasks.background.adding import with_background
from training.tasks.background.sources import BackgroundSources
from training.tasks.clip_sets import SPLITS
from training.tasks.registry import get_task, get_tasks

RATE = 8000


def write(folder, lengths, seed=1):
    """Recordings of noise in a folder, by their names: {"a.wav": seconds}."""
    random = np.random.default_rng(seed)
    for name, seconds in lengths.items():
        waveform = random.uniform(-0.5, 0.5, round(seconds * RATE))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_clip(folder / name, waveform, RATE)
    return folder


def load(task, seed=0, **settings):
    config = FitConfig(
        task, sample_rate=RATE, window_seconds=0.5, seed=seed, index="none", **settings
    )
    [found] = get_tasks(config)
    return found.load(None, seed)


def added(data, split):
    """{name: (label, waveform)} of the clips of the background in a split."""
    number = data.labels.index(data.background)
    return {
        clip["clip"].decode(): clip["waveform"]
        for clip in data.splits[split].dataset(RATE).as_numpy_iterator()
        if clip["label"] == number
    }


def names(data, split):
    return {c.file for c in data.splits[split].clips if c.label == data.background}


@pytest.fixture
def words(make_folder):
    return f"folder:{make_folder({'no': 40, 'yes': 40})}"


@pytest.fixture
def street(tmp_path):
    return str(write(tmp_path / "street", {f"day{n}/{n}.wav": 12.0 for n in range(10)}))


def test_a_class_of_as_many_clips_as_the_mean(words, street):
    data = load(words, background=f"synthetic,{street}")
    assert data.labels == ("no", "yes", "background")
    assert data.background == "background"
    counts = collections.Counter(
        name.split("/")[0] == "synthetic" for s in SPLITS for name in names(data, s)
    )
    assert counts == {True: 20, False: 20}
    n_added = {split: len(names(data, split)) for split in SPLITS}
    assert sum(n_added.values()) == 40 and min(n_added.values()) >= 4
    plain = load(words)
    for split in SPLITS:
        before, now = plain.splits[split].clips, data.splits[split].clips
        assert now[: len(before)] == before
        assert len(now) == len(before) + n_added[split]


def test_a_share_of_all_clips(words):
    data = load(words, background="synthetic", background_share=0.5)
    assert sum(len(names(data, split)) for split in SPLITS) == 80


def test_clips_sound_as_they_are_in_the_recordings(words, street):
    data = load(words, background=street)
    for name, waveform in added(data, "test").items():
        path, _, times = name.partition("@")
        first, last = (round(float(t) * RATE) for t in times.split("-"))
        np.testing.assert_array_equal(waveform, read_clip(path)[0][first:last])
        assert last - first <= 5 * 0.5 * RATE


def test_labels_are_read_without_clips_in_the_same_order(words, street):
    clips = load(words, background=f"synthetic,{street}").splits["train"]
    labels = [int(clip["label"]) for clip in clips.dataset(RATE).as_numpy_iterator()]
    assert clips.read_labels().tolist() == labels
    chosen = [0, len(labels) - 1]
    few = clips.only(chosen)
    for n, clip in enumerate(few.dataset(RATE).as_numpy_iterator()):
        np.testing.assert_array_equal(clip["waveform"], few.waveforms.read(RATE, n))
        np.testing.assert_array_equal(
            clip["waveform"], clips.waveforms.read(RATE, chosen[n])
        )


def test_a_recording_is_in_one_split_and_a_seed_draws_the_same_again(words, street):
    drawn = {}
    for seed in range(3):
        data = load(words, seed, background=street)
        files = [{n.partition("@")[0] for n in names(data, s)} for s in SPLITS]
        assert sum(map(len, files)) == len(set().union(*files)) == 10
        assert all(files)
        drawn[seed] = files
        again = load(words, seed, background=street)
        assert [names(again, s) for s in SPLITS] == [names(data, s) for s in SPLITS]
    assert drawn[0] != drawn[1] or drawn[1] != drawn[2]


def test_the_clips_of_all_splits_are_the_same_whatever_the_seed(words, street):
    of_seeds = [load(words, seed, background=f"synthetic,{street}") for seed in (0, 1)]
    sounds = [
        {(c.sound, c.label) for s in SPLITS for c in data.splits[s].clips}
        for data in of_seeds
    ]
    assert sounds[0] == sounds[1]


def test_few_recordings_are_split_in_time(words, tmp_path):
    folder = write(tmp_path / "one", {"hour.wav": 60.0})
    data = load(words, background=str(folder))
    assert all(names(data, split) for split in SPLITS)
    assert "split in time, as they are fewer than three" in data.notes[-1]
    seconds = sorted(
        (float(name.rpartition("@")[2].partition("-")[0]), split)
        for split in SPLITS
        for name in names(data, split)
    )
    splits = [split for _, split in seconds]
    changes = sum(a != b for a, b in zip(splits, splits[1:]))
    assert changes <= 9  # of ten parts


def test_groups_of_the_task_take_their_recordings_with_them(tmp_path):
    clips = {
        f"{w}/{p}_{n}.wav": 0.5 for w in ("no", "yes") for p in "abcde" for n in "123"
    }
    write(tmp_path / "words", clips)
    others = {f"{p}_{n}.wav": 1.0 for p in "abcdefgh" for n in "12"}
    write(tmp_path / "others", others, seed=2)
    data = load(
        f"folder:{tmp_path}/words",
        background=str(tmp_path / "others"),
        background_share=0.5,
        group_pattern="([a-h])_",
    )
    heard: dict = {"background": {}, "no": {}, "yes": {}}
    for split in SPLITS:
        clips = data.splits[split]
        for clip, group in zip(clips.clips, clips.groups):
            heard[clip.label].setdefault(group, set()).add(split)
    assert set(heard["no"]) == set("abcde") and set(heard["background"]) == set(
        "abcdefgh"
    )
    assert all(len(splits) == 1 for splits in heard["background"].values())
    for group in "abcde":
        assert heard["background"][group] == heard["no"][group] == heard["yes"][group]


def test_one_class_is_enough(make_folder):
    data = load(f"folder:{make_folder({'seven': 30})}", background="synthetic")
    assert data.labels == ("seven", "background")
    assert {s: len(names(data, s)) for s in SPLITS} == {
        "train": 22,
        "validation": 4,
        "test": 4,
    }


def test_clips_join_the_class_that_the_task_has(make_folder):
    folder = make_folder({"no": 20, "Noise": 20})
    data = load(f"folder:{folder}", background="synthetic")
    assert data.labels == ("Noise", "no") and data.background == "Noise"
    assert sum(len(names(data, split)) for split in SPLITS) == 40


def test_copies_of_a_recording_are_used_once(words, tmp_path):
    folder = write(tmp_path / "bg", {f"{n}.wav": 0.5 for n in range(6)})
    for n in range(6):
        (folder / f"copy{n}.wav").write_bytes((folder / f"{n}.wav").read_bytes())
    data = load(words, background=str(folder))
    assert sum(len(names(data, split)) for split in SPLITS) == 6
    assert "6 pieces, of 40 wanted, of 6 of the 6 recordings" in data.notes[-1]


@pytest.fixture
def field(tmp_path):
    """4 recordings of 10 s with 2 events of 1 s each, from 2 and from 6.5 s on."""
    write(tmp_path, {f"dawn{n}.wav": 10.0 for n in range(4)})
    rows = [
        f"dawn{n}.wav,{label},{start},{start + 1}"
        for n in range(4)
        for label, start in (("wren", 2), ("lark", 6.5))
    ]
    table = tmp_path / "field.csv"
    table.write_text("\n".join(["path,label,start,end", *rows]))
    return table


def test_what_is_annotated_in_no_row(field):
    data = load(f"table:{field}", background="unlabelled", background_share=0.6)
    assert data.labels == ("lark", "wren", "background")
    n_added = 0
    for split in SPLITS:
        groups = {
            c.file.partition("@")[0].rpartition("/")[2]
            for c in data.splits[split].clips
        }
        for name in names(data, split):
            n_added += 1
            path, _, times = name.partition("@")
            start, end = map(float, times.split("-"))
            assert end - start >= 0.5
            assert end <= 2 or 3 <= start and end <= 6.5 or start >= 7.5
            assert path.rpartition("/")[2] in groups
    assert n_added == 12
    # Recordings stay whole.
    of_split = [
        {
            clip.file.partition("@")[0].rpartition("/")[2]
            for clip in data.splits[s].clips
        }
        for s in SPLITS
    ]
    assert sum(map(len, of_split)) == 4


def test_a_recording_without_events_is_background(tmp_path):
    write(tmp_path, {f"dawn{n}.wav": 4.0 for n in range(6)})
    for n in range(6):
        rows = (
            [f"{t}\t{t + 1}\t{w}" for t, w in ((0, "wren"), (3, "lark"))] if n else []
        )
        (tmp_path / f"dawn{n}.txt").write_text("\n".join(rows))
    data = load(f"table:{tmp_path}", background="unlabelled", background_share=0.8)
    of_first = [n for s in SPLITS for n in names(data, s) if "dawn0" in n]
    assert len(of_first) == 8  # windows of half a second


@pytest.mark.parametrize(
    "background, words_of_error",
    [
        ("nowhere", "the folder .*nowhere of --background isn't there"),
        ("words.csv", "words.csv of --background is a file"),
        ("empty", "empty holds no recordings for --background"),
        ("words/no", "holds clips of folder:.*words, or lies among them"),
        (".", "holds clips of folder:.*words, or lies among them"),
        ("linked", "10 recordings of --background .* are of the task itself: "),
        ("copied", "1 recording of --background .* is among the clips of the task"),
        ("unlabelled", "columns start and end, and folder:.*words is none"),
    ],
)
def test_what_can_not_be_a_background(tmp_path, background, words_of_error):
    folder = tmp_path / "words"
    write(folder, {f"{w}/{n}.wav": 0.5 for w in ("no", "yes") for n in range(10)})
    (tmp_path / "words.csv").write_text("path,label\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/no").symlink_to(folder / "no")
    write(tmp_path / "copied", {"a.wav": 0.6, "b.wav": 0.7}, seed=2)
    (tmp_path / "copied/c.wav").write_bytes((folder / "no/3.wav").read_bytes())
    name = background if background == "unlabelled" else str(tmp_path / background)
    with pytest.raises(UserError, match=words_of_error) as refused:
        load(f"folder:{folder}", background=name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("multi_label", [False, True])
def test_of_several_labels_its_clips_have_none(make_folder, street, multi_label):
    """Those that the names of folders tell of, or `multi_label`."""
    counts = {"a": 10, "b": 10} | ({} if multi_label else {"a,b": 10})
    folder = make_folder(counts)
    task = f"folder:{folder}"
    data = load(task, background=f"synthetic,{street}", multi_label=multi_label)
    assert data.labels == ("a", "b") and data.multi_label
    assert data.background is None
    by_label: dict = {}
    for split in SPLITS:
        clips = data.splits[split]
        for listed, targets, clip in zip(
            clips.clips,
            clips.read_labels(),
            clips.dataset(RATE).as_numpy_iterator(),
            strict=True,
        ):
            np.testing.assert_array_equal(clip["label"], targets)
            by_label.setdefault(listed.label, set()).add(tuple(targets.tolist()))
    assert by_label[""] == {(0.0, 0.0)}
    assert by_label["a"] == {(1.0, 0.0)} and by_label["b"] == {(0.0, 1.0)}
    [line] = [note for note in data.notes if "--background" in note]
    n_added = sum(c.label == "" for split in SPLITS for c in data.splits[split].clips)
    assert n_added >= sum(counts.values()) // 2
    assert line.startswith(f"{n_added} clips without a label by --background (")


def test_a_folder_background_has_no_label_either(make_folder):
    folder = make_folder({"a": 10, "b": 10, "background": 10})
    data = load(f"folder:{folder}", multi_label=True)
    assert data.labels == ("a", "b")
    targets = np.concatenate([data.splits[split].read_labels() for split in SPLITS])
    assert np.unique(targets, axis=0, return_counts=True)[1].tolist() == [10, 10, 10]


def test_one_class_and_clips_without_a_label_are_enough(make_folder):
    folder = make_folder({"seven": 10, "background": 10})
    assert load(f"folder:{folder}", multi_label=True).labels == ("seven",)
    shutil.rmtree(folder / "background")
    with pytest.raises(UserError, match="one class only"):
        load(f"folder:{folder}", multi_label=True)


def test_only_clips_of_ones_own_are_learned_class_by_class():
    with pytest.raises(UserError, match="--multi-label is for clips of your own"):
        load("synthetic", multi_label=True)


def test_bad_recordings_are_named_or_left_out(words, street, capsys):
    (Path(street) / "bad.wav").write_bytes(b"RIFF no sound")
    with pytest.raises(
        UserError, match=r"1 of 11 clips can't be used; mend .*bad\.wav"
    ):
        load(words, background=street)
    data = load(words, background=street, skip_bad_clips=True)
    assert sum(len(names(data, split)) for split in SPLITS) == 40
    assert "are skipped" in capsys.readouterr().err


def test_settings_that_go_with_nothing():
    with pytest.raises(ValueError, match="`background_share` is of use with"):
        FitConfig("synthetic", background_share=0.5)
    with pytest.raises(ValueError, match="choose one: `background_class` takes all"):
        FitConfig("table:a.csv", background="synthetic", background_class="rest")


def test_data_of_tfds_has_it_too(miniature):
    plain = miniature("spoken_digit")
    sources = BackgroundSources(("synthetic",), None, 0.5, RATE)
    data = with_background(plain, sources, seed=0)
    assert data.labels == (*plain.labels, "background")
    assert data.fingerprint != plain.fingerprint
    n_added = {
        s: data.splits[s].n_examples - plain.splits[s].n_examples for s in SPLITS
    }
    n_clips = sum(plain.splits[split].n_examples for split in SPLITS)
    assert sum(n_added.values()) == max(3, round(n_clips / len(plain.labels)))
    for split in SPLITS:
        clips = list(data.splits[split].dataset(RATE).as_numpy_iterator())
        kinds = [clip["label"] == len(plain.labels) for clip in clips]
        assert sum(kinds) == n_added[split] and all(kinds[len(kinds) - sum(kinds) :])
        assert data.splits[split].fingerprint != plain.splits[split].fingerprint


def test_of_several_labels_of_tfds_its_clips_have_none(miniature):
    plain = miniature("audioset_balanced")
    data = with_background(plain, BackgroundSources(("synthetic",), None, 0.5, RATE), 0)
    assert data.labels == plain.labels and data.multi_label
    for split in SPLITS:
        clips = data.splits[split]
        n_before = plain.splits[split].n_examples
        assert clips.n_examples > n_before
        assert not clips.read_labels()[n_before:].any()
        *_, last = clips.dataset(RATE).as_numpy_iterator()
        assert last["clip"].startswith(b"synthetic/") and not last["label"].any()


def test_a_task_of_another_name_is_the_same_but_for_its_background(words):
    config = FitConfig(words, background="synthetic")
    assert get_task(words, config).is_same(get_task(words))
