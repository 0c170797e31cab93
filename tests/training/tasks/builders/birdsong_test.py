import numpy as np
import pytest

from tests.training.miniatures import BIRD_CLIPS, sound
from training.tasks.builders import birdsong


@pytest.fixture(scope="module")
def clips(miniature):
    data = miniature("birdsong")
    assert data.labels == ("no_bird", "bird")
    return {
        split: list(clips.dataset(44100).as_numpy_iterator())
        for split, clips in data.splits.items()
    }


def test_clips_carry_their_sound_and_whether_there_is_a_bird(clips):
    names = [s.name for s in birdsong.SETS]
    for clip in (clip for found in clips.values() for clip in found):
        recordings, item = clip["clip"].decode().split("/")
        number, index = names.index(recordings), int(item[1:])
        assert clip["label"] == index % 2
        waveform = sound(index % 2, 2, (number, index), sample_rate=44100)
        np.testing.assert_allclose(clip["waveform"], waveform, atol=1e-6)


def test_each_set_and_class_is_split_80_10_10(clips):
    seen = set()
    for split, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        found = [
            (clip["clip"].decode().split("/")[0], clip["label"])
            for clip in clips[split]
        ]
        for recordings in birdsong.SETS:
            for label in (0, 1):
                count = found.count((recordings.name, label))
                assert count == share * BIRD_CLIPS / 2
        seen |= {clip["clip"] for clip in clips[split]}
    assert len(seen) == 3 * BIRD_CLIPS


def test_the_split_is_the_same_in_every_version():
    labels = {"x": {str(n): "bird" for n in range(20)}}
    split = birdsong.split_birds(labels)
    assert split["test"] == [("x", "9"), ("x", "12")]
    assert len(split["train"]) == 16
