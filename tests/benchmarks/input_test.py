import json

import numpy as np
import soundfile

from benchmarks import __main__ as benchmarks
from leaf_files import command_line
from training.tasks import decoding


def run(*argv):
    return command_line.run(
        benchmarks.dispatch, [str(word) for word in argv], "python -m benchmarks"
    )


def test_each_way_of_reading_is_timed_on_what_it_reads(capsys, tmp_path):
    numbers = tmp_path / "input.json"
    quick = ("--seconds", 0.02, "--n-clips", 2, "--clip-seconds", 0.25)
    assert not run("input", *quick, "--json", numbers)
    table = capsys.readouterr().out
    rows = json.loads(numbers.read_text())["rows"]
    ways = {row["way"] for row in rows}
    tfds_ways = {"TFDS, one after the other", "TFDS, by number"}
    assert ways == {*decoding.libraries(), *tfds_ways}
    read = {row["clips"] for row in rows if row["way"] == "soundfile"}
    assert "FLAC PCM_24, 44100 Hz, stereo" in read and len(read) == 5
    for row in rows:
        assert row["n_clips"] == 2
        assert row["quartiles"][0] <= row["clips_per_second"] <= row["quartiles"][1]
        # All clips, of 44.1 kHz too, are heard at 16 kHz for 0.25 s.
        ratio = row["times_real_time"] / row["clips_per_second"]
        np.testing.assert_allclose(ratio, 0.25, rtol=0.15)
        assert row["clips"] in table


def test_clips_of_ones_own_are_read(capsys, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    soundfile.write(tmp_path / "b.flac", np.zeros(8000), 16000)
    assert not run("input", "--seconds", 0.02, "--clips", tmp_path)
    table = capsys.readouterr().out
    assert str(tmp_path) in table and "soundfile" in table
