import io
import tarfile

import numpy as np
import pytest
import soundfile

from files.errors import UserError
from training.tasks import get_task
from training.tfds_task import to_waveform

CLIPS_PER_DIGIT = 10


def waveform_of(digit, index):
    """Each clip its own noise, in steps of 16 bit."""
    random = np.random.default_rng([digit, index])
    return random.integers(-3000, 3000, 200) / 32768


def write_archive(path):
    """A small archive in the layout of the original one."""
    with tarfile.open(path, "w:gz") as archive:
        for digit in range(10):
            for index in range(CLIPS_PER_DIGIT):
                wav = io.BytesIO()
                soundfile.write(
                    wav,
                    waveform_of(digit, index),
                    8000,
                    format="WAV",
                    subtype="PCM_16",
                )
                member = tarfile.TarInfo(
                    "free-spoken-digit-dataset-1.0.9/recordings/"
                    f"{digit}_theo_{index}.wav"
                )
                member.size = wav.tell()
                wav.seek(0)
                archive.addfile(member, wav)


def place_download(data_dir, write):
    """Puts an archive where TFDS looks before it downloads."""
    import tensorflow_datasets as tfds
    from etils import epath
    from tensorflow_datasets.core.download import resource

    [(url, info)] = tfds.builder_cls("spoken_digit").url_infos.items()
    downloads = epath.Path(data_dir) / "downloads"
    downloads.mkdir(parents=True)
    path = downloads / resource.get_dl_fname(url, info.checksum)
    write(path)
    resource.write_info_file(
        url=url,
        path=path,
        dataset_name="spoken_digit",
        original_fname=info.filename,
        url_info=info,
    )


@pytest.fixture(scope="module")
def digits_dir(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("digits")
    place_download(data_dir, write_archive)
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
            digit, _, index = clip["clip"].decode().split(".")[0].split("_")
            assert clip["label"] == int(digit)
            np.testing.assert_allclose(
                clip["waveform"],
                waveform_of(int(digit), int(index)),
                atol=1.01 / 32768,
            )
        seen += [clip["clip"] for clip in clips]
    assert len(set(seen)) == 10 * CLIPS_PER_DIGIT


def test_spoken_digit_is_resampled(digits_dir):
    data = get_task("spoken_digit").load(digits_dir, seed=0)
    for clip in data.splits["test"].dataset(16000):
        assert clip["waveform"].shape == (400,)


def test_the_seed_chooses_the_split(digits_dir):
    def test_clips(seed):
        data = get_task("spoken_digit").load(digits_dir, seed)
        clips = data.splits["test"].dataset(8000).as_numpy_iterator()
        return [clip["clip"] for clip in clips]

    assert test_clips(0) == test_clips(0)
    assert set(test_clips(0)) != set(test_clips(1))


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
    place_download(tmp_path, lambda path: path.write_bytes(b"no archive"))
    with pytest.raises(UserError, match="cannot get the data of task 'spoken"):
        get_task("spoken_digit").load(tmp_path)


def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write to the folder .*file"):
        get_task("synthetic").load(tmp_path / "file")


def test_integers_are_scaled_floats_are_not():
    np.testing.assert_array_equal(
        to_waveform(np.array([-32768, 0, 16384], np.int64)), [-1.0, 0.0, 0.5]
    )
    np.testing.assert_array_equal(
        to_waveform(np.array([-1.0, 0.5])), np.float32([-1.0, 0.5])
    )
    np.testing.assert_array_equal(to_waveform(np.array([[0, 16384]], np.int16)), [0.25])
