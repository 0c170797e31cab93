import numpy as np
import pytest

from tests.training import miniatures
from tests.training.miniatures import AUDIOSET_SEGMENTS, sound
from training.tasks.builders import audio_set
from training.tasks.builders.audio_set import AudioSet, video_of

NUMBERS = {split: n for n, split in enumerate(AUDIOSET_SEGMENTS)}


def labels_of(index):
    return [index % 3] + ([3 + index % 5] if index % 2 else [])


@pytest.mark.parametrize("task", ["audioset", "audioset_balanced"])
def test_clips_carry_their_sound_and_all_their_labels(miniature, task):
    data = miniature(task)
    assert data.multi_label
    assert len(data.labels) == 527
    assert data.labels[3] == "Sound, number 3"
    seen = {}
    for split, clips in data.splits.items():
        found = list(clips.dataset(16000).as_numpy_iterator())
        assert len(found) == clips.n_examples
        seen[split] = {clip["clip"].decode() for clip in found}
        for clip in found:
            video = clip["clip"].decode()
            number, index = int(video[1]), int(video[2:])
            labels = labels_of(index)
            assert clip["label"].dtype == np.float32
            np.testing.assert_array_equal(np.flatnonzero(clip["label"]), labels)
            assert clip["label"].max() == 1
            waveform = sum(sound(label, 8, (number, index)) / 2 for label in labels)
            np.testing.assert_allclose(clip["waveform"], waveform, atol=1.01 / 32768)
        read = clips.read_labels()
        np.testing.assert_array_equal(read, [clip["label"] for clip in found])
    numbers = {split: {int(v[1]) for v in videos} for split, videos in seen.items()}
    assert numbers["test"] == {NUMBERS["eval"]}
    assert numbers["validation"] == {NUMBERS["balanced_train"]}
    if task == "audioset":
        assert len(numbers["train"]) == 2
    # One clip of each list isn't there.
    assert len(seen["test"]) == 19
    assert len(seen["validation"]) == 4
    assert len(seen["train"]) == 35 + (19 if task == "audioset" else 0)
    assert not seen["train"] & seen["validation"]


@pytest.mark.parametrize(
    "name, video",
    [
        ("-0RWZT-miFs.flac", "-0RWZT-miFs"),
        ("Y-0RWZT-miFs.wav", "-0RWZT-miFs"),
        ("Y0RWZT-miFs_.wav", "Y0RWZT-miFs_"[1:]),
        ("Ya0RWZT-miF.wav", "Ya0RWZT-miF"),
        ("-0RWZT-miFs_420000_430000.mp3", "-0RWZT-miFs"),
        ("Y-0RWZT-miFs_420.000_430.000.ogg", "-0RWZT-miFs"),
        ("-0RWZT-miFs_30.wav", "-0RWZT-miFs"),
        ("too_short.wav", None),
        ("-0RWZT-miFs (copy).wav", None),
    ],
)
def test_the_video_is_in_the_name(name, video):
    assert video_of(name) == video


def test_damaged_clips_are_left_out_and_counted(tmp_path, capsys):
    names = {"/m/1": "Speech"}
    segments = {f"video{n:06d}": ["/m/1"] for n in range(4)}
    clips = {}
    for video in list(segments)[:3]:
        clips[video] = tmp_path / f"{video}.flac"
        clips[video].write_bytes(miniatures.encoded(sound(0, 1, 0), kind="FLAC"))
    whole = clips["video000001"].read_bytes()
    clips["video000001"].write_bytes(whole[: len(whole) // 2])
    builder = AudioSet(config="balanced", data_dir=tmp_path)
    examples = builder._generate_examples("eval", segments, names, clips)
    assert [video for video, _ in examples] == ["video000000", "video000002"]
    line = capsys.readouterr().err
    assert line.startswith("eval: 2 of 4 clips; left out 1, such as: ")
    assert "video000001" in line and "cut short" in line


def test_no_clips_at_all_and_other_classes_are_refused(tmp_path):
    builder = AudioSet(config="balanced", data_dir=tmp_path)
    with pytest.raises(Exception, match="none of the 1 clips of eval are in"):
        list(builder._generate_examples("eval", {"v": ["/m/1"]}, {}, {}))
    path = tmp_path / "class_labels_indices.csv"
    path.write_text("index,mid,display_name\n0,/m/1,Speech\n")
    with pytest.raises(Exception, match="has 1 classes; AudioSet's has 527"):
        audio_set._read_classes(path)
