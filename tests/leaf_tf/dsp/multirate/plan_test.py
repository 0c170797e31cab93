"""Plans: where energies lie, settings that last."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from leaf_tf.dsp import multirate
from leaf_tf.dsp.multirate import plan_multirate
from tests.leaf_tf.dsp.multirate.banks import mel_bank


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


def test_config_survives_json():
    plan = plan_multirate(*mel_bank())
    assert multirate.Plan.from_config(json.loads(json.dumps(plan.get_config()))) == plan


def test_plan_is_hashable_and_plain():
    plan = plan_multirate(*mel_bank())
    assert hash(plan) == hash(dataclasses.replace(plan))


def test_places_undo_the_order_of_the_groups():
    rng = np.random.default_rng(0)
    order = rng.permutation(40)
    center_freqs, sigmas, widths = mel_bank()
    plan = plan_multirate(center_freqs[order], sigmas[order], widths)
    assert not plan.is_in_order
    np.testing.assert_array_equal(np.array(plan.order)[plan.places], np.arange(40))
    assert plan.places.dtype == np.int32  # what microcontrollers gather by
