import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from training.input import sounds
from training.input.sounds import AugmentationSounds, SoundMemory
from training.settings.config import FitConfig

RATE = 8000


def config(**settings):
    return FitConfig("t", sample_rate=RATE, window_seconds=0.05, **settings)


@pytest.fixture
def folder(tmp_path, rng):
    """Two noises at the model's rate, one at another, and what isn't sound."""
    files = (("a", 400, RATE), ("in/b", 900, RATE), ("c", 200, RATE // 2))
    for name, samples, rate in files:
        waveform = rng.uniform(-0.1, 0.1, samples)
        write_clip(tmp_path / f"{name}.wav", waveform, rate)
    (tmp_path / "notes.txt").write_text("from the garden")
    return tmp_path


def read(settings, lines=None):
    return AugmentationSounds.read(config(**settings), (lines or []).append)


def test_parts_are_unbroken_and_from_everywhere():
    memory = SoundMemory([np.arange(10, 16, dtype="float32"), np.float32([1, 2])])
    parts = {tuple(memory.part([0, seed], 4).numpy()) for seed in range(200)}
    assert parts == {
        *((10, 11, 12, 13), (11, 12, 13, 14), (12, 13, 14, 15)),
        *((1, 2, 1, 2), (2, 1, 2, 1)),
    }


def test_a_folder_is_read_at_any_depth_at_the_rate_of_the_model(folder, capsys):
    lines: list[str] = []
    found = AugmentationSounds.read(config(noise_dir=str(folder)), lines.append)
    assert found.noise.n_sounds == 3
    assert set(found.files["noise_dir"].values()) == {"a.wav", "c.wav", "in/b.wav"}
    assert lines == [f"3 files of background noise, 0.2 s, in {folder}"]
    assert "1 other file (1 .txt)" in capsys.readouterr().err
    noises = [found.noise.sound([0, seed]).numpy() for seed in range(40)]
    assert {len(noise) for noise in noises} == {400, 900}
    np.testing.assert_allclose([np.abs(n).max() for n in noises], 1, rtol=1e-6)
    assert found.responses is None


def drawn(found):
    return [found.noise.sound([0, seed]).numpy() for seed in range(9)]


def test_files_may_be_renamed_and_doubled_but_not_changed(folder, rng):
    before = read({"noise_dir": str(folder)})
    (folder / "a.wav").rename(folder / "in" / "z.wav")
    (folder / "d.wav").write_bytes((folder / "c.wav").read_bytes())
    renamed = read({"noise_dir": str(folder)})
    assert renamed.fingerprints() == before.fingerprints()
    for noise, expected in zip(drawn(renamed), drawn(before)):
        np.testing.assert_array_equal(noise, expected)
    write_clip(folder / "in" / "z.wav", rng.uniform(-0.1, 0.1, 400), RATE)
    changed = read({"noise_dir": str(folder)})
    assert changed.fingerprints() != before.fingerprints()


def test_silent_files_are_named_and_skipped(folder, capsys):
    write_clip(folder / "quiet.wav", np.zeros(50), RATE)
    assert read({"noise_dir": str(folder)}).noise.n_sounds == 3
    line = f"warning: 1 of 4 files in {folder} are silent and are skipped: quiet.wav\n"
    assert line in capsys.readouterr().err


def test_recorded_rooms_and_as_many_made_up(folder):
    settings = {"rir_dir": str(folder), "synthetic_rirs": True}
    assert read({"rir_dir": str(folder)}).responses.n_sounds == 3
    assert read(settings).responses.n_sounds == 6
    assert read({"synthetic_rirs": True}).responses.n_sounds == 200
    assert max(len(read(settings).responses.sound([0, s])) for s in range(20)) == 400


def test_what_does_not_fit_into_memory_is_cut_to_its_middle(folder, monkeypatch):
    monkeypatch.setattr(sounds, "MOST_SAMPLES", 1000)
    lines: list[str] = []
    found = AugmentationSounds.read(config(noise_dir=str(folder)), lines.append)
    lengths = {len(found.noise.sound([0, seed])) for seed in range(40)}
    assert lengths == {166}
    assert "the middle 0.0 s of longer ones are kept in memory" in lines[0]


def test_a_file_that_cannot_be_read_is_named_or_skipped(folder, capsys):
    (folder / "bad.wav").write_bytes(b"RIFF")
    with pytest.raises(UserError) as error:
        read({"noise_dir": str(folder)})
    assert f"in {folder} 1 of 4 clips can't be used; mend or" in str(error.value)
    assert "bad.wav" in str(error.value) and "--skip-bad-clips" in str(error.value)
    read({"noise_dir": str(folder), "skip_bad_clips": True})
    assert "bad.wav" in capsys.readouterr().err


@pytest.mark.parametrize(
    "made, message",
    [
        (lambda path: None, "there is no folder .*; name a folder of audio files as"),
        (lambda path: path.write_text(""), "is a file; name a folder of audio files"),
        (lambda path: path.mkdir(), "holds no audio file that could be a background"),
        (
            lambda path: write_clip(path / "a.wav", np.zeros(9), RATE),
            "all of the 1 audio files in .* are silent",
        ),
    ],
)
def test_a_folder_of_nothing_is_one_line(tmp_path, made, message):
    path = tmp_path / "noise"
    made(path)
    with pytest.raises(UserError, match=message):
        read({"noise_dir": str(path)})
