import numpy as np
import pytest

import leaf_tf
from leaf_tf.streaming import Stream, TrailingWindow
from leaf_tf.streaming.compact import compact_banks


def leaf(n_filters=12, **settings):
    layer = leaf_tf.Leaf(n_filters, sample_rate=8000, **settings)
    layer.build((None, None))
    return layer


@pytest.fixture(scope="module")
def sound():
    """Half a second of a chirp in noise that swells, in whole hops."""
    t = np.arange(4000) / 8000
    rng = np.random.default_rng(0)
    chirp = np.sin(2 * np.pi * 400 * t * (1 + 2 * t))
    return (t * (chirp + 0.3 * rng.standard_normal(t.size)))[None].astype("float32")


@pytest.mark.parametrize(
    "settings",
    [
        {"compression": "none"},
        {"compression": "soft_pcen", "pooling_padding": "symmetric"},
        {"method": "exact", "sort_filters": True, "pooling_bias": True},
        {"preemp": True},
        {"n_filters": 40, "compression": "log"},
    ],
    ids=str,
)
def test_a_compact_stream_is_near_the_frontend(settings, sound):
    layer = leaf(**settings)
    if layer.sort_filters:
        layer.filtering.center_freqs.assign(layer.filtering.center_freqs[::-1])
    expected = np.asarray(layer(sound))
    stream = Stream(layer, is_compact=True)
    chunks = sound.reshape(5, 1, 800)
    frames = np.concatenate([np.asarray(f) for f in stream.run(chunks)], axis=1)
    assert frames.shape == expected.shape
    # A percent of an energy, on average; at the start, where half a window is
    # outside, it may be more.
    error = np.abs(frames - expected)[:, 3:]
    assert error.mean() < 0.01 * np.abs(expected).mean()
    assert np.abs(frames - expected).max() < 0.1 * np.abs(expected).max()


def response(bank):
    """{sample: complex outputs (filters,)} of an impulse there, as arrays."""
    n = bank.windows.shape[1]
    taps = bank.taps[:, :n] + 1j * bank.taps[:, n:]
    whole = np.zeros((bank.reach(1), n), complex)
    first = bank.first_tap - bank.first_sample
    whole[first : first + len(taps) * bank.rate : bank.rate] = taps
    if bank.decimator is not None:
        whole = np.stack(
            [np.convolve(column, bank.decimator, "same") for column in whole.T], 1
        )
    return np.arange(len(whole)) + bank.first_sample, whole


@pytest.mark.parametrize("n_filters, rates", [(12, (1,)), (40, (2, 1))])
def test_its_filters_are_gabors_cut_where_they_are_low(n_filters, rates):
    layer = leaf(n_filters)
    banks = compact_banks(layer)
    assert tuple(dict.fromkeys(bank.rate for bank in banks)) == rates
    exact = layer.impulse_responses()  # (taps, n_filters), complex
    half = len(exact) // 2
    first = 0
    for bank in banks:
        times, computed = response(bank)
        n = computed.shape[1]
        wanted = np.zeros_like(computed)
        inside = np.abs(times) <= half
        here = exact[:, first : first + n]
        wanted[inside] = here[times[inside] + half]
        energy = np.sum(np.abs(here) ** 2, axis=0)
        lost = energy - np.sum(np.abs(wanted) ** 2, axis=0)
        error = np.sum(np.abs(computed - wanted) ** 2, axis=0) + lost
        # The window cuts some where they are high; that cut is softened.
        is_low = np.abs(here[0]) < 0.05 * np.abs(here).max(axis=0)
        assert is_low.any()
        assert (error[is_low] < 0.01 * energy[is_low]).all()
        first += n
    assert first == layer.n_filters


def test_shares_of_energies_are_a_pooling_window():
    (bank, *_), layer = compact_banks(leaf()), leaf()
    windows = np.asarray(layer.pooling.taps()).sum(axis=0)
    np.testing.assert_allclose(
        bank.windows.sum(axis=0), windows[: bank.windows.shape[1]], rtol=1e-6
    )
    assert (bank.windows > 0).all()


def test_it_has_no_states_for_samples_that_are_none():
    names = Stream(leaf(), is_compact=True).state_shapes
    assert "marked_frames" in Stream(leaf()).state_shapes
    assert "marked_frames" not in names


def test_a_trailing_window_of_it_is_near_the_other(sound):
    windows = []
    for is_compact in (False, True):
        trailing = TrailingWindow(Stream(leaf(), is_compact), n_frames=20)
        state = trailing.initial_state()
        for chunk in sound.reshape(5, 1, 800):
            window, state = trailing.step(chunk, state)
        windows.append(np.asarray(window))
    late, soon = windows
    # The plan's delay is a hop or two longer.
    assert np.abs(late).max() > 0.1
    assert np.isfinite(soon).all() and soon.shape == late.shape
