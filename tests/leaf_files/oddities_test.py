"""Sound that can't be meant is named, and counted."""

import numpy as np
import pytest

from leaf_files import oddities
from leaf_files.clips import hear_clip, write_clip
from leaf_files.sound import file_blocks
from leaf_files.walk import read_all
from tests.leaf_files.sounds import RATE, content, waveform

SOUND = waveform()
STEP = 1 / 32768
OTHER = waveform(seed=1)


def told(folder, samples, form="WAV", subtype="PCM_16"):
    """What is odd about a file, read at once and in blocks."""
    path = folder / "clip.wav"
    path.write_bytes(content(samples, form, subtype))
    found = hear_clip(path).oddities
    blocks = []
    list(file_blocks(path, 8000, blocks.append))
    assert blocks == [found]
    return list(found)


def stereo(left, right):
    return np.stack([left, right], 1)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_common_sound_is_not_odd(tmp_path, subtype):
    late = np.roll(SOUND, 5)
    for samples in (
        SOUND,
        0.001 * SOUND,
        np.eye(1, 8000, 100)[0] * 0.5,
        stereo(SOUND, SOUND),
        stereo(SOUND, OTHER),
        stereo(SOUND, late),
        stereo(SOUND, np.zeros_like(SOUND)),
        np.stack([waveform(seed=seed) for seed in range(8)], 1),
        np.stack([SOUND] + [np.zeros_like(SOUND)] * 7, 1),
    ):
        assert told(tmp_path, samples, subtype=subtype) == []


def test_channels_that_cancel_are_odd(tmp_path):
    for samples in (
        stereo(SOUND, -SOUND),
        stereo(SOUND, -0.8 * SOUND),
        stereo(SOUND, -SOUND + 0.05 * OTHER),
        np.stack([SOUND, -SOUND, OTHER, -OTHER], 1),
        stereo(0.01 * SOUND, -0.01 * SOUND),
    ):
        assert told(tmp_path, samples) == [oddities.OPPOSITE]


def test_silence_is_odd(tmp_path):
    dither = np.random.default_rng(0).integers(-1, 2, 8000) * STEP
    for samples in (
        np.zeros(8000),
        np.full(8000, 0.25),
        dither,
        np.zeros((8000, 2)),
        stereo(dither, -dither),
    ):
        assert told(tmp_path, samples) == [oddities.SILENT]
    assert told(tmp_path, np.r_[np.zeros(8000), 0.01]) == []


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_that_were_not_scaled_are_odd(tmp_path, subtype):
    for samples in (
        32768 * SOUND,
        32768 * stereo(SOUND, OTHER),
        np.round(8 * SOUND),  # quiet, but whole numbers
        32767.5 * np.sin(np.arange(8000)),
        100 * SOUND,  # percent
    ):
        assert told(tmp_path, samples, subtype=subtype) == [oddities.UNSCALED]
    for samples in (3 * SOUND, 1.5 * np.sign(SOUND), np.sign(SOUND)):
        assert told(tmp_path, samples, subtype=subtype) == []


def test_a_line_names_a_kind_and_counts_it(tmp_path, capsys):
    paths = [tmp_path / f"{number}.wav" for number in range(6)]
    for path in paths[:4]:
        write_clip(path, np.zeros(100), RATE)
    paths[4].write_bytes(content(stereo(SOUND, -SOUND), "WAV"))
    paths[5].write_bytes(content(SOUND, "WAV"))
    waveforms = read_all(paths, RATE)
    assert [own.size for own in waveforms] == [100] * 4 + [8000] * 2
    silent, opposite = capsys.readouterr().err.splitlines()
    assert silent == (
        "warning: 4 of 6 clips hold nothing but digital silence: "
        f"{paths[0]}, {paths[1]}, {paths[2]}, ..."
    )
    assert opposite.startswith(
        "warning: 1 of 6 clips hold channels of opposite phase, whose mean"
    )
    assert opposite.endswith(f": {paths[4]}")


def test_a_class_of_silence_is_named(capsys):
    silent, fine = (oddities.SILENT,), ()
    oddities.warn_of_silent_classes(
        [silent, (oddities.OPPOSITE,), fine, silent], ["a", "a", "b", "b"]
    )
    assert capsys.readouterr().err == (
        "warning: all clips of a (2) are silent: a model learns nothing from them but "
        "silence\n"
    )
    oddities.warn_of_silent_classes([fine, silent], ["a", "a"])
    assert capsys.readouterr().err == ""


def test_a_file_is_named_in_one_line(capsys):
    oddities.warn_of("two\nlines.wav", (oddities.UNSCALED,))
    assert capsys.readouterr().err == (
        "warning: two lines.wav holds samples that are not scaled to [-1, 1], as if 16 "
        "bit integers were written as floats; divide them by 32768, or save them as "
        "integers\n"
    )
