"""Notes of the instruments of a General MIDI bank: their families, and pitches."""

from benchmarks.suite_data.packages import Needed
from benchmarks.suite_data.pitch import sounding_note
from benchmarks.suite_data.soundfont import SoundFont
from benchmarks.suite_data.task import PackageTask
from leaf_files.atomic import write_rows
from leaf_files.clips import resample
from leaf_files.errors import UserError

# First program of each family; what is left out sounds of nothing that is played.
_FAMILIES = {
    "keyboard": range(0, 8),
    "mallet": range(8, 16),
    "organ": range(16, 24),
    "guitar": range(24, 32),
    "bass": range(32, 40),
    "string": range(40, 52),
    "vocal": range(52, 55),
    "brass": range(56, 64),
    "reed": range(64, 72),
    "flute": range(72, 80),
    "synth_lead": range(80, 88),
}
_PACKAGE = "musescore-general-soundfont"
TABLE = "notes.csv"


def _build(packages, clips):
    files = packages[_PACKAGE].files("usr/share/sounds/sf*/*.sf[23]")
    if not files:
        raise UserError(f"there is no SF2 or SF3 file in {_PACKAGE}")
    font = SoundFont(files[0])
    rows = []
    family_of = {
        program: family
        for family, programs in _FAMILIES.items()
        for program in programs
    }
    for note in font.notes(family_of):
        rows += _row(font, note, family_of[note.program], clips)
    write_rows(clips.folder / TABLE, ("path", "family", "pitch", "program"), rows)


def _row(font, note, family, clips):
    """The row of a note in the table, in a list; an empty one if it is passed over."""
    try:
        recorded, rate = font.waveform(note.sample)
    except UserError:
        clips.passed_over["unreadable"] += 1
        return []
    key = round(note.pitch)
    waveform = _in_tune(recorded, rate, key - note.pitch, clips)
    pitch = key
    if waveform.size >= clips.shortest * clips.sample_rate:
        pitch = sounding_note(waveform, clips.sample_rate, key)
    if pitch is None:
        clips.passed_over["without a pitch"] += 1
        return []
    program = f"p{note.program:03}"
    path = clips.add(family, program, waveform, f"clips/{program}__{pitch:03}_")
    return [(path.as_posix(), family, pitch, program)] if path else []


def _in_tune(recorded, rate, semitones, clips):
    """A sample at the clips' rate, as long as they get, transposed by parts of 1."""
    played_rate = rate * 2 ** (semitones / 12)
    recorded = recorded[: int((clips.longest + 0.1) * played_rate)]
    return resample(recorded, played_rate, clips.sample_rate)


TASK = PackageTask(
    name="notes",
    label="family of instruments (11), and pitch (MIDI note), in notes.csv",
    group="program: the instrument, as General MIDI numbers it from 0",
    packages=(Needed(_PACKAGE, "MIT, CC0 by sample", 76),),
    sample_rate=16000,
    shortest=0.25,
    longest=2.0,
    build=_build,
)
