import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from leaf_files.errors import UserError
from tests.training import miniatures
from tests.training.miniatures import DIGIT_SPEAKERS, sound
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS
from training.tasks.registry import get_task
from training.tasks.tfds import data_folder, size

PER_DIGIT = 2  # of each of 5 speakers


def waveform_of(name):
    """What the miniature holds under `{digit}_{speaker}_{index}.wav`."""
    digit, speaker, index = name.split(".")[0].split("_")
    seed = (DIGIT_SPEAKERS.index(speaker), int(index))
    return sound(int(digit), 10, seed, sample_rate=8000)


@pytest.fixture(scope="module")
def digits_dir(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("digits")
    miniatures.spoken_digit(data_dir, PER_DIGIT)
    return data_dir


def test_spoken_digit_through_its_real_builder(digits_dir):
    data = get_task("spoken_digit").load(digits_dir, seed=0)
    assert data.labels == tuple("0123456789")
    seen = []
    for split, per_digit in (("train", 8), ("validation", 1), ("test", 1)):
        clips = list(data.splits[split].dataset(8000).as_numpy_iterator())
        assert len(clips) == data.splits[split].n_examples == 10 * per_digit
        labels = [clip["label"] for clip in clips]
        np.testing.assert_array_equal(np.bincount(labels), [per_digit] * 10)
        for clip in clips:
            name = clip["clip"].decode()
            assert clip["label"] == int(name[0])
            np.testing.assert_allclose(
                clip["waveform"], waveform_of(name), atol=1.01 / 32768
            )
        seen += [clip["clip"] for clip in clips]
    assert len(set(seen)) == 10 * 5 * PER_DIGIT


def test_spoken_digit_is_resampled(digits_dir):
    data = get_task("spoken_digit").load(digits_dir, seed=0)
    for clip in data.splits["test"].dataset(16000):
        assert clip["waveform"].shape == (6400,)


def test_the_seed_chooses_the_split(digits_dir):
    def test_clips(seed):
        data = get_task("spoken_digit").load(digits_dir, seed)
        clips = data.splits["test"].dataset(8000).as_numpy_iterator()
        return [clip["clip"] for clip in clips]

    assert test_clips(0) == test_clips(0)
    assert set(test_clips(0)) != set(test_clips(1))


def speakers_of(data):
    """{split: the speakers that are heard in it}."""
    return {
        split: {
            clip["clip"].decode().split("_")[1]
            for clip in clips.dataset(8000).as_numpy_iterator()
        }
        for split, clips in data.splits.items()
    }


def test_each_speaker_tests_once_in_five_seeds_and_none_is_in_two_splits(digits_dir):
    tested = []
    for seed in range(5):
        data = get_task("spoken_digit@speaker").load(digits_dir, seed)
        heard = speakers_of(data)
        assert [len(heard[split]) for split in SPLITS] == [3, 1, 1]
        assert set.union(*heard.values()) == set(DIGIT_SPEAKERS)
        [test] = heard["test"]
        tested.append(test)
        for split, n_speakers in zip(SPLITS, (3, 1, 1)):
            assert data.splits[split].n_examples == n_speakers * 10 * PER_DIGIT
    assert tuple(tested) == DIGIT_SPEAKERS


def test_speakers_found_by_a_pattern_are_held_out_whole(digits_dir, capsys):
    config = FitConfig("spoken_digit", group_pattern=r"\d_(\w+)_")
    for name in ("spoken_digit", "spoken_digit@speaker"):
        data = get_task(name, config).load(digits_dir, seed=0)
        heard = speakers_of(data)
        assert [len(heard[split]) for split in SPLITS] == [3, 1, 1]
        for split, speakers in heard.items():
            assert set(data.splits[split].groups) == speakers
            assert data.splits[split].n_groups == len(speakers)
    folds = dataclasses.replace(config, folds="groups")
    for seed, speaker in enumerate(DIGIT_SPEAKERS):
        data = get_task("spoken_digit", folds).load(digits_dir, seed)
        assert speakers_of(data)["test"] == {speaker}
        assert f"fold {seed} of 5 ({speaker}) tests" in capsys.readouterr().err


def test_a_pattern_that_tells_no_speaker_is_refused(digits_dir):
    task = get_task("spoken_digit", FitConfig("spoken_digit", group_pattern="(x)"))
    with pytest.raises(UserError, match="can't be split so: .* have no group by"):
        task.load(digits_dir)


def test_clips_of_a_speaker_who_is_held_out_carry_their_sound_and_label(digits_dir):
    data = get_task("spoken_digit@speaker").load(digits_dir, seed=1)
    clips = list(data.splits["test"].dataset(8000).as_numpy_iterator())
    assert len({clip["clip"] for clip in clips}) == 10 * PER_DIGIT
    for clip in clips:
        name = clip["clip"].decode()
        assert clip["label"] == int(name[0])
        np.testing.assert_allclose(
            clip["waveform"], waveform_of(name), atol=1.01 / 32768
        )


def test_data_that_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    import requests

    def no_network(*args, **kwargs):
        raise requests.exceptions.ConnectionError("no route\nto host")

    monkeypatch.setattr(requests.Session, "get", no_network)
    with pytest.raises(UserError) as error:
        get_task("spoken_digit").load(tmp_path)
    message = str(error.value)
    assert "\n" not in message
    assert str(tmp_path) in message
    assert "no route to host" in message
    assert "--data-dir" in message


def test_a_damaged_download_is_one_line(tmp_path):
    miniatures.place_download(tmp_path, "spoken_digit", b"no archive")
    with pytest.raises(UserError, match="cannot get the data of task 'spoken"):
        get_task("spoken_digit").load(tmp_path)


def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write to the folder .*file"):
        get_task("synthetic").load(tmp_path / "file")


def test_data_to_be_fetched_by_hand_says_what_to_put_where(tmp_path):
    with pytest.raises(UserError) as error:
        get_task("voxceleb").load(tmp_path)
    message = str(error.value)
    assert "\n" not in message
    assert f"{tmp_path}/downloads/manual/vox_dev_wav.zip" in message


@pytest.fixture
def without_beam(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "apache_beam" else find_spec(name),
    )


def test_data_that_is_ready_needs_no_beam(digits_dir, without_beam):
    task = get_task("spoken_digit")
    task.load(digits_dir)
    dataclasses.replace(task, needs_beam=True).load(digits_dir)


def test_without_beam_its_extra_is_named(tmp_path, without_beam):
    with pytest.raises(UserError, match=r"nsynth_pitch' needs .*leaf_tf\[beam\]"):
        get_task("nsynth_pitch").load(tmp_path)


def test_what_tfds_warns_of_is_kept_from_the_user(tmp_path, digits_dir):
    """In a process of its own, since it warns once."""
    code = (
        "from training.tasks.registry import get_task\n"
        "data = get_task('spoken_digit@speaker').load('%s')\n"
        "list(data.splits['test'].dataset(16000))"
    )
    get_task("spoken_digit").load(digits_dir)
    result = subprocess.run(
        [sys.executable, "-c", code % digits_dir],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert result.stdout == ""
    assert "WARNING:absl" not in result.stderr
    assert "WARNING:root" not in result.stderr


def test_data_is_ready_once_it_is_prepared(digits_dir, tmp_path):
    task = get_task("spoken_digit@speaker")
    assert not task.is_ready(tmp_path)
    task.load(digits_dir)
    assert task.is_ready(digits_dir)
    other = dataclasses.replace(task, dataset="spoken_digit/config")
    assert not other.is_ready(digits_dir)


def test_the_default_folder_is_that_of_tfds(monkeypatch):
    from tensorflow_datasets.core import constants

    for value in (None, "/some/where"):
        if value:
            monkeypatch.setenv("TFDS_DATA_DIR", value)
        else:
            monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
        assert data_folder() == constants.get_default_data_dir()


def _unlink_info(folder):
    (folder / "dataset_info.json").unlink()


def _garble_info(folder):
    (folder / "dataset_info.json").write_text("{")


def _cut_records(folder):
    [path] = folder.glob("*.tfrecord*")
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize("damage", [_unlink_info, _garble_info, _cut_records])
@pytest.mark.parametrize("task", ["spoken_digit", "spoken_digit@speaker"])
def test_prepared_data_that_is_damaged_is_one_line(digits_dir, tmp_path, task, damage):
    get_task(task).load(digits_dir)
    folder = tmp_path / "spoken_digit"
    shutil.copytree(digits_dir / "spoken_digit", folder)
    damage(next(folder.iterdir()))
    with pytest.raises(UserError) as error:
        get_task(task).load(tmp_path)
    message = str(error.value)
    assert "\n" not in message
    assert f"in {folder}" in message and "damaged or incomplete" in message
    assert "restore that folder, or remove it" in message


def test_a_bucket_stays_a_bucket():
    assert data_folder("gs://bucket/data") == "gs://bucket/data"
    assert not get_task("voxceleb").is_ready("gs://bucket/data")
    assert "gs://bucket/data/downloads/manual/vox_dev_wav.zip" in (
        get_task("voxceleb").how_to_get("gs://bucket/data")
    )


@pytest.mark.parametrize(
    "n_bytes, text",
    [(0, "0 MiB"), (11 * 2**20, "11 MiB"), (2**30, "1.0 GiB"), (3.6e12, "3.3 TiB")],
)
def test_sizes_are_for_people(n_bytes, text):
    assert size(n_bytes) == text


def test_prepared_data_has_a_fingerprint(digits_dir, tmp_path):
    """Of what is in it, wherever it lies; splits by a seed have their own."""

    def marks(folder, seed=0, name="spoken_digit"):
        data = get_task(name).load(folder, seed)
        return data.fingerprint, {s: c.fingerprint for s, c in data.splits.items()}

    whole, splits = marks(digits_dir)
    assert len(set(splits.values())) == 3 and None not in splits.values()
    other_whole, other_splits = marks(digits_dir, seed=1)
    assert other_whole == whole and other_splits != splits
    copy = shutil.copytree(digits_dir, tmp_path / "copy")
    assert marks(copy) == (whole, splits)
    assert marks(copy, name="spoken_digit@speaker")[1] != splits

    [file] = copy.glob("spoken_digit/**/*.tfrecord*")
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(file))]
    example = tf.train.Example.FromString(records[-1])
    example.features.feature["audio"].int64_list.value[0] ^= 1  # as long as before
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in [*records[:-1], example.SerializeToString()]:
            writer.write(record)
    assert marks(copy)[0] != whole
