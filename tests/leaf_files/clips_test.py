import numpy as np
import pytest
import soundfile

from leaf_files import clips
from leaf_files.errors import UserError


def noise(samples, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples)


def tone(frequency, sample_rate, seconds=0.5):
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    return np.sin(2 * np.pi * frequency * time).astype(np.float32)


@pytest.mark.parametrize("extension", [".wav", ".flac", ".FLAC", ".WAV"])
def test_written_clip_is_read_back_to_the_last_bit(tmp_path, extension):
    waveform = noise(1000)
    path = tmp_path / f"clip{extension}"
    clips.write_clip(path, waveform, 11025)

    read, sample_rate = clips.read_clip(path)

    assert sample_rate == 11025
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, np.round(waveform * 32768) / 32768)


def test_written_clip_is_clipped_not_wrapped(tmp_path):
    path = tmp_path / "loud.wav"
    clips.write_clip(path, np.array([2.0, -2.0, 1.0, -1.0]), 8000)
    read, _ = clips.read_clip(path)
    np.testing.assert_array_equal(read, np.array([32767, -32768] * 2) / 32768)


@pytest.mark.parametrize(
    "name, subtype",
    [
        *((f"{kind}.wav", kind) for kind in ("PCM_16", "PCM_24", "FLOAT", "ULAW")),
        *(("ima.wav", "IMA_ADPCM"), ("a.flac", "PCM_16"), ("a.aiff", "PCM_16")),
        *(("a.ogg", "VORBIS"), ("a.opus", "OPUS"), ("a.mp3", "MPEG_LAYER_III")),
    ],
)
def test_a_stretch_is_the_slice_of_the_whole(tmp_path, monkeypatch, name, subtype):
    path = tmp_path / name
    waveform = np.stack([noise(48000, seed=1), noise(48000, seed=2)], 1)
    form = "OGG" if subtype in ("VORBIS", "OPUS") else None
    soundfile.write(path, waveform, 48000, subtype=subtype, format=form)
    whole, _ = clips.read_clip(path)
    monkeypatch.setattr(clips, "_BLOCK_VALUES", 5000)
    for first, last in (
        (0, 1),
        (0, 48000),
        (4095, 4097),
        (12345, 33333),
        (40000, 48000),
    ):
        read, rate = clips.read_stretch(path, first, last)
        assert rate == 48000
        np.testing.assert_array_equal(read, whole[first:last])
    resampled, rate = clips.read_stretch(path, 12345, 33333, 16000)
    assert rate == 16000
    expected = clips.resample(whole[12345:33333], 48000, 16000)
    np.testing.assert_array_equal(resampled, expected)


def test_a_stretch_beyond_the_end_is_refused(tmp_path):
    path = tmp_path / "a.wav"
    clips.write_clip(path, noise(100), 8000)
    with pytest.raises(UserError, match="a.wav ends at sample 100, before sample 101"):
        clips.read_stretch(path, 90, 101)


@pytest.mark.parametrize("extension", [".ogg", ".mp3"])
def test_lossy_formats_keep_the_sound(tmp_path, extension):
    path = tmp_path / f"clip{extension}"
    waveform = 0.5 * tone(440, 16000)
    soundfile.write(path, waveform, 16000)

    read, sample_rate = clips.read_clip(path)

    assert sample_rate == 16000
    middle = slice(2000, 6000)
    correlation = np.corrcoef(read[middle], waveform[middle])[0, 1]
    assert correlation > 0.99


def test_channels_are_averaged(tmp_path):
    left, right = noise(100, seed=1), noise(100, seed=2)
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([left, right], 1), 44100, subtype="FLOAT")
    read, _ = clips.read_clip(path)
    np.testing.assert_allclose(read, (left + right) / 2, atol=1e-7)


def test_a_clip_longer_than_a_block_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(clips, "_BLOCK_VALUES", 64)
    waveform = noise(64 * 3)
    path = tmp_path / "long.wav"
    clips.write_clip(path, waveform, 8000)
    read, _ = clips.read_clip(path)
    np.testing.assert_allclose(read, waveform, atol=2 / 32768)


@pytest.mark.parametrize("from_rate, to_rate", [(44100, 16000), (8000, 16000)])
def test_resampling_keeps_a_tone_its_frequency_level_and_length(from_rate, to_rate):
    resampled = clips.resample(tone(1000, from_rate), from_rate, to_rate)
    assert len(resampled) == to_rate // 2
    inner = slice(1000, -1000)
    expected = tone(1000, to_rate)
    np.testing.assert_allclose(resampled[inner], expected[inner], atol=1e-3)


def test_resampling_does_not_alias():
    above_nyquist = tone(6000, 16000)
    resampled = clips.resample(above_nyquist, 16000, 8000)
    assert np.abs(resampled[500:-500]).max() < 1e-3


def test_read_clip_resamples_when_a_rate_is_asked_for(tmp_path):
    path = tmp_path / "clip.wav"
    clips.write_clip(path, 0.5 * tone(500, 8000), 8000)
    read, sample_rate = clips.read_clip(path, sample_rate=16000)
    assert sample_rate == 16000
    np.testing.assert_allclose(
        read[1000:7000], 0.5 * tone(500, 16000)[1000:7000], atol=1e-3
    )


def test_resampling_never_leaves_nothing():
    one = clips.resample(np.ones(1, np.float32), 96000, 8000)
    assert one.shape == (1,)


def test_resampling_refuses_a_rate_of_zero():
    with pytest.raises(ValueError, match="above 0 Hz. Received: 8000, 0"):
        clips.resample(np.ones(8, np.float32), 8000, 0)


def test_ten_samples_and_silence_are_clips(tmp_path):
    path = tmp_path / "short.flac"
    clips.write_clip(path, np.zeros(10), 44100)
    read, _ = clips.read_clip(path, sample_rate=16000)
    np.testing.assert_array_equal(read, np.zeros(4))


def flac_bytes(tmp_path):
    path = tmp_path / "whole.flac"
    clips.write_clip(path, noise(40000), 16000)
    return path.read_bytes()


@pytest.mark.parametrize("kept", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_flac_is_refused(tmp_path, kept):
    whole = flac_bytes(tmp_path)
    path = tmp_path / "cut.flac"
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(UserError, match="cut short") as error:
        clips.read_clip(path)
    assert str(path) in str(error.value)


def test_fewer_frames_than_promised_are_refused(tmp_path, monkeypatch):
    """Some versions of libsndfile stop early without a complaint."""
    path = tmp_path / "promise.flac"
    clips.write_clip(path, noise(1000), 16000)

    def stop_early(file, frames, **kwargs):
        return np.zeros((7, 1), np.float32)

    monkeypatch.setattr(soundfile.SoundFile, "read", stop_early)
    with pytest.raises(UserError, match="promises 1000 frames and holds 7"):
        clips.read_clip(path)


@pytest.mark.parametrize(
    "extension, form, subtype",
    [
        *((".wave", "WAV", "PCM_16"), (".bwf", "WAV", "PCM_24")),
        *((".rf64", "RF64", "PCM_16"), (".w64", "W64", "PCM_16")),
        *((".aiff", "AIFF", "PCM_16"), (".AIF", "AIFF", "PCM_24")),
        *((".aifc", "AIFF", "FLOAT"), (".au", "AU", "PCM_16"), (".snd", "AU", "FLOAT")),
        *((".caf", "CAF", "PCM_16"), (".caf", "CAF", "ALAC_16")),
        *((".sph", "NIST", "PCM_16"), (".nist", "NIST", "PCM_16")),
        *((".oga", "OGG", "VORBIS"), (".opus", "OGG", "OPUS")),
    ],
)
def test_each_format_of_libsndfile_is_read(tmp_path, extension, form, subtype):
    path = tmp_path / f"tone{extension}"
    tone = 0.5 * np.sin(2 * np.pi * 500 / 16000 * np.arange(16000))
    soundfile.write(path, tone, 16000, format=form, subtype=subtype)
    assert clips.is_audio_path(path)
    waveform, sample_rate = clips.read_clip(path)
    assert sample_rate == 16000 and waveform.size == 16000
    assert np.corrcoef(waveform[1000:-1000], tone[1000:-1000])[0, 1] > 0.99


@pytest.mark.parametrize("extension", clips.AUDIO_EXTENSIONS)
def test_text_named_as_audio_is_refused(tmp_path, extension):
    path = tmp_path / f"notes{extension}"
    path.write_text("Not a sound. " * 100)
    with pytest.raises(UserError, match="holds no audio") as error:
        clips.read_clip(path)
    assert str(path) in str(error.value)


def test_other_unusable_paths_are_named(tmp_path):
    missing = tmp_path / "missing.wav"
    with pytest.raises(UserError, match="there is no audio file .*missing"):
        clips.read_clip(missing)
    with pytest.raises(UserError, match="is a folder"):
        clips.read_clip(tmp_path)
    empty = tmp_path / "empty.wav"
    empty.touch()
    with pytest.raises(UserError, match=r"empty\.wav is empty \(0 bytes\)"):
        clips.read_clip(empty)
    nameless = tmp_path / "\udcff.wav"
    nameless.write_text("anything")
    with pytest.raises(UserError, match="its name is not valid text"):
        clips.read_clip(nameless)
    raw = tmp_path / "samples.raw"
    raw.write_bytes(bytes(100))
    with pytest.raises(UserError, match="must end in one of .wav, .flac"):
        clips.read_clip(raw)


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "locked.wav"
    clips.write_clip(path, noise(10), 8000)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UserError, match=r"cannot read .*locked\.wav: Permission den"):
        clips.read_clip(path)


def test_no_samples_and_samples_not_finite_are_refused(tmp_path):
    nothing = tmp_path / "nothing.wav"
    soundfile.write(nothing, np.zeros(0), 8000)
    with pytest.raises(UserError, match=r"nothing\.wav holds no samples"):
        clips.read_clip(nothing)
    for value in (np.nan, np.inf):
        path = tmp_path / "bad.wav"
        soundfile.write(path, np.array([0, value]), 8000, subtype="FLOAT")
        with pytest.raises(UserError, match=r"bad\.wav .* not finite"):
            clips.read_clip(path)


def test_bytes_are_read_as_their_file_is(tmp_path):
    path = tmp_path / "clip.flac"
    clips.write_clip(path, noise(5000), 44100)
    content = path.read_bytes()
    from_bytes, sample_rate = clips.decode_clip(content, "x", 16000)
    np.testing.assert_array_equal(from_bytes, clips.read_clip(path, 16000)[0])
    assert sample_rate == 16000
    for damaged in (content[:2000], b"Not a sound."):
        with pytest.raises(UserError, match="the audio file some clip"):
            clips.decode_clip(damaged, "some clip")


@pytest.mark.parametrize(
    "extension, subtype", [("wav", "PCM_24"), ("flac", "PCM_16"), ("ogg", "VORBIS")]
)
def test_the_encoding_is_in_the_words_of_soundfile(tmp_path, extension, subtype):
    path = tmp_path / f"clip.{extension}"
    soundfile.write(path, noise(500), 16000, subtype=subtype)
    assert clips.encoding_of(path) == f"{extension.upper()} {subtype}"


def test_write_clip_refuses_what_it_cannot_write(tmp_path):
    with pytest.raises(ValueError, match="end in .flac or .wav"):
        clips.write_clip(tmp_path / "a.mp3", np.zeros(5), 8000)
    with pytest.raises(ValueError, match=r"Received shape: \(5, 2\)"):
        clips.write_clip(tmp_path / "a.wav", np.zeros((5, 2)), 8000)
    with pytest.raises(ValueError, match="finite"):
        clips.write_clip(tmp_path / "a.wav", np.array([np.nan]), 8000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "IMA_ADPCM"])
def test_truncated_wav_is_refused(tmp_path, subtype):
    path = tmp_path / "cut.wav"
    soundfile.write(path, noise(4000), 16000, subtype=subtype)
    whole = path.read_bytes()
    for kept in (len(whole) // 2, len(whole) - 600):
        path.write_bytes(whole[:kept])
        with pytest.raises(UserError, match=r"cut short: it promises \d+ bytes of"):
            clips.read_clip(path)


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFFF])
def test_a_streamed_wav_that_does_not_know_its_size_is_read(tmp_path, size):
    path = tmp_path / "streamed.wav"
    waveform = noise(400)
    clips.write_clip(path, waveform, 8000)
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    np.testing.assert_allclose(clips.read_clip(path)[0], waveform, atol=1 / 32768)


@pytest.mark.parametrize("rate", [1, 99, 10_000_001])
def test_rates_that_are_none_of_audio_are_refused(tmp_path, rate):
    path = tmp_path / "slow.wav"
    soundfile.write(path, noise(1000), rate)
    with pytest.raises(UserError, match=rf"slow\.wav says that it has {rate} samples"):
        clips.read_clip(path, 16000)


def test_samples_beyond_what_frontends_take_are_refused(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.array([0.0, 1e6]), 8000, subtype="FLOAT")
    assert clips.read_clip(path)[0].max() == 1e6
    soundfile.write(path, np.array([0.0, -3e7]), 8000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"samples up to 3e\+07, where full scale is 1"):
        clips.read_clip(path)


def test_a_damaged_mp3_is_read_or_refused_in_silence(tmp_path, capfd):
    path = tmp_path / "clip.mp3"
    soundfile.write(path, 0.5 * tone(440, 16000), 16000)
    content = bytearray(path.read_bytes())
    content[600:900] = bytes(300)
    path.write_bytes(content)
    waveform, _ = clips.read_clip(path)
    assert np.isfinite(waveform).all()
    assert capfd.readouterr().err == ""
