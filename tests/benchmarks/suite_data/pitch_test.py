import numpy as np
import pytest

from benchmarks.suite_data.pitch import frequency, sounding_note
from tests.benchmarks.suite_data.fonts import harmonics

ALL = (0.4, 0.3, 0.2, 0.1)


@pytest.mark.parametrize("note", [28, 45, 60, 79, 96])
def test_a_tone_sounds_at_its_note(note):
    tone = harmonics(frequency(note), 16000, 0.5, ALL)
    assert sounding_note(tone, 16000, note) == note


@pytest.mark.parametrize("octaves", [-1, 1, 2, 3])
def test_a_tone_in_another_octave_is_named_by_it(octaves):
    tone = harmonics(frequency(57 + 12 * octaves), 16000, 0.5, ALL)
    assert sounding_note(tone, 16000, 57) == 57 + 12 * octaves


def test_a_tone_between_keys_belongs_to_the_nearer_one():
    tone = harmonics(frequency(60.3), 16000, 0.5, ALL)
    assert sounding_note(tone, 16000, 60) == 60


def test_noise_and_other_notes_have_no_pitch_there(rng):
    assert sounding_note(rng.uniform(-0.5, 0.5, 8000), 16000, 60) is None
    tritone = harmonics(frequency(66), 16000, 0.5, (0.5,))
    assert sounding_note(tritone, 16000, 60) is None
    assert sounding_note(np.zeros(8000), 16000, 60) is None
