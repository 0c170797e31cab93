import collections
import json

import numpy as np
import pytest

from leaf_files.errors import UserError
from training.__main__ import dispatch
from training.tasks.registry import get_task

ALL = {
    "train": (640, range(0, 80)),
    "validation": (120, range(80, 95)),
    "test": (240, range(95, 125)),
}
# The first clips of each split, by its first speakers.
FEW = {
    "train": (128, range(0, 16)),
    "validation": (24, range(80, 83)),
    "test": (48, range(95, 101)),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(FEW, id="few"),
        pytest.param(ALL, id="all", marks=pytest.mark.slow),
    ],
)
def sizes(request):
    """{split: (its clips, its speakers)}."""
    return request.param


@pytest.fixture(scope="module")
def synthetic_dir(sizes, tmp_path_factory):
    """A TFDS data folder in which the task `synthetic` is ready."""
    from training.tasks import synthetic

    data_dir = tmp_path_factory.mktemp("tfds")
    with pytest.MonkeyPatch.context() as patch:
        if sizes is FEW:
            patch.setattr(synthetic, "_SPLITS", FEW)
        get_task("synthetic").load(data_dir)
    return data_dir


@pytest.fixture(scope="module")
def splits(synthetic_dir):
    import tensorflow_datasets as tfds

    from training.tasks.synthetic import LeafSynthetic

    builder = LeafSynthetic(data_dir=synthetic_dir)
    return {
        split: list(tfds.as_numpy(builder.as_dataset(split=split)))
        for split in ("train", "validation", "test")
    }


def speakers_of_balanced(splits, sizes):
    """The speakers of all splits, which are balanced and share none."""
    speakers = {}
    for split, (n_clips, of_split) in sizes.items():
        counts = collections.Counter(clip["label"] for clip in splits[split])
        assert list(counts.values()) == [n_clips // 8] * 8
        speakers[split] = {clip["speaker"] for clip in splits[split]}
        assert len(speakers[split]) == len(of_split)
    return set.union(*speakers.values())


def test_the_splits_are_balanced_and_share_no_speaker(splits, sizes):
    n_speakers = sum(len(of_split) for _, of_split in sizes.values())
    assert len(speakers_of_balanced(splits, sizes)) == n_speakers


def test_so_are_the_whole_splits(monkeypatch, tmp_path):
    """What is said, and by whom; the sound would take seconds."""
    from training.tasks import synthesis, synthetic

    silence = np.zeros(synthesis.CLIP_SAMPLES)
    monkeypatch.setattr(synthesis, "say", lambda *args: silence)
    monkeypatch.setattr(synthesis, "place", lambda *args: silence)
    builder = synthetic.LeafSynthetic(data_dir=tmp_path)
    splits = {
        split: [clip for _, clip in clips]
        for split, clips in builder._split_generators(None).items()
    }
    assert len(speakers_of_balanced(splits, ALL)) == 125


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
