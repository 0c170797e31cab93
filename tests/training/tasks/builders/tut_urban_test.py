import hashlib

import numpy as np
import pytest

from tests.training import miniatures
from tests.training.miniatures import sound, zipped
from training.tasks.builders import tut_urban


@pytest.fixture(scope="module")
def clips(miniature):
    data = miniature("tut_urban")
    assert data.labels == tut_urban.SCENES
    return {
        split: list(clips.dataset(48000).as_numpy_iterator())
        for split, clips in data.splits.items()
    }


def location(clip):
    return "-".join(clip["clip"].decode().split("-")[1:3])


def test_segments_carry_their_sound_and_scene(clips):
    for clip in (clip for found in clips.values() for clip in found):
        scene, _, place, segment, _ = clip["clip"].decode().split("-")
        index = tut_urban.SCENES.index(scene)
        assert clip["label"] == index
        n = int(place) - 6 * index
        waveform = sound(index, 10, (n, int(segment)), sample_rate=48000, channels=2)
        np.testing.assert_allclose(clip["waveform"], waveform.mean(axis=1), atol=1e-6)


def test_fold_1_tests_and_no_location_is_in_two_splits(clips):
    locations = {split: {*map(location, found)} for split, found in clips.items()}
    assert {split: len(found) for split, found in locations.items()} == {
        "train": 30,
        "validation": 10,
        "test": 20,
    }
    assert len(set.union(*locations.values())) == 60
    for clip in clips["test"]:
        index = clip["label"]
        assert int(location(clip).split("-")[1]) - 6 * index >= 4
    for split, per_scene in (("train", 6), ("validation", 2), ("test", 4)):
        counts = np.bincount([clip["label"] for clip in clips[split]])
        np.testing.assert_array_equal(counts, [per_scene] * 10)


def test_the_locations_that_validate_are_the_same_in_every_version():
    """A tenth of a scene's segments, at least one location of each scene."""
    segments = [(scene, f"{scene}{n}") for scene in ("bus", "park") for n in range(20)]
    segments += [("tram", "long")] * 50 + [("tram", f"tram{n}") for n in range(50)]
    chosen = tut_urban.validation_locations(segments)
    assert chosen == tut_urban.validation_locations(reversed(segments))
    of_scene = {
        scene: {where for what, where in segments if what == scene and where in chosen}
        for scene in ("bus", "park", "tram")
    }
    assert len(of_scene["bus"]) == len(of_scene["park"]) == 2
    first = min((f"bus{n}" for n in range(20)), key=_digest)
    assert first in of_scene["bus"]
    n_tram = sum(where in of_scene["tram"] for what, where in segments)
    assert 10 <= n_tram
    assert ("long" in of_scene["tram"]) == (n_tram > 10)


def _digest(text):
    return hashlib.sha256(text.encode()).digest()


def test_a_segment_that_is_in_no_archive_is_named(tmp_path):
    archive = tmp_path / "audio.zip"
    archive.write_bytes(zipped({"root/audio/a.wav": miniatures.encoded(np.ones(99))}))
    segments = {"a.wav": ("park", "x"), "b.wav": ("bus", "y"), "c.wav": ("bus", "y")}
    builder = tut_urban.TutUrbanScenes2018(data_dir=tmp_path)
    with pytest.raises(Exception, match="2 of 3 segments .* such as b.wav"):
        list(builder._generate_examples([archive], segments))
