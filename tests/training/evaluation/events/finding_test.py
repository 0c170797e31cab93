"""Events of whole recordings, by a model whose answers are known."""

from pathlib import Path

import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.decisions import Decisions
from leaf_files.errors import UserError
from leaf_files.event_settings import EventSettings
from leaf_files.run_folder import Head
from training.evaluation.events.finding import find_events
from training.evaluation.opening import OpenRun
from training.run.data_record import DataRecord, TaskRecord
from training.run.folder import RunFolder
from training.settings.config import FitConfig
from training.tasks.clip_sets import ClipSet, ListedClip

RATE = 8000
HEAD = Head("table:hits.csv", "hits", ("hit", "rest"))


class LoudIsHit:
    """Says "hit" of windows of which more than half is loud."""

    def predict_on_batch(self, windows):
        loud = 20 * (np.mean(windows**2, axis=1) - 0.5)
        return {"hits": np.stack([loud, -loud], axis=1)}


class Run(OpenRun):
    """A run of that model."""

    def load_model(self):
        return LoudIsHit()


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A run that never heard anything, in a folder with the table of two recordings."""
    monkeypatch.chdir(tmp_path)
    waveform = np.zeros(10 * RATE)
    waveform[2 * RATE : 3 * RATE] = waveform[6 * RATE : 8 * RATE] = 0.999
    for name in ("dawn", "dusk"):
        write_clip(tmp_path / f"{name}.wav", waveform, RATE)
    rows = [f"{name}.wav,hit,{t}" for name in ("dawn", "dusk") for t in ("2,3", "6,8")]
    Path("hits.csv").write_text("path,label,start,end\n" + "\n".join(rows) + "\n")
    config = FitConfig(task="table:hits.csv", sample_rate=RATE, window_seconds=0.5)
    (tmp_path / "run").mkdir()
    decisions = {HEAD: Decisions(background=("rest",))}
    return Run(RunFolder(tmp_path / "run"), config, (HEAD,), decisions, None)


def test_they_begin_and_end_where_the_sound_does(opened):
    notes = []
    settings = EventSettings(overlap=0.75, release=1.0, needed=0.25)
    [recordings] = find_events(opened, settings=settings, say=notes.append).values()
    assert [recording.seconds for recording in recordings] == [10.0, 10.0]
    for recording in recordings:
        found, true = recording.detected, recording.reference
        assert [event.label for event in found] == [event.label for event in true]
        # A window says hit where half of it is one: its middle is the start, and later
        # the end.
        for event, of_table in zip(found, true, strict=True):
            assert event.start == pytest.approx(of_table.start, abs=0.01)
            assert event.end == pytest.approx(of_table.end, abs=0.01)
            assert event.score > 0.999
    assert "whether it was trained on these recordings is unknown" in notes[0]


def test_recordings_that_a_run_learned_from_are_left_out(opened):
    def remember(*files):
        listed = [ListedClip("0", "hit", name) for name in files]
        splits = {
            split: ClipSet(len(clips), lambda rate: None, clips=clips)
            for split, clips in (("train", listed), ("validation", ()), ("test", ()))
        }
        DataRecord((TaskRecord.of(HEAD, splits),)).write(opened.run)

    remember("dawn.wav@2-3", "elsewhere.wav")
    notes = []
    [recordings] = find_events(opened, say=notes.append).values()
    assert len(recordings) == 1 and len(recordings[0].detected) == 2
    assert "1 of 2 recordings of table:" in notes[0]
    remember("dawn.wav@2-3", "dusk.wav@0.5-1e+01")
    with pytest.raises(UserError, match="on all 2 recordings of .*: name others"):
        find_events(opened)


@pytest.mark.parametrize(
    "name, content, fault",
    [
        ("table:no.csv", "path,label\ndawn.wav,hit\n", "no row of .* has a start"),
        ("table:no.csv", "path,label,start,end\ndawn.wav,boom,1,2\n", "know: boom"),
        ("folder:.", "", "are those of a table with columns start and end"),
    ],
)
def test_what_has_no_events_that_the_model_knows_is_refused(
    opened, name, content, fault
):
    Path("no.csv").write_text(content)
    with pytest.raises(UserError, match=fault):
        find_events(opened, name)
