import io

import numpy as np
import pytest
import soundfile

from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from leaf_files.run_folder import Head
from training.run.heads import make_heads
from training.tasks.own.folder import FolderTask
from training.tasks.registry import get_task
from training.tasks.splits.splitting import Splitting


def clip_names(clip_set):
    return [
        clip["clip"].decode() for clip in clip_set.dataset(8000).as_numpy_iterator()
    ]


def test_clips_carry_their_sound_label_and_name(make_folder):
    folder = make_folder({"dog": 4, "cat": 5})
    data = get_task(f"folder:{folder}").load(seed=0)
    assert data.labels == ("cat", "dog")
    for split, n_examples in (("train", 5), ("validation", 2), ("test", 2)):
        clip_set = data.splits[split]
        clips = list(clip_set.dataset(8000).as_numpy_iterator())
        assert len(clips) == clip_set.n_examples == n_examples
        for clip in clips:
            name = clip["clip"].decode()
            assert name.startswith(data.labels[clip["label"]] + "/")
            expected, _ = read_clip(folder / name)
            np.testing.assert_array_equal(clip["waveform"], expected)


def test_clips_are_resampled_to_one_rate(make_folder):
    folder = make_folder({"a": 3, "b": 3}, samples=4410, sample_rate=44100)
    data = FolderTask(folder).load()
    for clip in data.splits["train"].dataset(16000):
        assert clip["waveform"].shape == (1600,)


def test_no_clip_is_in_two_splits_and_the_seed_chooses(make_folder):
    folder = make_folder({"a": 20, "b": 20})

    def names(seed):
        splits = FolderTask(folder).load(seed=seed).splits
        return {split: set(clip_names(splits[split])) for split in splits}

    first = names(seed=0)
    assert sum(map(len, first.values())) == 40
    assert len(set.union(*first.values())) == 40
    assert names(seed=0) == first
    assert names(seed=1) != first


def test_the_split_outlives_renaming(make_folder):
    folder = make_folder({"a": 20, "b": 20})
    before = FolderTask(folder).load().splits["test"]
    sounds = {
        clip["waveform"].tobytes() for clip in before.dataset(8000).as_numpy_iterator()
    }
    for n, path in enumerate(sorted((folder / "a").iterdir(), reverse=True)):
        path.rename(path.with_name(f"renamed{n}.wav"))
    after = FolderTask(folder).load().splits["test"]
    assert sounds == {
        clip["waveform"].tobytes() for clip in after.dataset(8000).as_numpy_iterator()
    }


def test_copies_in_another_format_do_not_leak(make_folder):
    folder = make_folder({"a": 10, "b": 10})
    for path in list((folder / "a").iterdir()):
        waveform, sample_rate = read_clip(path)
        write_clip(path.with_suffix(".flac"), waveform, sample_rate)
    for clips in FolderTask(folder).load().splits.values():
        names = [name for name in clip_names(clips) if name[0] == "a"]
        stems = [name.split(".")[0] for name in names]
        assert len(names) == 2 * len(set(stems))


def test_other_files_hidden_files_and_depth(make_folder):
    folder = make_folder({"a": 3, "b": 3})
    (folder / "README.md").write_text("about")
    (folder / ".cache").mkdir()
    (folder / "a" / "notes.txt").write_text("about")
    (folder / "a" / "._0.wav").write_text("left by another system")
    (folder / "a" / "deeper").mkdir()
    write_clip(folder / "a" / "deeper" / "x.WAV", np.ones(10), 8000)
    clips = FolderTask(folder).load_all(["a", "b"])
    assert clips.n_examples == 7
    assert "a/deeper/x.WAV" in clip_names(clips)


def test_silence_and_ten_samples_are_clips(make_folder):
    folder = make_folder({"a": 3, "b": 3}, samples=10)
    write_clip(folder / "a" / "silence.wav", np.zeros(8000), 8000)
    data = FolderTask(folder).load()
    assert sum(clips.n_examples for clips in data.splits.values()) == 7


def test_sound_that_cannot_be_meant_is_named(make_folder, capfd):
    folder = make_folder({"dog": 4, "cat": 5, "none": 3})
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 800)
    for number in range(3):
        write_clip(folder / f"none/{number}.wav", np.zeros(800 + number), 8000)
    for path in (folder / "none").iterdir():
        if path.name not in ("0.wav", "1.wav", "2.wav"):
            path.unlink()
    soundfile.write(folder / "dog/opposite.wav", np.stack([noise, -noise], 1), 8000)
    soundfile.write(folder / "cat/f.wav", 32768 * noise, 8000, subtype="FLOAT")
    (folder / "cat/chain.ogg").write_bytes(
        b"".join(vorbis(noise, rate=8000) for _ in range(2))
    )
    data = FolderTask(folder).load()
    lines = capfd.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("warning")] == [
        "warning: 3 of 15 clips hold nothing but digital silence: "
        + ", ".join(str(folder / f"none/{number}.wav") for number in range(3)),
        "warning: 1 of 15 clips hold channels of opposite phase, whose mean, which is "
        "what is heard, is close to silence; take one of them, e.g. ffmpeg -i IN -af "
        f"'pan=mono|c0=c0' OUT: {folder / 'dog/opposite.wav'}",
        "warning: 1 of 15 clips hold samples that are not scaled to [-1, 1], as if 16 "
        "bit integers were written as floats; divide them by 32768, or save them as "
        f"integers: {folder / 'cat/f.wav'}",
        "warning: all clips of none (3) are silent: a model learns nothing from them "
        "but silence",
    ]
    sizes = {
        clip["clip"].decode(): clip["waveform"].size
        for split in data.splits.values()
        for clip in split.dataset(8000).as_numpy_iterator()
    }
    assert sizes["cat/chain.ogg"] == 1600  # through tf.data, too


def vorbis(samples, rate):
    content = io.BytesIO()
    soundfile.write(content, samples, rate, format="OGG", subtype="VORBIS")
    return content.getvalue()


def refusal(folder):
    with pytest.raises(UserError) as error:
        FolderTask(folder).load()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_no_folder_of_classes_is_refused(tmp_path):
    assert "there is no folder" in refusal(tmp_path / "missing")
    assert "is empty" in refusal(tmp_path)
    write_clip(tmp_path / "loose.wav", np.ones(10), 8000)
    assert "has files but no subfolders" in refusal(tmp_path)
    assert "is a file" in refusal(tmp_path / "loose.wav")


def test_one_class_is_refused(make_folder):
    assert "one class only, 'a'" in refusal(make_folder({"a": 5}))


@pytest.mark.parametrize("n_clips", [0, 1, 2])
def test_a_small_class_is_named(make_folder, n_clips):
    message = refusal(make_folder({"many": 5, "few": n_clips}))
    assert f"class 'few' has {n_clips} distinct clips" in message
    assert "at least 3" in message


def test_bad_clips_are_counted_and_the_first_named(make_folder):
    folder = make_folder({"a": 4, "b": 4})
    for n in range(5):
        (folder / "b" / f"bad{n}.wav").write_text("no sound")
    message = refusal(folder)
    assert "5 of 13 clips can't be used" in message
    for n in range(3):
        assert str(folder / "b" / f"bad{n}.wav") in message
    assert "bad3" not in message


def test_bad_clips_are_left_out_where_asked_and_all_named(make_folder, capsys):
    folder = make_folder({"a": 4, "b": 4})
    whole = FolderTask(folder).load()
    for n in range(5):
        (folder / "b" / f"bad{n}.wav").write_text("no sound")
    task = FolderTask(folder, skip_bad_clips=True)
    data = task.load()
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "5 of 13 clips can't be used and are skipped:"
    assert [line.count(f"bad{n}.wav") for n, line in enumerate(said[1:])] == [1] * 5
    # The others are split as if the bad ones were not there.
    for split in data.splits:
        assert clip_names(data.splits[split]) == clip_names(whole.splits[split])
    assert task.load_all(["a", "b"]).n_examples == 8


def test_a_folder_of_bad_clips_alone_is_refused(make_folder):
    folder = make_folder({"a": 0, "b": 0})
    for label in "ab":
        (folder / label / "bad.wav").write_text("no sound")
    task = FolderTask(folder, skip_bad_clips=True)
    with pytest.raises(UserError, match="class 'a' has 0 distinct clips"):
        task.load()
    with pytest.raises(UserError, match="holds no clip that can be used"):
        task.load_all(["a", "b"])


@pytest.mark.slow
def test_one_bad_clip_among_ten_thousand_is_found_and_named(tmp_path, capsys):
    random = np.random.default_rng(0)
    for index in range(10_000):
        path = tmp_path / f"class{index % 10}" / f"{index:05d}.wav"
        write_clip(path, random.uniform(-0.5, 0.5, 80), 8000)
    bad = tmp_path / "class7" / "04567.wav"
    bad.write_bytes(bad.read_bytes()[:-2])
    message = refusal(tmp_path)
    assert "1 of 10000 clips can't be used" in message and str(bad) in message
    data = FolderTask(tmp_path, skip_bad_clips=True).load()
    assert sum(clips.n_examples for clips in data.splits.values()) == 9999
    assert str(bad) in capsys.readouterr().err


def test_load_all_maps_to_the_labels_of_a_model(make_folder):
    folder = make_folder({"b": 2, "d": 1})
    clips = FolderTask(folder).load_all(("a", "b", "c", "d"))
    found = [
        (clip["clip"], clip["label"])
        for clip in clips.dataset(8000).as_numpy_iterator()
    ]
    assert found == [(b"b/0.wav", 1), (b"b/1.wav", 1), (b"d/0.wav", 3)]


def test_load_all_names_classes_the_model_does_not_know(make_folder):
    folder = make_folder({"b": 1, "zebra": 1, "yak": 1})
    with pytest.raises(UserError, match="doesn't know: yak, zebra; it knows a"):
        FolderTask(folder).load_all(("a", "b"))


def test_load_all_refuses_no_clips(make_folder):
    with pytest.raises(UserError, match="holds no audio files"):
        FolderTask(make_folder({"a": 0})).load_all(("a", "b"))


def test_names_in_any_language(make_folder):
    folder = make_folder({"ключ": 3, "b": 3})
    (folder / "ключ" / "0.wav").rename(folder / "ключ" / "größe 鍵.wav")
    clips = FolderTask(folder).load_all(("b", "ключ"))
    assert "ключ/größe 鍵.wav" in clip_names(clips)


def said(capsys):
    return capsys.readouterr().err.splitlines()


def test_the_walk_is_that_of_all_commands_and_says_what_it_leaves(make_folder, capsys):
    folder = make_folder({"a": 3, "b": 3})
    (folder / "a" / ".Trash-1000").mkdir()
    write_clip(folder / "a" / ".Trash-1000" / "old.wav", np.ones(10), 8000)
    (folder / "__MACOSX" / "a").mkdir(parents=True)
    (folder / "__MACOSX" / "a" / "._0.wav").write_bytes(b"\0\5\x16\7")
    for n in range(5):
        (folder / "b" / f"{n}.m4a").write_bytes(b"any")
    write_clip(folder / "loose.wav", np.ones(10), 8000)
    data = FolderTask(folder).load()
    assert data.labels == ("a", "b")
    assert sum(clips.n_examples for clips in data.splits.values()) == 6
    [line] = said(capsys)
    assert "5 of formats that can't be read (5 .m4a; such as b/0.m4a)" in line
    assert "1 audio file in no class folder (loose.wav)" in line
    assert "2 hidden or system folders or files (__MACOSX, a/.Trash-1000)" in line
    assert FolderTask(folder).load_all(["a", "b"]).n_examples == 6
    assert said(capsys) == [line]


def test_all_faults_are_told_in_one_line(make_folder):
    folder = make_folder({"a": 4, "b": 2, "c": 0, "d ": 3, "many": 5})
    (folder / "a" / "bad.wav").write_text("no sound")
    (folder / "a" / "gone.wav").symlink_to(folder / "nowhere.wav")
    for n in range(5):
        (folder / "c" / f"{n}.m4a").write_bytes(b"any")
    message = refusal(folder)
    assert "(1) names of classes that can't be labels, rename them: 1 with a" in message
    assert "('d ')" in message
    assert "(2) 2 of 16 clips can't be used" in message and "bad.wav" in message
    assert "gone.wav is a link to a file that isn't there" in message
    assert "(3) class 'b' has 2 distinct clips, 'c' has 0 (2 such classes)" in message
    assert "5 of formats that can't be read (5 .m4a; such as c/0.m4a)" in message


def test_a_broken_link_is_skipped_as_a_bad_clip_is(make_folder, capsys):
    folder = make_folder({"a": 3, "b": 3})
    (folder / "a" / "gone.wav").symlink_to(folder / "nowhere.wav")
    task = FolderTask(folder, skip_bad_clips=True)
    assert task.load_all(["a", "b"]).n_examples == 6
    assert "gone.wav" in said(capsys)[1]


def test_what_is_passed_over_is_told_without_reading(make_folder, capsys, tmp_path):
    folder = make_folder({"a": 1})
    (folder / "a" / "x.m4a").write_bytes(b"any")
    FolderTask(folder).tell_passed_over()
    assert "(1 .m4a; such as a/x.m4a)" in said(capsys)[0]
    FolderTask(tmp_path / "none").tell_passed_over()
    assert said(capsys) == []


@pytest.mark.parametrize("name", ["b ", "b\n", "caf\udce9", "\x1bb"])
def test_names_that_cannot_be_labels_are_refused(make_folder, name):
    folder = make_folder({"a": 3, "b": 3})
    (folder / "b").rename(folder / name)
    assert f"({name!a})" in refusal(folder)


def test_twins_in_unicode_are_refused_and_those_in_case_are_named(make_folder, capsys):
    folder = make_folder({"Dog": 3, "dog": 3, "cat": 3})
    assert FolderTask(folder).load().labels == ("Dog", "cat", "dog")
    [line] = said(capsys)
    assert "differ only in case" in line and "'Dog' and 'dog'" in line
    (folder / "Dog").rename(folder / "\xe9")
    (folder / "dog").rename(folder / "e\u0301")
    assert r"same text ('e\u0301' and '\xe9')" in refusal(folder)


def test_a_class_in_the_unicode_of_macos_is_known_to_the_model(make_folder):
    folder = make_folder({"e\u0301": 2, "b": 1})
    clips = FolderTask(folder).load_all(("b", "\xe9"))
    labels = [clip["label"] for clip in clips.dataset(8000).as_numpy_iterator()]
    assert labels == [0, 1, 1]


def test_one_sound_in_two_classes_is_named(make_folder, capsys):
    folder = make_folder({"a": 4, "b": 4})
    for n in range(2):
        content = (folder / "a" / f"{n}.wav").read_bytes()
        (folder / "b" / f"again{n}.wav").write_bytes(content)
    for load in (FolderTask(folder).load, lambda: FolderTask(folder).load_all("ab")):
        load()
        [line] = said(capsys)
        assert line.startswith("warning: 2 sounds are in several classes")
        assert f"{folder}/a/0.wav = {folder}/b/again0.wav" in line
    (folder / "c").mkdir()  # beside another fault
    assert "2 sounds are in several classes" in refusal(folder)


def test_copies_in_one_class_are_no_oddity(make_folder, capsys):
    folder = make_folder({"a": 4, "b": 4})
    content = (folder / "a" / "0.wav").read_bytes()
    (folder / "a" / "again.wav").write_bytes(content)
    FolderTask(folder).load()
    assert said(capsys) == []


def make_splits(make_folder, sizes):
    """A folder with subfolders of splits, from {"train/a": 3, "test/a": 1}."""
    flat = {name.replace("/", "+"): n for name, n in sizes.items()}
    folder = make_folder(flat)
    for name in flat:
        (folder / name.partition("+")[0]).mkdir(exist_ok=True)
        (folder / name).rename(folder / name.replace("+", "/"))
    return folder


def test_subfolders_of_splits_are_kept(make_folder, capsys):
    sizes = {"Train/a": 4, "Train/b": 3, "val/a": 1, "val/b": 2, "test/a": 2}
    folder = make_splits(make_folder, sizes | {"test/b": 1})
    data = FolderTask(folder).load(seed=5)
    assert data.labels == ("a", "b")
    places = {"train": "Train", "validation": "val", "test": "test"}
    for split, n_clips in (("train", 7), ("validation", 3), ("test", 3)):
        names = clip_names(data.splits[split])
        assert len(names) == n_clips
        assert {name.partition("/")[0] for name in names} == {places[split]}
        labels = [clip.label for clip in data.splits[split].clips]
        assert labels == [name.split("/")[1] for name in names]
    assert said(capsys) == []
    assert FolderTask(folder).load_all("ab").n_examples == 13


def test_splits_without_a_folder_are_drawn_from_training(make_folder, capsys):
    folder = make_splits(
        make_folder, {"train/a": 20, "train/b": 20, "test/a": 2, "test/c": 2}
    )
    data = FolderTask(folder).load()
    sizes = [data.splits[split].n_examples for split in data.splits]
    assert sizes == [36, 4, 4]
    assert said(capsys) == [
        f"warning: 2 of the 3 classes of {folder} are in one split only: b (train), c "
        "(test)",
        "the data gives no validation split: 4 of 40 clips are drawn for it",
        "warning: 1 class is not in the train split: 'c'",
        "warning: 1 class is not in the validation split: 'c'",
        "warning: 1 class is not in the test split: 'b'",
    ]


def test_splits_of_files_without_classes_are_refused(make_folder):
    folder = make_folder({"Train": 5, "test": 3})
    assert refusal(folder) == (
        f"the subfolders of {folder} are called Train, test, as splits are, and Train, "
        "test hold audio files but no folders of classes: put each clip into a "
        "subfolder of its class, or, if these are the classes, give them other names; "
        f"passed over in {folder}: 8 audio files in no class folder (Train/0.wav, "
        "Train/1.wav, Train/2.wav, ...)"
    )


def test_splits_that_cannot_be_used_are_refused(make_folder):
    folder = make_splits(make_folder, {"dev/a": 3, "dev/b": 3, "test/a": 1})
    assert "and none of them trains: call one train" in refusal(folder)
    (folder / "dev").rename(folder / "train")
    assert "the test split has 1 class of 2 (a)" in refusal(folder)


def test_groups_of_a_folder_go_to_one_split(make_folder):
    folder = make_folder({"a": 30, "b": 30})
    for path in folder.glob("*/*.wav"):
        path.rename(path.with_name(f"{int(path.stem) % 10}__{path.name}"))
    task = FolderTask(folder, splitting=Splitting(group_pattern="([^/]+)__"))
    splits = task.load(seed=1).splits
    assert [clips.n_groups for clips in splits.values()] == [8, 1, 1]
    for clips in splits.values():
        assert clips.n_examples == 6 * clips.n_groups
        names = clip_names(clips)
        assert list(clips.groups) == [n.split("/")[1].partition("__")[0] for n in names]
    assert task.load_all("ab").groups is not None
    other = FolderTask(folder, splitting=Splitting(group_pattern="(x)"))
    assert other.load_all("ab").groups is None
    with pytest.raises(UserError, match="60 of 60 clips have no group by --group-pat"):
        other.load()


def test_a_background_is_a_class_among_others(make_folder):
    data = FolderTask(make_folder({"wren": 4, "Noise": 4, "silence": 4})).load()
    assert (data.labels, data.background) == (("Noise", "silence", "wren"), "Noise")
    [head] = make_heads(["t"], [data])
    assert head.background == "Noise" and Head.from_dict(head.to_dict()) == head


def test_folders_of_several_classes_make_a_task_of_several_labels(make_folder, capsys):
    folder = make_folder({"a": 6, "b": 6, "a,b": 6, "b|a": 3, "noise": 6, "a,c": 3})
    data = FolderTask(folder).load()
    lines = said(capsys)
    assert "several labels, as the names of folders say: a,b, b|a" in lines[0]
    assert lines[1] == (
        "warning: the folder 'a,c' is a class of its own; for clips of several classes "
        "there must be a folder of each, and 'c' is none"
    )
    assert data.multi_label and data.labels == ("a", "a,c", "b")
    assert data.background == "noise"
    wanted = {"a": "a", "b": "b", "a,b": "a|b", "b|a": "b|a", "noise": "", "a,c": "a,c"}
    n_clips = 0
    for clips in data.splits.values():
        for clip, label in zip(clips.clips, clips.read_labels()):
            of = wanted[clip.file.partition("/")[0]]
            assert clip.label == of
            assert {data.labels[n] for n in np.flatnonzero(label)} == {
                *of.split("|")
            } - {""}
            n_clips += 1
    assert n_clips == 30
    assert FolderTask(folder).load_all(("a", "a,c", "b", "d")).n_examples == 30


def test_folders_of_runs_are_not_classes(make_folder):
    folder = make_folder({"a": 3, "run": 3})
    for name in ("config.json", "tasks.json"):
        (folder / "run" / name).write_text("{}")
    assert "1 of the subfolders" in refusal(folder) and "of runs" in refusal(folder)
    assert "is the folder of a run, not of clips" in refusal(folder / "run")


def test_a_path_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "caf\udce9").mkdir()
    assert "is not valid UTF-8" in refusal(tmp_path / "caf\udce9")


def test_an_unknown_class_without_clips_does_not_matter(make_folder):
    folder = make_folder({"a": 2, "notes": 0})
    assert FolderTask(folder).load_all(["a", "b"]).n_examples == 2
