import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from training.input.memory import open_clips
from training.input.pipeline import TrainingData
from training.run.heads import make_heads
from training.settings.config import FitConfig
from training.tasks.own.entries import Entry
from training.tasks.own.listing import Listing
from training.tasks.own.task import Opening, OwnTask
from training.tasks.splits.splitting import Splitting

RATE = 8000


@dataclasses.dataclass(frozen=True)
class Listed(OwnTask):
    """A task of the entries that it is made with."""

    path: Path
    entries: tuple
    multi_label: bool = False
    metric: str = "accuracy"
    skip_bad_clips: bool = False
    splitting: Splitting = Splitting()
    opening: Opening = Opening()

    @property
    def name(self):
        return f"listed:{self.path}"

    @property
    def folder(self):
        return self.path

    def listing(self, multi_label=None):
        labels = {label for entry in self.entries for label in entry.labels}
        return Listing(self.entries, tuple(sorted(labels)), self.multi_label)

    def tell_passed_over(self):
        pass


def write_recordings(folder, n, extension="flac"):
    """n recordings of 4 s, r0, r1, ...; their paths."""
    random = np.random.default_rng(0)
    paths = [folder / f"r{number}.{extension}" for number in range(n)]
    for path in paths:
        write_clip(path, random.uniform(-0.5, 0.5, 4 * RATE), RATE)
    return paths


def found(data):
    """{split: {name: (waveform, label)}}."""
    return {
        split: {
            clip["clip"].decode(): (clip["waveform"], clip["label"])
            for clip in clips.dataset(RATE).as_numpy_iterator()
        }
        for split, clips in data.splits.items()
    }


def test_stretches_of_a_recording_are_read_alone_and_stay_together(tmp_path):
    paths = write_recordings(tmp_path, 6)
    entries = tuple(
        Entry(path, ("ab"[n],), start=1.5 * n, end=1.5 * n + 1)
        for path in paths
        for n in range(2)
    )
    data = Listed(tmp_path, entries).load(seed=0)
    clips = found(data)
    whole = {path.name: read_clip(path)[0] for path in paths}
    for split, by_name in clips.items():
        names = {name.partition("@")[0] for name in by_name}
        assert data.splits[split].n_groups == len(names)
        assert len(by_name) == 2 * len(names)  # both stretches of each
        for name in names:
            for label, stretch in enumerate(("0-1", "1.5-2.5")):
                waveform, found_label = by_name[f"{name}@{stretch}"]
                first = int(1.5 * label * RATE)
                np.testing.assert_array_equal(
                    waveform, whole[name][first : first + RATE]
                )
                assert found_label == label
    assert sum(map(len, clips.values())) == 12


def test_whole_files_and_stretches_go_together(tmp_path):
    paths = write_recordings(tmp_path, 3)
    entries = tuple(
        entry
        for n, path in enumerate(paths)
        for entry in (Entry(path, ("a",), f"{n}"), Entry(path, ("b",), f"{n}", start=3))
    )
    task = Listed(tmp_path, entries)
    clips = found(task.load())
    assert sorted(len(by_name) for by_name in clips.values()) == [2, 2, 2]
    everything = task.load_all(("a", "b", "c"))
    assert everything.groups == ["0", "0", "1", "1", "2", "2"]
    samples = [len(c["waveform"]) for c in everything.dataset(RATE).as_numpy_iterator()]
    assert samples == [4 * RATE, RATE] * 3
    assert [clip.file for clip in everything.clips][:2] == ["r0.flac", "r0.flac@3-"]


def test_a_stretch_that_holds_nothing_is_a_bad_clip(tmp_path, capsys):
    paths = write_recordings(tmp_path, 4)
    entries = [Entry(p, (x,), start=0, end=1) for p in paths for x in "ab"]
    entries.append(Entry(paths[0], ("a",), start=4, end=5))
    task = Listed(tmp_path, tuple(entries))
    with pytest.raises(UserError, match="1 of 9 clips can't be used; .* lasts 4 s"):
        task.load()
    dataclasses.replace(task, skip_bad_clips=True).load()
    assert "1 of 9 clips can't be used and are skipped" in capsys.readouterr().err


def test_a_stretch_that_ends_after_its_recording_is_named(tmp_path, capsys):
    paths = write_recordings(tmp_path, 4)
    entries = [Entry(p, ("ab"[n],), start=n, end=n + 1) for p in paths for n in (0, 1)]
    entries[1] = dataclasses.replace(entries[1], start=3.5, end=5)
    clips = Listed(tmp_path, tuple(entries)).load_all(("a", "b"))
    assert capsys.readouterr().err == (
        "warning: 1 of 8 clips end after their recordings do, and are cut there "
        f"({paths[0]}@3.5-5)\n"
    )
    sizes = [len(clip["waveform"]) for clip in clips.dataset(RATE).as_numpy_iterator()]
    assert sizes == [RATE, RATE // 2] + 6 * [RATE]


def test_whole_recordings_are_groups_beside_stretches(tmp_path):
    paths = write_recordings(tmp_path, 3)
    entries = [Entry(p, ("a",)) for p in paths] + [
        Entry(p, ("b",), end=1) for p in paths
    ]
    for clips in Listed(tmp_path, tuple(entries)).load().splits.values():
        assert clips.n_groups == 1 and clips.n_examples == 2


def test_clips_of_several_labels(tmp_path):
    paths = write_recordings(tmp_path, 12)
    kinds = (("a",), ("b",), ("a", "b"), ())
    entries = tuple(Entry(p, kinds[n % 4]) for n, p in enumerate(paths))
    task = Listed(tmp_path, entries, multi_label=True)
    data = task.load()
    assert data.multi_label
    [head] = make_heads([task.name], [data])
    assert head.multi_label and head.labels == ("a", "b")
    for split, by_name in found(data).items():
        labels = data.splits[split].read_labels()
        for clip, label in zip(data.splits[split].clips, labels):
            number = int(clip.file[1:].partition(".")[0])
            wanted = kinds[number % 4]
            assert clip.label == "|".join(wanted)
            np.testing.assert_array_equal(label, [x in wanted for x in "ab"])
            np.testing.assert_array_equal(by_name[clip.file][1], label)


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_weights_of_clips_weigh_their_windows(tmp_path, cache):
    paths = write_recordings(tmp_path, 12)
    weight = {path: 1.0 + n for n, path in enumerate(paths)}
    entries = tuple(
        Entry(path, ("ab"[n % 2],), weight=weight[path]) for n, path in enumerate(paths)
    )
    task = Listed(tmp_path, entries)
    data = task.load()
    train = data.splits["train"]
    assert train.weighted and train.only([1, 2]).weighted
    expected = [weight[tmp_path / clip.file] for clip in train.clips]
    clips = open_clips(train, RATE, "", cache)
    read = tf.data.Dataset.range(len(expected)).map(clips.clip)
    assert [float(clip["weight"]) for clip in read] == expected
    config = FitConfig(
        task.name, sample_rate=RATE, batch_size=8, window_seconds=0.1, cache=cache
    )
    heads = make_heads([task.name], [data])
    [(_, targets, weights)] = TrainingData([train], heads, config).batches().take(1)
    labels = train.read_labels()
    assert len(expected) == 8
    assert sorted(zip(weights.numpy(), targets.numpy().argmax(1))) == sorted(
        zip(expected, labels)
    )


def test_weights_of_1_are_none(tmp_path):
    paths = write_recordings(tmp_path, 6)
    entries = tuple(Entry(path, ("ab"[n % 2],)) for n, path in enumerate(paths))
    train = Listed(tmp_path, entries).load().splits["train"]
    assert not train.weighted
    assert "weight" not in next(train.dataset(RATE).as_numpy_iterator())
