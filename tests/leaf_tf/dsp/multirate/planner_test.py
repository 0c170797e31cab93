"""The planner: predicted errors, limits, falling back, settings that last."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from leaf_tf.dsp import mel, multirate
from leaf_tf.dsp.multirate import taps as multirate_taps
from leaf_tf.dsp.multirate.planner import TOLERANCE, plan_multirate


def mel_bank(n_filters=40, kernel_size=401, sample_rate=16000):
    center_freqs, sigmas = mel.initial_gabor_filters(
        n_filters, kernel_size, sample_rate, 60.0, 0.4875 * sample_rate
    )
    return center_freqs, sigmas, np.full(n_filters, 0.4)


@pytest.mark.parametrize(
    "n_filters, tolerance", [(16, 1e-4), (40, TOLERANCE), (16, 1e-3)]
)
def test_plan_predicts_what_it_is_allowed(n_filters, tolerance):
    plan = plan_multirate(*mel_bank(n_filters), tolerance=tolerance)
    allowed = multirate.allowed_errors(plan.sigmas, 401, tolerance)
    assert np.all(multirate.predicted_errors(plan) <= allowed)


def test_plan_at_mel_init_costs_a_twentieth_of_stride_1():
    plan = plan_multirate(*mel_bank())
    assert plan.multiplications_per_sample < 2 * 401 * 40 / 20


def test_larger_tolerance_is_not_dearer():
    costs = [
        plan_multirate(*mel_bank(16), tolerance=t).multiplications_per_sample
        for t in (1e-4, 1e-3, 1e-2)
    ]
    assert costs == sorted(costs, reverse=True)


def test_every_filter_is_in_one_group(rng):
    center_freqs = rng.uniform(0, np.pi, 16)
    sigmas = np.exp(rng.uniform(np.log(1.6), np.log(150), 16))
    plan = plan_multirate(center_freqs, sigmas, rng.uniform(0.05, 0.5, 16))
    assert sorted(plan.order) == list(range(16))


def test_prime_hop_falls_back_to_every_sample():
    plan = plan_multirate(*mel_bank(), strides=151)
    assert {group.stride for group in plan.groups} == {1}
    assert multirate.predicted_errors(plan).max() < 1e-3


def test_strides_divide_the_hop_and_rates_the_strides():
    plan = plan_multirate(*mel_bank(12, 1103, 44100), 1103, 1103, 441)
    for group in plan.groups:
        assert 441 % group.stride == 0
        assert group.stride % group.rate == 0


@pytest.mark.parametrize("pool_size, strides", [(401, 160), (201, 80), (1103, 441)])
def test_energies_lie_where_the_windows_edges_do_least_harm(pool_size, strides):
    exact = multirate.exact_plan([1.0], [20.0], [0.4], pool_size, pool_size, strides)
    for stride in (8, 9, 16, 20, 21, 32):
        if strides % stride == 0:
            group = multirate.Group((0,), 1, stride, pool_size // 2)
            positions = exact.positions(group)
            # Distance of the edges from the nearest energy, in strides; a quarter
            # is worst. The window is 1 longer than a multiple of most strides.
            for edge in (-0.5, pool_size - 0.5):
                distance = np.abs(positions - edge).min() / stride
                assert abs(distance - 0.25) > 0.17


def test_groups_of_lower_rates_share_decimated_samples():
    plan = plan_multirate(*mel_bank())
    lower = [group for group in plan.groups if group.rate > 1]
    assert len({group.rate for group in lower}) > 1
    for one, other in itertools.product(lower, lower):
        apart = plan.first_position(one) - plan.first_position(other)
        assert apart % min(one.rate, other.rate) == 0


def test_plan_holds_until_filters_move_far():
    center_freqs, sigmas, widths = mel_bank()
    plan = plan_multirate(center_freqs, sigmas, widths)
    assert multirate.holds(plan, center_freqs * 1.001, sigmas * 0.99, widths * 0.98)
    assert not multirate.holds(plan, center_freqs, sigmas * 0.5, widths)
    assert not multirate.holds(plan, center_freqs[::-1], sigmas, widths)


def test_margin_holds_smaller_and_larger_sigmas():
    center_freqs, sigmas, widths = mel_bank(16)
    plan = plan_multirate(center_freqs, sigmas, widths, margin=0.1)
    assert multirate.holds(plan, center_freqs, sigmas / 1.1, widths)
    assert multirate.holds(plan, center_freqs, sigmas * 1.1, widths)


def test_config_survives_json():
    plan = plan_multirate(*mel_bank())
    assert multirate.Plan.from_config(json.loads(json.dumps(plan.get_config()))) == plan


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tolerance": 0.0}, "`tolerance` must be positive. Received: 0.0"),
        ({"margin": -0.1}, "`margin` must be at least 0. Received: -0.1"),
        ({"sigmas": [20.0]}, "must be of one length"),
    ],
)
def test_bad_argument_is_named(changes, message):
    center_freqs, sigmas, pooling_widths = mel_bank()
    arguments = {
        "center_freqs": center_freqs,
        "sigmas": sigmas,
        "pooling_widths": pooling_widths,
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        plan_multirate(**arguments)


def test_decimator_keeps_its_band_and_stops_images():
    for rate in (2, 3, 4, 7, 8):
        response = np.abs(np.fft.rfft(multirate_taps.decimator(rate), 8192))
        freqs = np.linspace(0, 1, len(response))
        np.testing.assert_allclose(response[freqs < 0.57 / rate], 1, atol=2e-4)
        # What is folded onto that band.
        assert response[freqs > 1.35 / rate].max() < 6e-5
        # Taps can make up for the rest of it.
        assert response[freqs < 0.78 / rate].min() > 0.8


def test_decimation_in_stages_is_one_decimator(rng):
    signal = rng.normal(size=1000)
    once = np.convolve(signal, multirate_taps.decimator(2), "valid")[::2]
    twice = np.convolve(once, multirate_taps.decimator(2), "valid")[::2]
    at_once = np.convolve(signal, multirate_taps.decimator(4), "valid")[::4]
    np.testing.assert_allclose(twice[: len(at_once)], at_once, atol=1e-12)


@pytest.mark.parametrize("rate", [2, 4, 5])
def test_decimated_taps_answer_as_the_gabor(rate):
    times = np.arange(-120, 121)
    gabor = np.exp(-0.5 * (times / 30) ** 2 + 0.3j * times)
    taps = multirate_taps.decimated_taps(120, rate) @ gabor
    spread = np.zeros((len(taps) - 1) * rate + 1, complex)
    spread[::rate] = taps
    both = np.convolve(spread, multirate_taps.decimator(rate))
    reach = len(both) // 2 - 120
    error = both - np.pad(gabor, reach)
    assert np.linalg.norm(error) < 5e-4 * np.linalg.norm(gabor)


def test_softened_cut_keeps_the_window_and_narrows_its_spectrum():
    soft = multirate_taps.cut_window(401, multirate_taps.soft_half_length(401, 20), 20)
    hard = multirate_taps.cut_window(401, 200, 20)
    np.testing.assert_allclose(soft[100:-100], 1, atol=1e-6)
    far = slice(8192 // 20, None)
    energy = [np.sum(np.abs(np.fft.rfft(w, 8192))[far] ** 2) for w in (soft, hard)]
    assert energy[0] < 1e-3 * energy[1]


def test_stride_1_group_places_the_pooling_window():
    plan = multirate.exact_plan(*mel_bank(), 401, 401, 160)
    window = np.arange(401.0)
    placed = multirate.interpolation(plan, plan.groups[0]) @ window
    np.testing.assert_array_equal(placed[plan.lead : plan.lead + 401], window)
    assert placed.sum() == window.sum()


def test_plan_is_hashable_and_plain():
    plan = plan_multirate(*mel_bank())
    assert hash(plan) == hash(dataclasses.replace(plan))
