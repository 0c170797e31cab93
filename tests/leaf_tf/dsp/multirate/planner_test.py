"""The planner: predicted errors, limits, falling back."""

import numpy as np
import pytest

from leaf_tf.dsp import multirate
from leaf_tf.dsp.multirate import TOLERANCE, plan_multirate
from tests.leaf_tf.dsp.multirate.banks import mel_bank


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


def test_margin_holds_smaller_and_larger_sigmas():
    center_freqs, sigmas, widths = mel_bank(16)
    plan = plan_multirate(center_freqs, sigmas, widths, margin=0.1)
    assert multirate.holds(plan, center_freqs, sigmas / 1.1, widths)
    assert multirate.holds(plan, center_freqs, sigmas * 1.1, widths)


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
