import numpy as np
import pytest
import soundfile
import tensorflow as tf

from leaf_files.clips import read_clip
from training.tasks import decoding

KINDS = [
    *(("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "FLOAT"), ("wav", "PCM_U8")),
    *(("flac", "PCM_16"), ("flac", "PCM_24"), ("ogg", "VORBIS")),
    ("mp3", "MPEG_LAYER_III"),
]


def write(folder, extension, subtype, rate=16000, channels=2):
    random = np.random.default_rng(0)
    phase = 2 * np.pi * 440 / rate * np.arange(rate // 2)[:, None]
    tones = 0.4 * np.sin(phase * np.arange(1, channels + 1))
    waveform = tones + random.uniform(-0.05, 0.05, tones.shape)
    path = folder / f"clip.{extension}"
    soundfile.write(path, waveform, rate, subtype=subtype)
    info = soundfile.info(path)
    return path, f"{info.format} {info.subtype}"


def in_graph(decode, *arguments):
    """Runs it as `tf.data` does: traced, its arguments unknown."""
    dataset = tf.data.Dataset.from_tensors(arguments).map(decode)
    return next(dataset.as_numpy_iterator())


@pytest.mark.parametrize("library", decoding.libraries())
@pytest.mark.parametrize("extension, subtype", KINDS)
@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_file_and_its_bytes_are_what_soundfile_reads(
    tmp_path, library, extension, subtype, rate
):
    path, encoding = write(tmp_path, extension, subtype, rate)
    expected, _ = read_clip(path, 16000)
    from_file = in_graph(
        lambda *clip: decoding.from_file(*clip, 16000, library),
        *(str(path), encoding, np.int64(rate)),
    )
    from_bytes = in_graph(
        lambda *clip: decoding.from_bytes(*clip, 16000, library),
        *(path.read_bytes(), encoding, np.int64(rate)),
    )
    assert from_file.dtype == np.float32
    np.testing.assert_allclose(from_file, expected, atol=1e-3)
    np.testing.assert_allclose(from_bytes, expected, atol=1e-3)


def test_tensorflow_io_decodes_where_it_loads():
    """As it does with the extra `io`; elsewhere it is passed over without a word."""
    if not tf.__version__.startswith("2.16."):
        pytest.skip("tensorflow-io's operators load beside TensorFlow 2.16 only")
    pytest.importorskip("tensorflow_io", reason="needs the extra `io`")
    assert decoding.libraries() == (decoding.TFIO, decoding.SOUNDFILE)


def test_tensorflow_io_that_does_not_load_is_passed_over(monkeypatch):
    monkeypatch.setattr(decoding, "_tfio_audio", lambda: None)
    decoding._operators.cache_clear()
    try:
        assert decoding.libraries() == (decoding.SOUNDFILE,)
    finally:
        decoding._operators.cache_clear()


def test_samples_are_scaled_averaged_and_resampled():
    def waveform(samples, rate=8000):
        samples = tf.constant(samples)
        return decoding.from_samples(samples, rate, 8000).numpy()

    np.testing.assert_array_equal(
        waveform(np.array([-32768, 0, 16384], np.int64)), [-1.0, 0.0, 0.5]
    )
    np.testing.assert_array_equal(waveform(np.array([-1.0, 0.5])), [-1.0, 0.5])
    np.testing.assert_array_equal(waveform(np.array([[0, 16384]], np.int16)), [0.25])
    assert waveform(np.zeros(1600, np.int16), rate=16000).shape == (800,)
