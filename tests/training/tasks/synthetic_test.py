import json

import numpy as np
import pytest

from leaf_files.errors import UserError
from training.__main__ import dispatch
from training.tasks.registry import get_task


@pytest.fixture(scope="module")
def splits(synthetic_dir):
    import tensorflow_datasets as tfds

    from training.tasks.synthetic import LeafSynthetic

    builder = LeafSynthetic(data_dir=synthetic_dir)
    return {
        split: list(tfds.as_numpy(builder.as_dataset(split=split)))
        for split in ("train", "validation", "test")
    }


def test_the_splits_are_balanced(splits):
    for split, n_clips in (("train", 640), ("validation", 120), ("test", 240)):
        labels = [clip["label"] for clip in splits[split]]
        np.testing.assert_array_equal(np.bincount(labels), [n_clips // 8] * 8)


def test_no_speaker_is_in_two_splits(splits):
    speakers = [{clip["speaker"] for clip in clips} for clips in splits.values()]
    assert [len(names) for names in speakers] == [80, 15, 30]
    assert len(set.union(*speakers)) == 125


def test_every_clip_is_its_own_and_fits_16_bits(splits):
    clips = [clip for clips in splits.values() for clip in clips]
    assert len({clip["audio"].tobytes() for clip in clips}) == len(clips)
    for clip in clips:
        assert clip["audio"].shape == (16000,)
        assert 1000 < np.abs(clip["audio"]).max() <= 32767


def test_a_clip_is_made_the_same_again(splits):
    from training.tasks.synthetic import WORDS, make_clip

    clip = make_clip(9, range(95, 125))
    assert clip["speaker"] == "speaker096"
    assert clip["label"] == "dabi"
    [stored] = [
        stored
        for stored in splits["test"]
        if np.array_equal(stored["audio"], clip["audio"])
    ]
    assert stored["speaker"] == b"speaker096"
    assert list(WORDS)[stored["label"]] == "dabi"


def test_the_task_hands_out_the_official_splits(synthetic_dir, splits):
    data = get_task("synthetic").load(synthetic_dir)
    assert data.labels[:3] == ("bida", "dabi", "kaso")
    for split, stored in splits.items():
        clips = list(data.splits[split].dataset(16000).as_numpy_iterator())
        assert len(clips) == data.splits[split].n_examples == len(stored)
        for clip, example in zip(clips, stored):
            assert clip["label"] == example["label"]
            np.testing.assert_array_equal(
                clip["waveform"], np.float32(example["audio"] / 32768)
            )
        assert len({clip["clip"] for clip in clips}) == len(clips)


def test_the_list_of_tasks_tells_what_is_ready(synthetic_dir, capsys):
    assert not dispatch(
        ["tasks", "synthetic", "--json", "--data-dir", str(synthetic_dir)]
    )
    [record] = json.loads(capsys.readouterr().out)
    assert record["ready"]


def test_a_run_of_other_labels_refuses_it(finished, synthetic_dir):
    from training.evaluation.evaluating import evaluate

    with pytest.raises(UserError, match="doesn't know: bida, .*; it knows high, low"):
        evaluate(finished.path, "synthetic", synthetic_dir)
