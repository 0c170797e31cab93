"""All tasks of made-up packages."""

import csv
from collections import Counter

import numpy as np
import pytest

from benchmarks.suite_data import digits, prepare
from benchmarks.suite_data.pitch import frequency
from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from tests.benchmarks.suite_data.fonts import (
    COARSE_TUNE,
    INSTRUMENT,
    MONO,
    SAMPLE,
    harmonics,
    soundfont,
)

SHARE = "usr/share"
PROMPTS = ("asterisk-core-sounds-{}-wav", "asterisk/sounds/{}_f_A")
LANGUAGES = ("en", "es", "fr", "it", "ru")
KIT = """<drumkit_info xmlns="http://www.hydrogen-music.org/drumkit">
<name>A Kit</name><instrumentList>
<instrument><name>Kick</name><layer><filename>bd.wav</filename></layer></instrument>
<instrument><name>Ride (Custom)</name><instrumentComponent><layer>
<filename>r1.wav</filename></layer><layer><filename>r2.wav</filename></layer>
</instrumentComponent></instrument>
<instrument><name>Pedal HH</name><layer><filename>hat-open.wav</filename></layer>
</instrument>
<instrument><name>Cowbell</name><layer><filename>bell.wav</filename></layer></instrument>
<instrument><name>17</name></instrument>
</instrumentList></drumkit_info>"""
# (program, root key of the sample, coarse tune, note that sounds)
NOTES = [(56, 62, 0, 62), (41, 69, 2, 67), (16, 72, 0, 60), (71, 50, 0, 50)]


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder of unpacked packages: two or more clips of each thing."""
    folder = tmp_path_factory.mktemp("packages")
    rng = np.random.default_rng(0)

    def write(package, *paths, seconds=1.2):
        for path in paths:
            place = folder / package / SHARE / path
            place.parent.mkdir(parents=True, exist_ok=True)
            noise = rng.uniform(-0.5, 0.5, round(seconds * 8000))
            # The content decides on the format, as of files that have another name.
            write_clip(place.with_suffix(".wav"), noise, 8000)
            place.with_suffix(".wav").rename(place)

    for language in LANGUAGES:
        name, place = (text.format(language) for text in PROMPTS)
        write(name, *(f"{place}/{clip}.wav" for clip in ("a", "digits/1", "silence/1")))
    for dialect in ("en", "en_GB", "es", "fr", "it", "ru", "de"):
        write("klettres-data", f"klettres/{dialect}/alpha/a.ogg")
    for end in ("", "_es", "_fr", "_ru", "_da"):
        write("tuxpaint-stamps-default", f"tuxpaint/stamps/food/pea_desc{end}.ogg")
    write("tuxpaint-stamps-default", "tuxpaint/stamps/food/pea.ogg")
    write("festvox-ru", "festival/voices/russian/msu/wav/ru_1.wav", seconds=4)
    for language in ("cs", "nl"):
        rooms = [
            f"games/fillets-ng/sound/{room}/{language}" for room in ("cave", "a/b")
        ]
        lines = ("x-m-hi", "x-v-hi", "x-p-hi")
        write(
            f"fillets-ng-data-{language}",
            *(f"{room}/{line}.ogg" for room in rooms for line in lines),
        )
    kit = "hydrogen/data/drumkits/A Kit 1.0"
    clips = ("bd", "r1", "r2", "hat-open", "bell")
    write("hydrogen-drumkits", *(f"{kit}/{clip}.wav" for clip in clips))
    (folder / "hydrogen-drumkits" / SHARE / kit / "drumkit.xml").write_text(KIT)
    (folder / "hydrogen-data/usr").mkdir(parents=True)
    _write_font(folder / "musescore-general-soundfont" / SHARE / "sounds/sf3/A.sf3")
    return folder


def _write_font(path):
    path.parent.mkdir(parents=True)
    samples = [
        (harmonics(frequency(sounds), 22050, 0.6), 22050, root, 0, MONO)
        for _, root, _, sounds in NOTES
    ]
    too_short, noise = harmonics(220.0, 22050, 0.1), np.random.default_rng(0)
    samples += [
        (too_short, 22050, 57, 0, MONO),
        (noise.uniform(-0.5, 0.5, 22050), 22050, 57, 0, MONO),
    ]
    zones = [
        [{COARSE_TUNE: tune, SAMPLE: n}] for n, (_, _, tune, _) in enumerate(NOTES)
    ]
    zones += [[{SAMPLE: 4}, {SAMPLE: 5}]]
    programs = [*(program for program, *_ in NOTES), 0]
    # What lies between the families, such as effects, isn't taken.
    presets = [(program, 0, [{INSTRUMENT: n}]) for n, program in enumerate(programs)]
    presets.append((55, 0, [{INSTRUMENT: 0}]))
    path.write_bytes(soundfont(samples, zones, presets, vorbis=True))


@pytest.fixture
def no_digits(monkeypatch):
    def build(*arguments):
        raise UserError("no network")

    monkeypatch.setattr(digits, "build", build)


@pytest.fixture(scope="module")
def prepared(packages, tmp_path_factory):
    """(folder of all tasks, lines that were said, the error)."""
    folder, lines = tmp_path_factory.mktemp("tasks"), []
    with pytest.MonkeyPatch.context() as patch:
        no_digits.__wrapped__(patch)
        with pytest.raises(UserError) as error:
            prepare(folder, lines.append, packages)
    return folder, lines, str(error.value)


def clips_of(folder):
    """{(label, group): clips}."""
    return Counter(
        (path.parent.name, path.name.split("__")[0]) for path in folder.rglob("*.flac")
    )


def test_languages_by_corpus(prepared):
    folder = prepared[0] / "languages"
    assert clips_of(folder) == {
        **{(language, "asterisk"): 2 for language in LANGUAGES},
        **{(language, "klettres"): 1 for language in LANGUAGES},
        **{(language, "tuxpaint"): 1 for language in LANGUAGES if language != "it"},
        ("en", "klettres"): 2,
        ("ru", "festvox"): 1,
    }
    (sentence,) = folder.glob("ru/festvox__*.flac")
    waveform, rate = read_clip(sentence)
    assert (waveform.size, rate) == (3 * 8000, 8000)


def test_speakers_by_room(prepared):
    assert clips_of(prepared[0] / "speakers") == {
        (f"{language}_{size}", room): 1
        for language in ("cs", "nl")
        for size in ("small", "big")
        for room in ("cave", "a_b")
    }


def test_drums_by_kit(prepared):
    folder, lines, _ = prepared
    assert clips_of(folder / "drums") == {
        ("kick", "A_Kit_1_0"): 1,
        ("ride", "A_Kit_1_0"): 2,
    }
    passed_over = lines[lines.index("drums: 3 clips, 2 labels, 1 group") + 1]
    assert "1 of no kind, or of another one" in passed_over
    assert "1 named as two kinds" in passed_over


def test_pitches_of_notes_are_those_that_sound(prepared):
    folder = prepared[0] / "notes"
    with (folder / "notes.csv").open() as file:
        rows = {row["program"]: row for row in csv.DictReader(file)}
    assert {name: row["family"] for name, row in rows.items()} == {
        "p016": "organ",
        "p056": "brass",
        "p041": "string",
        "p071": "reed",
    }
    for program, _, _, sounds in NOTES:
        row = rows[f"p{program:03}"]
        assert int(row["pitch"]) == sounds
        waveform, rate = read_clip(folder / row["path"])
        # The first harmonic is the strongest one.
        peak = np.abs(np.fft.rfft(waveform * np.hanning(waveform.size), 2**18)).argmax()
        assert peak * rate / 2**18 == pytest.approx(frequency(sounds), rel=0.003)
    assert "1 shorter than 0.25 s, 1 without a pitch" in " ".join(prepared[1])


def test_sources_name_packages_licences_and_counts(prepared):
    folder = prepared[0]
    text = (folder / "SOURCES.md").read_text()
    assert "| festvox-ru | unknown | BSD-like |" in text
    assert "3 clips, 2 labels, 1 group. FLAC, mono, 16000 Hz, at most 1.5 s." in text
    assert "| ride | 2 | 1 |" in text
    assert "## digits" not in text


def test_what_could_not_be_made_is_said_and_leaves_nothing(prepared):
    folder, lines, error = prepared
    assert error == "1 task of 5 could not be made: digits; see above"
    assert "digits: not made: no network" in lines
    assert any(line.startswith("instruments: left out") for line in lines)
    names = {path.name for path in folder.iterdir()}
    assert names == {"languages", "speakers", "drums", "notes", "SOURCES.md"}


def test_tasks_that_are_there_are_left(prepared, no_digits, tmp_path):
    folder = prepared[0]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.flac")}
    (folder / "digits").mkdir()
    (folder / "digits/own.flac").write_bytes(b"")
    lines = []
    try:
        # No package is there any more, nor needed.
        prepare(folder, lines.append, tmp_path)
    finally:
        (folder / "digits/own.flac").unlink()
        (folder / "digits").rmdir()
    assert "digits: is there already, and was not made here; left as it is" in lines
    assert "drums: is there already; left as it is" in lines
    after = {path: path.stat().st_mtime_ns for path in before}
    assert after == before


def test_a_task_without_its_packages_is_left_out(packages, no_digits, tmp_path):
    some = tmp_path / "some"
    some.mkdir()
    for name in ("fillets-ng-data-cs", "hydrogen-drumkits", "hydrogen-data"):
        (some / name).symlink_to(packages / name)
    lines, folder = [], tmp_path / "tasks"
    with pytest.raises(UserError, match="4 tasks of 5 .*languages, speakers, notes;"):
        prepare(folder, lines.append, some)
    assert any(
        line.startswith("speakers: not made: there is no fillets-ng-data-nl in")
        for line in lines
    )
    names = {path.name for path in folder.iterdir()}
    assert names == {"drums", "SOURCES.md"}


def test_a_folder_of_packages_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no folder of packages .*nowhere"):
        prepare(tmp_path / "tasks", packages=tmp_path / "nowhere")
    assert not (tmp_path / "tasks").exists()
