import numpy as np
import pytest

from benchmarks.suite_data.soundfont import Note, SoundFont
from leaf_files.errors import UserError
from tests.benchmarks.suite_data.fonts import (
    COARSE_TUNE,
    FINE_TUNE,
    INSTRUMENT,
    LEFT,
    MONO,
    RIGHT,
    ROOT_KEY,
    SAMPLE,
    SCALE_TUNING,
    harmonics,
    soundfont,
)

TONE = harmonics(440.0, 22050, 0.3)


def notes_of(path, *of_soundfont, **options):
    path.write_bytes(soundfont(*of_soundfont, **options))
    return list(SoundFont(path).notes(range(128)))


@pytest.mark.parametrize(
    ("correction", "instrument", "preset", "pitch"),
    [
        (0, {}, {}, 69.0),
        # A sample that is corrected upwards was recorded too low.
        (20, {}, {}, 68.8),
        (0, {ROOT_KEY: 60}, {}, 60.0),
        (0, {ROOT_KEY: 255}, {}, 69.0),
        (0, {COARSE_TUNE: -12}, {}, 81.0),
        # What the preset says is added to what the instrument says.
        (10, {FINE_TUNE: -30, COARSE_TUNE: 1}, {FINE_TUNE: 5, COARSE_TUNE: -3}, 71.15),
    ],
)
def test_pitch_at_which_nothing_is_transposed(
    tmp_path, correction, instrument, preset, pitch
):
    notes = notes_of(
        tmp_path / "a.sf2",
        [(TONE, 22050, 69, correction, MONO)],
        [[{**instrument, SAMPLE: 0}]],
        [(40, 0, [{**preset, INSTRUMENT: 0}])],
    )
    assert notes == [Note(program=40, sample=0, pitch=pytest.approx(pitch))]


def test_first_zones_are_for_all_and_zones_of_their_own_overrule_them(tmp_path):
    notes = notes_of(
        tmp_path / "a.sf2",
        [(TONE, 22050, 69, 0, MONO)] * 2,
        [[{ROOT_KEY: 50, FINE_TUNE: 10}, {SAMPLE: 0}, {ROOT_KEY: 52, SAMPLE: 1}]],
        [(7, 0, [{COARSE_TUNE: 1}, {INSTRUMENT: 0}])],
    )
    assert [(note.sample, note.pitch) for note in notes] == [
        (0, pytest.approx(48.9)),
        (1, pytest.approx(50.9)),
    ]


def test_each_sample_is_one_note_of_the_first_program_of_bank_0(tmp_path):
    notes = notes_of(
        tmp_path / "a.sf2",
        [(TONE, 22050, 60 + n, 0, (LEFT, RIGHT, MONO, MONO)[n]) for n in range(4)],
        [
            [{SAMPLE: 0}, {SAMPLE: 1}, {SAMPLE: 2}],
            [{SAMPLE: 3, SCALE_TUNING: 0}],
        ],
        [
            (9, 0, [{INSTRUMENT: 0}]),
            (8, 0, [{INSTRUMENT: 0}, {INSTRUMENT: 1}]),
            (1, 128, [{INSTRUMENT: 0}]),
        ],
    )
    assert [(note.program, note.sample) for note in notes] == [(8, 0), (8, 2)]


@pytest.mark.parametrize("vorbis", [False, True])
def test_waveforms_are_those_of_the_samples(tmp_path, vorbis):
    tones = [harmonics(f, 22050, 0.3) for f in (440.0, 660.0)]
    path = tmp_path / "a.sf3"
    samples = [(tone, 22050, 69, 0, MONO) for tone in tones]
    path.write_bytes(soundfont(samples, [[{SAMPLE: 1}]], [], vorbis=vorbis))
    font = SoundFont(path)
    for number, tone in enumerate(tones):
        waveform, rate = font.waveform(number)
        assert rate == 22050
        error = waveform - tone
        assert np.abs(error).mean() < (0.02 if vorbis else 1e-4)


@pytest.mark.parametrize("kept", [0, 11, 100, -200])
def test_a_file_that_ends_early_is_one_line(tmp_path, kept):
    path = tmp_path / "a.sf2"
    content = soundfont(
        [(TONE, 22050, 69, 0, MONO)], [[{SAMPLE: 0}]], [(0, 0, [{INSTRUMENT: 0}])]
    )
    path.write_bytes(content[:kept])
    with pytest.raises(UserError, match="is no SoundFont, or ends early"):
        SoundFont(path)


def test_tables_that_contradict_each_other_are_one_line(tmp_path):
    path = tmp_path / "a.sf2"
    path.write_bytes(
        soundfont(
            [(TONE, 22050, 69, 0, MONO)], [[{SAMPLE: 7}]], [(0, 0, [{INSTRUMENT: 0}])]
        )
    )
    with pytest.raises(UserError, match="a table ends early"):
        list(SoundFont(path).notes(range(128)))
