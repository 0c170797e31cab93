import numpy as np
import pytest

from leaf_files.events import Event, EventFinder, Rules, Smoother
from leaf_files.windowing import Grid

GRID = Grid(window_samples=100, hop_samples=50)


def rules(level=0.6, release=0.4, n_labels=1, **others):
    levels, releases = np.full(n_labels, level), np.full(n_labels, release)
    return Rules(levels=levels, releases=releases, **others)


def events(scores, n_samples, grid=GRID, **others):
    """The events of windows of one label, or of several."""
    scores = [np.atleast_1d(row) for row in scores]
    finder = EventFinder(grid, rules(n_labels=scores[0].size, **others))
    found = [event for row in scores for event in finder.hear(row)]
    return found + finder.end(n_samples)


def places(found):
    return [(event.start, event.end) for event in found]


def test_edges_lie_where_the_release_is_crossed_between_the_middles():
    # Middles at 50, 100, 150, 200; 0.4 is half of the way from 0 to 0.8.
    assert events([0, 0.8, 0.8, 0], 250) == [Event(75, 175, 0, 0.8)]
    # A quarter of the way up, from 0.2 to 1.0; three quarters down.
    grid = Grid(window_samples=200, hop_samples=100)
    assert places(events([0.2, 1.0, 0.2], 400, grid)) == [(125, 275)]


def test_the_release_alone_is_no_event_and_carries_one_on():
    assert events([0, 0.5, 0.5, 0], 250) == []
    [event] = events([0, 0.5, 0.7, 0.5, 0], 300)
    assert event.score == 0.7
    assert places([event]) == places(events([0, 0.5, 0.5, 0.5, 0], 300, level=0.5))
    # Without hysteresis the same scores end sooner.
    assert event.end > events([0, 0.5, 0.7, 0.5, 0], 300, release=0.6)[0].end


def test_a_recording_ends_its_events_and_none_goes_beyond_it():
    assert places(events([0.9], 70)) == [(0, 70)]
    assert places(events([0.9, 0.9, 0.9], 170)) == [(0, 170)]
    assert places(events([0, 0.9], 130)) == [(50 + round(50 * 0.4 / 0.9), 130)]
    # What ends by itself has its own end.
    assert places(events([0.8, 0, 0], 200)) == [(0, 75)]


def test_gaps_are_merged_up_to_their_length_and_scores_are_the_highest():
    scores = [0, 0.8, 0, 0, 0.9, 0, 0, 0, 0.7, 0]
    apart = events(scores, 600)
    gaps = [b.start - a.end for a, b in zip(apart, apart[1:])]
    assert len(apart) == 3 and gaps[0] < gaps[1]
    first, last = events(scores, 600, merge_samples=gaps[0])
    assert (first.start, first.end, first.score) == (apart[0].start, apart[1].end, 0.9)
    assert last == apart[2]
    assert len(events(scores, 600, merge_samples=gaps[0] - 1)) == 3
    assert len(events(scores, 600, merge_samples=gaps[1])) == 1


def test_short_events_are_left_out_after_they_were_merged():
    scores = [0, 0.8, 0, 0.8, 0]
    [one, two] = events(scores, 300)
    longest = one.end - one.start
    assert events(scores, 300, least_samples=longest) == [one, two]
    assert events(scores, 300, least_samples=longest + 1) == []
    merged = events(scores, 300, least_samples=longest + 1, merge_samples=100)
    assert places(merged) == [(one.start, two.end)]


def test_lead_and_tail_move_edges_but_not_those_of_the_recording():
    [event] = events([0, 0.8, 0.8, 0], 250, lead_samples=30)
    assert (event.start, event.end) == (75 + 30, 175)
    [event] = events([0, 0.8, 0.8, 0], 250, tail_samples=20)
    assert (event.start, event.end) == (75, 175 - 20)
    assert places(events([0.9, 0.9], 150, lead_samples=30, tail_samples=20)) == [
        (0, 150)
    ]
    assert places(events([0.8, 0], 150, lead_samples=30)) == [(0, 75)]
    # Shorter than its lead: a moment, between its ends.
    [event] = events([0, 0.8, 0], 200, lead_samples=90)
    assert event.start == event.end == (75 + 90 + 125) // 2


def test_of_exclusive_labels_only_the_likeliest_is_an_event():
    scores = [[0.1, 0.1], [0.9, 0.7], [0.1, 0.1]]
    assert {event.label for event in events(scores, 200)} == {0, 1}
    assert {event.label for event in events(scores, 200, one_label=True)} == {0}


def test_labels_that_are_never_events_and_scores_that_are_no_numbers():
    finder = EventFinder(GRID, Rules(np.array([0.6, np.inf]), np.array([0.4, np.inf])))
    heard = [finder.hear(row) for row in ([0, 1.0], [np.nan, 1.0], [0.9, np.nan])]
    assert heard == [[], [], []]
    assert [event.label for event in finder.end(200)] == [0]


def test_times_are_exact_after_a_day():
    """24 hours at 44.1 kHz, an event near the end: sums of floats would drift."""
    grid = Grid(window_samples=44100, hop_samples=11025)
    n_samples = 24 * 3600 * 44100
    n_windows = grid.n_windows(n_samples)
    finder = EventFinder(grid, rules())
    silent, loud = np.zeros(1), np.full(1, 0.8)
    first = n_windows - 6
    found = []
    for index in range(n_windows):
        found += finder.hear(loud if index in (first, first + 1) else silent)
    found += finder.end(n_samples)
    # Half of a hop before the first middle, half of one after the last.
    start = first * 11025 + 44100 // 2 - round(11025 / 2)
    end = (first + 1) * 11025 + 44100 // 2 + round(11025 / 2)
    [event] = found
    assert abs(event.start - start) <= 1 and abs(event.end - end) <= 1


@pytest.mark.parametrize("n_windows", [1, 3, 5, 9])
@pytest.mark.parametrize("n_scores", [0, 1, 2, 4, 7])
def test_smoothing_is_the_mean_of_the_neighbours_there_are(n_windows, n_scores, rng):
    scores = rng.random((n_scores, 2))
    smoother = Smoother(n_windows)
    found = [row for score in scores for row in smoother.hear(score)]
    found += smoother.end()
    half = n_windows // 2
    expected = [
        scores[max(0, i - half) : i + half + 1].mean(axis=0) for i in range(n_scores)
    ]
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-12)


@pytest.mark.parametrize("n_samples", [1, 99, 100, 101, 149, 150, 151, 400, 1001])
@pytest.mark.parametrize("hop", [1, 30, 100])
@pytest.mark.parametrize("block", [1, 64, 5000])
def test_windows_are_those_of_the_whole_and_none_of_it_is_dropped(
    n_samples, hop, block, rng
):
    grid = Grid(100, hop)
    sound = rng.standard_normal(n_samples).astype(np.float32)
    blocks = [sound[n : n + block] for n in range(0, n_samples, block)]
    windows = np.concatenate([*grid.cut(iter(blocks))])
    assert len(windows) == grid.n_windows(n_samples)
    if n_samples < 100:
        before = (100 - n_samples) // 2
        expected = np.pad(sound, (before, 100 - n_samples - before))[None]
    else:
        padded = np.pad(sound, (0, 100))
        starts = hop * np.arange(len(windows))
        expected = padded[starts[:, None] + np.arange(100)]
        assert starts[-1] + 100 >= n_samples
        assert len(starts) == 1 or starts[-2] + 100 < n_samples
    np.testing.assert_array_equal(windows, expected)
