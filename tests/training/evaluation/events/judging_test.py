import json

import numpy as np
import pytest

from leaf_files.clips import write_clip
from tests.training.evaluation.events.counts_test import made_up
from training.__main__ import dispatch
from training.evaluation.events.counts import count_events
from training.evaluation.events.judging import judge
from training.evaluation.events.matching import Event
from training.evaluation.events.tables import Recording
from training.evaluation.events.words import in_words

REFERENCE = """path,label,start,end
rec/a.wav,dog,1,2
rec/a.wav,cat,5,6
rec/b.wav,dog,10,12
rec/c.wav,,,
"""
DETECTIONS = """file,start,end,label,score
rec/a.wav,1.1,2.05,dog,0.9
rec/a.wav,5,6,dog,0.6
b.wav,10.3,11.5,dog,0.7
rec/c.wav,4,5,cat,0.5
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Recordings of half a minute, a reference and detections."""
    for name in "abcd":
        write_clip(tmp_path / "rec" / f"{name}.wav", np.full(30_000, 0.1), 1000)
    (tmp_path / "reference.csv").write_text(REFERENCE)
    (tmp_path / "detections.csv").write_text(DETECTIONS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(capsys, *options):
    """What `judge --json` says."""
    command = ["judge", "detections.csv", "--reference", "reference.csv"]
    dispatch([*command, "--json", *options])
    return json.loads(capsys.readouterr().out)


def test_a_table_of_detections_is_judged(folder, capsys):
    scores = judged(capsys)
    assert scores["hours"] == 90 / 3600
    assert (scores["n_reference"], scores["n_detected"]) == (3, 4)
    events, segments, alarms = (scores[k] for k in ("events", "segments", "alarms"))
    # Of a.wav the dog; its cat is taken for a dog; the dog of b.wav starts late.
    assert (events["n_right"], events["n_substituted"]) == (1, 1)
    assert events["f1"] == 2 / 7
    assert events["median_start_error_seconds"] == pytest.approx(0.1)
    # Second 1 and what is touched of 2 of a.wav, 10 and 11 of b.wav.
    assert (segments["n_right"], segments["n_detected"]) == (3, 6)
    assert alarms["n_false_alarms"] == 2
    assert alarms["false_alarms_per_hour"] == pytest.approx(80)
    assert alarms["missed_share"] == pytest.approx(1 / 3)
    assert alarms["without_events"]["n_recordings"] == 1
    assert alarms["without_events"]["false_alarms_per_hour"] == pytest.approx(120)
    # Above 0.6 only the right ones are left.
    assert alarms["at"][0]["threshold"] == 0.7
    assert alarms["at"][0]["missed_share"] == pytest.approx(1 / 3)


def test_recordings_that_nobody_names_are_judged_if_asked_for(folder, capsys):
    scores = judged(capsys, "--recordings", "rec")
    assert scores["n_recordings"] == 4
    assert scores["alarms"]["false_alarms_per_hour"] == pytest.approx(60)


def test_labels_of_background_are_no_events(folder, capsys):
    scores = judged(capsys, "--background", "cat")
    assert list(scores["labels"]) == ["dog"]
    assert (scores["n_reference"], scores["n_detected"]) == (2, 3)


def test_the_curve_is_written(folder, capsys):
    judged(capsys, "--curve", "curve.csv")
    rows = (folder / "curve.csv").read_text().split()
    assert rows[0] == "threshold,false_alarms_per_hour,missed_share"
    assert [row.split(",")[0] for row in rows[1:]] == ["", "0.9", "0.7", "0.6", "0.5"]
    assert [float(row.split(",")[1]) for row in rows[1:]] == [0, 0, 0, 40, 80]


def test_names_of_audacity_and_lines_of_json_are_read(folder, capsys):
    (folder / "rec" / "a.txt").write_text("1\t2\tdog\n5\t6\tcat\n")
    lines = [{"path": "a.wav", "label": "dog", "start": 1, "end": 2}]
    (folder / "found.jsonl").write_text("\n".join(map(json.dumps, lines)))
    dispatch(["judge", "found.jsonl", "--reference", "rec/a.txt", "--json"])
    scores = json.loads(capsys.readouterr().out)
    assert (scores["events"]["n_right"], scores["n_reference"]) == (1, 2)


@pytest.mark.parametrize(
    "table, said",
    [
        ("file,start,end,label\nd.wav,1,2,dog\n", "name it in a row without a label"),
        ("file,start,end,label\na.wav,1s,2,dog\n", "a time or a score that is no"),
        ("file,start,end,label\na.wav,3,2,dog\n", "an end before the start"),
        ("file,start,label\na.wav,3,dog\n", "no column end"),
        ("start,end,label\n3,4,dog\n", "no column 'path'"),
    ],
)
def test_detections_that_cannot_be_judged_are_refused(folder, table, said):
    from leaf_files.errors import UserError

    (folder / "detections.csv").write_text(table)
    with pytest.raises(UserError, match=said):
        dispatch(["judge", "detections.csv", "--reference", "reference.csv"])


def test_a_name_of_several_recordings_is_refused(folder):
    from leaf_files.errors import UserError

    write_clip(folder / "more" / "a.wav", np.full(1000, 0.1), 1000)
    (folder / "reference.csv").write_text(REFERENCE + "more/a.wav,dog,0,1\n")
    dispatch(["judge", "detections.csv", "--reference", "reference.csv"])
    (folder / "detections.csv").write_text(DETECTIONS + "a.wav,1,2,dog,0.5\n")
    with pytest.raises(UserError, match=r"several recordings have \(a.wav\)"):
        dispatch(["judge", "detections.csv", "--reference", "reference.csv"])


def test_scores_of_recordings_are_those_of_all_their_events():
    pairs = made_up(8)
    scores = judge([Recording(60.0, *pair) for pair in pairs])
    assert scores["events"]["f1"] == count_events(pairs).total.f1
    low, high = scores["events"]["f1_interval"]
    assert 0 <= low < scores["events"]["f1"] < high <= 1


def test_nothing_in_the_reference_has_no_scores_but_false_alarms():
    scores = judge([Recording(1800.0, [], [Event(0, 1, "dog")])])
    assert json.dumps(scores, allow_nan=False)
    assert scores["events"]["macro_f1"] is None
    assert scores["alarms"]["false_alarms_per_hour"] == 2.0
    assert "2 an hour (0.0506 to 11.1)" in "\n".join(in_words(scores))
    assert json.dumps(judge([]), allow_nan=False)
