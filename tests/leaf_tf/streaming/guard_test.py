"""What is no sound leaves no trace in a stream, and what heard it says so."""

import numpy as np
import pytest

import leaf_tf
from leaf_tf.streaming import Stream, TrailingWindow
from tests.leaf_tf.parameters import numbers

# That remember nothing but the samples themselves.
FRONTENDS = {
    "leaf": lambda: leaf_tf.Leaf(n_filters=6, compression="none"),
    "leaf_exact": lambda: leaf_tf.Leaf(
        n_filters=6, method="exact", preemp=True, compression="log"
    ),
    "mel": lambda: leaf_tf.MelFilterbanks(n_filters=6),
    "sincnet": lambda: leaf_tf.SincNet(n_filters=6),
    "sincnet_plus": lambda: leaf_tf.SincNetPlus(n_filters=6, compression="none"),
    "time_domain": lambda: leaf_tf.TimeDomainFilterbanks(n_filters=6, preemp=True),
    "efficient_leaf": lambda: leaf_tf.EfficientLeaf(
        n_filters=6, median_subtraction=False
    ),
}
BAD = [np.nan, np.inf, -np.inf, 1e30, -1e20, 2e6]
HOP, HOPS, PLACE = 160, 24, 5 * 160 + 159


@pytest.fixture(scope="module", params=FRONTENDS.values(), ids=FRONTENDS)
def stream(request):
    return Stream(request.param())


def sound(rng, value=None):
    waveform = rng.uniform(-1, 1, HOPS * HOP).astype("float32")
    if value is not None:
        waveform[PLACE] = value
    return waveform


def heard(stream, waveform, hops=1):
    """(frames, channels) of all chunks, and all states on the way."""
    state, frames, states = stream.initial_state(), [], []
    for chunk in waveform.reshape(-1, hops * HOP):
        part, state = stream.step(chunk[None], state)
        frames.append(numbers(part)[0])
        states.append({name: numbers(value) for name, value in state.items()})
    return np.concatenate(frames), states


def test_it_is_silence_and_all_that_hears_it_is_nan_for_a_while(stream):
    silent, expected = heard(stream, sound(np.random.default_rng(1), 0.0))
    loud, _ = heard(stream, sound(np.random.default_rng(1), 0.9))
    frames, states = heard(stream, sound(np.random.default_rng(1), np.nan))
    is_nan = np.isnan(frames)
    assert (is_nan.all(axis=1) == is_nan.any(axis=1)).all()
    is_nan = is_nan.all(axis=1)
    hears = np.abs(silent - loud).max(axis=1) > 0
    assert hears.any()
    assert not (hears & ~is_nan).any()
    # From the chunk on, and little longer than it is heard.
    assert is_nan[5]
    assert not is_nan[:5].any()
    assert np.flatnonzero(is_nan)[-1] <= np.flatnonzero(hears)[-1] + 4
    np.testing.assert_array_equal(frames[~is_nan], silent[~is_nan])
    for state, own in zip(states, expected):
        for name in state.keys() - {"marked_frames"}:
            np.testing.assert_array_equal(state[name], own[name])


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("compression", ["pcen", "multi_rate_pcen"])
def test_a_smoothed_mean_keeps_nothing_of_it(value, compression):
    stream = Stream(leaf_tf.MelFilterbanks(n_filters=5, compression=compression))
    silent, _ = heard(stream, sound(np.random.default_rng(2), 0.0), 2)
    frames, states = heard(stream, sound(np.random.default_rng(2), value), 2)
    is_nan = np.isnan(frames).any(axis=1)
    assert is_nan[4:6].all()
    assert not is_nan[:4].any()
    assert not is_nan[10:].any()
    np.testing.assert_array_equal(frames[~is_nan], silent[~is_nan])
    assert np.isfinite(states[-1]["smoothed_0"]).all()


@pytest.mark.parametrize("hops", [1, 3, 8])
def test_a_window_is_nan_while_it_holds_a_frame_that_is(hops):
    trailing = TrailingWindow(Stream(leaf_tf.MelFilterbanks(n_filters=4)), n_frames=5)
    waveform = sound(np.random.default_rng(3), -np.inf)
    frames, _ = heard(trailing.stream, waveform, hops)
    state = trailing.initial_state()
    found = []
    for n_heard, chunk in enumerate(waveform.reshape(-1, hops * HOP), start=1):
        window, state = trailing.step(chunk[None], state)
        inside = frames[max(0, n_heard * hops - 5) : n_heard * hops]
        found.append(bool(np.isnan(numbers(window)).all()))
        assert found[-1] == np.isnan(inside).any()
        assert found[-1] == np.isnan(numbers(window)).any()
        assert all(np.isfinite(numbers(value)).all() for value in state.values())
    assert set(found) == {True, False}
    assert not found[-1]


def test_streams_of_a_batch_and_the_end_are_marked_by_themselves():
    stream = Stream(leaf_tf.Leaf(n_filters=4))
    chunk = np.zeros((2, 3 * HOP), "float32")
    chunk[1, -1] = np.nan
    frames, state = stream.step(chunk, stream.initial_state(2))
    last = numbers(stream.finish(state))
    assert np.isfinite(numbers(frames)[0]).all()
    assert np.isnan(numbers(frames)[1]).all()
    assert np.isfinite(last[0]).all()
    assert np.isnan(last[1]).all()


def test_all_that_16_bits_hold_is_sound(rng):
    stream = Stream(leaf_tf.Leaf(n_filters=4))
    frames, _ = heard(stream, np.float32([-32768, 32767] * (HOP * 3)))
    assert np.isfinite(frames).all()
