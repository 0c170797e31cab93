from pathlib import Path

import numpy as np
import pytest

from leaf_files.clips import write_clip
from training.tasks.background.recordings import Recording, drawn, heard
from training.tasks.identity import identity
from training.tasks.own.hearing import WHOLE, Stretch, hear


def recording(seconds, name="a.wav", parts=None):
    return Recording(Path(name), name, parts, seconds)


def times(pieces):
    return [(stretch.start, stretch.end) for _, stretch in pieces]


def test_pieces_are_as_long_as_there_are_enough():
    of_length = {
        n: drawn([recording(20.0)], n, window_seconds=1.0) for n in (1, 4, 5, 10, 20)
    }
    lengths = {n: {b - a for a, b in times(of_length[n])} for n in of_length}
    assert lengths == {1: {5}, 4: {5}, 5: {4}, 10: {2}, 20: {1}}
    assert [len(pieces) for pieces in of_length.values()] == [1, 4, 5, 10, 20]


def test_there_are_no_more_than_the_recordings_hold():
    assert times(drawn([recording(2.5)], 20, 1.0)) == [(0, 1), (1, 2)]


def test_pieces_are_from_all_over_the_recordings_and_never_overlap():
    recordings = [recording(100.0, f"{n}.wav") for n in range(5)]
    pieces = drawn(recordings, 40, window_seconds=2.0)
    assert len(pieces) == 40
    assert {r.name for r, _ in pieces} == {r.name for r in recordings}
    for r in recordings:
        of_one = sorted(times([p for p in pieces if p[0] is r]))
        assert all(a[1] <= b[0] for a, b in zip(of_one, of_one[1:]))
    starts = [stretch.start for _, stretch in pieces]
    assert min(starts) < 20 and max(starts) >= 80


def test_other_recordings_change_none_of_the_pieces_but_which():
    one, other = recording(50.0, "a.wav"), recording(50.0, "b.wav")
    alone = {(r.name, s) for r, s in drawn([one], 10, 1.0)}
    both = {(r.name, s) for r, s in drawn([one, other], 10, 1.0)}
    assert {piece for piece in both if piece[0] == "a.wav"} <= alone


def test_a_short_recording_is_used_whole():
    pieces = drawn([recording(0.3)], 5, window_seconds=1.0)
    assert [stretch for _, stretch in pieces] == [WHOLE]


def test_parts_that_are_shorter_than_a_window_are_left_out():
    parts = [(0.0, 0.9), (2.0, 3.0), (5.0, 7.4)]
    pieces = drawn([recording(8.0, parts=parts)], 10, window_seconds=1.0)
    assert times(pieces) == [(2, 3), (5, 6), (6, 7)]
    # A longer piece takes the rest with it, if that is a window.
    [pair] = [
        t for t in times(drawn([recording(8.0, parts=parts)], 2, 1.0)) if t[0] > 4
    ]
    assert pair == pytest.approx((5, 7.4))


def test_a_stretch_sounds_as_in_the_whole(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 8000)
    write_clip(tmp_path / "a.flac", noise, 8000)
    one = heard(tmp_path / "a.flac", Stretch(0.25, 0.75))
    assert (one.first, one.last, one.sample_rate) == (2000, 6000, 8000)
    [twin] = hear(tmp_path / "a.flac", [Stretch(0.25, 0.75)])
    assert one.identity == twin.identity != identity(noise, 8000)
    assert one.power == pytest.approx(twin.power)
