"""Predicted errors of plans whose filters move, and weights of the definition."""

import numpy as np

from leaf_tf.dsp import multirate
from leaf_tf.dsp.multirate import plan_multirate
from tests.leaf_tf.dsp.multirate.banks import mel_bank


def test_plan_holds_until_filters_move_far():
    center_freqs, sigmas, widths = mel_bank()
    plan = plan_multirate(center_freqs, sigmas, widths)
    assert multirate.holds(plan, center_freqs * 1.001, sigmas * 0.99, widths * 0.98)
    assert not multirate.holds(plan, center_freqs, sigmas * 0.5, widths)
    assert not multirate.holds(plan, center_freqs[::-1], sigmas, widths)


def test_stride_1_group_places_the_pooling_window():
    plan = multirate.exact_plan(*mel_bank(), 401, 401, 160)
    window = np.arange(401.0)
    placed = multirate.interpolation(plan, plan.groups[0]) @ window
    np.testing.assert_array_equal(placed[plan.lead : plan.lead + 401], window)
    assert placed.sum() == window.sum()
