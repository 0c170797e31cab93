"""Chooses the cheapest plan that meets a tolerance, in NumPy.

First the error of each simplification is predicted for each filter alone: longer
strides, softened cuts, shorter taps at each rate (`Simplifications`). These give each
filter's limits (`Limits`). Within them dynamic programming finds the groups of least
cost (`_cheapest_groups`). The plan of these groups is then checked as a whole
(`errors.predicted_errors`); filters that miss the tolerance get tighter limits, and it
is planned again.
"""

import dataclasses
import functools
import itertools
import math
from typing import Any

import numpy as np

from leaf_tf.dsp.multirate import taps
from leaf_tf.dsp.multirate.errors import allowed_errors, predicted_errors
from leaf_tf.dsp.multirate.limits import Simplifications, longest_divisor
from leaf_tf.dsp.multirate.plan import Group, Plan, exact_plan, lanes
from leaf_tf.dsp.multirate.statistics import Values

TOLERANCE = 3e-4

# Decimation rates in one plan: each is a decimator to run, and small operations of a
# graph cost as much as large ones.
_MOST_RATES = 2
# Errors of taps and of strides are limited one by one, but add up, and a group
# compromises between its filters. The limits of filters that miss the tolerance are
# tightened by this factor and the plan is made again; after so many rounds, filters
# that still miss are computed exactly.
_TIGHTENING = 0.7
_MAX_ROUNDS = 8
# Filters times energies a block up to which blocks are tried: then vectors are full,
# and longer blocks only add zeros.
_MAX_FILTERS = 64
# Costs of a group, a decimator and a permutation besides convolutions and pooling, in
# multiplications per sample. Without them plans fall apart into many small groups.
_GROUP_COST = 100.0
_DECIMATOR_COST = 60.0
_PERMUTATION_COST = 50.0


def plan_multirate(
    center_freqs: Values,
    sigmas: Values,
    pooling_widths: Values,
    kernel_size: int = 401,
    pool_size: int = 401,
    strides: int = 160,
    tolerance: float = TOLERANCE,
    margin: float = 0.0,
) -> Plan:
    """The cheapest plan whose predicted errors are within the tolerance.

    Works for any filters, window and hop; filters for which nothing cheaper meets the
    tolerance are computed at every sample, which is exact.

    Args:
        center_freqs: (n_filters,), rad/sample, in [0, pi].
        sigmas: (n_filters,), samples, > 0.
        pooling_widths: (n_filters,), relative to half the pooling window, > 0.
        kernel_size, pool_size, strides: Samples in a filter, in the pooling window,
            and between frames.
        tolerance: Relative RMS error of a pooled energy on noise, > 0; see
            `allowed_errors`. The error after PCEN is about a fifth of it, on average.
        margin: Part by which sigmas may shrink or grow while the plan holds.

    Returns:
        `Plan`.

    Raises:
        ValueError: Argument out of range.

    Example:
        >>> plan = plan_multirate([0.1, 0.9, 1.0], [60.0, 8.0, 8.0], [0.4] * 3)
        >>> [(group.filters, group.rate, group.stride) for group in plan.groups]
        [((0,), 4, 20), ((1, 2), 1, 8)]
    """
    bank = tuple(
        tuple(map(float, values)) for values in (center_freqs, sigmas, pooling_widths)
    )
    lengths = [len(values) for values in bank]
    if min(lengths) < 1 or len(set(lengths)) > 1:
        raise ValueError(
            "`center_freqs`, `sigmas` and `pooling_widths` must be of one length, at "
            f"least 1. Received: lengths {lengths}"
        )
    if not tolerance > 0.0:
        raise ValueError(f"`tolerance` must be positive. Received: {tolerance}")
    if not margin >= 0.0:
        raise ValueError(f"`margin` must be at least 0. Received: {margin}")
    return _plan(*bank, kernel_size, pool_size, strides, tolerance, margin)


# All layers of one bank ask for the same plan, which takes half a second to make.
@functools.lru_cache(maxsize=64)
def _plan(
    center_freqs,
    sigmas,
    pooling_widths,
    kernel_size,
    pool_size,
    strides,
    tolerance,
    margin,
):
    """`plan_multirate` of hashable arguments."""
    exact = exact_plan(
        center_freqs, sigmas, pooling_widths, kernel_size, pool_size, strides
    )
    allowed = allowed_errors(sigmas, kernel_size, tolerance)
    simplifications = Simplifications(exact, allowed, margin)
    limits = np.ones(exact.n_filters)
    for round_ in itertools.count(1):
        groups = _cheapest_groups(simplifications.limits(limits), exact)
        plan = dataclasses.replace(exact, groups=groups, tolerance=tolerance)
        missed = np.any(predicted_errors(plan) > allowed, axis=0)
        if not np.any(missed):
            return plan
        # A limit of zero asks for every sample and all taps.
        limits[missed] *= _TIGHTENING if round_ < _MAX_ROUNDS else 0.0


def _cheapest_groups(limits, exact):
    """Groups of least cost: runs of the filters in one of two orders.

    The first order is that of the indices. The second sorts filters by the lowest rate
    and the longest stride that they allow.
    """
    n_filters = len(limits.strides)
    given = np.arange(n_filters)
    rates = np.max(
        [np.where(half > 0, rate, 1) for rate, half in limits.half_lengths.items()],
        axis=0,
    )
    by_limits = np.lexsort((given, -limits.strides, -rates))
    best_cost, best_groups = _best_runs(given, limits, exact)
    if not np.array_equal(by_limits, given):
        cost, groups = _best_runs(by_limits, limits, exact)
        # Groups out of order cost a permutation of the weights and of the features.
        if cost + _PERMUTATION_COST < best_cost:
            best_groups = groups
    return best_groups


def _best_runs(order, limits, exact):
    """The cheapest division of `order` into runs, by dynamic programming.

    Returns:
        Its cost; tuple of `Group`.
    """
    runs = _runs(order, limits, exact)
    lower_rates = [rate for rate in limits.half_lengths if rate > 1]
    best_cost, best_chain = math.inf, []
    # A decimator's cost is shared by all groups behind it, so the rates are fixed
    # first: for fixed rates the costs of runs add up.
    for n_rates in range(_MOST_RATES + 1):
        for chosen in itertools.combinations(lower_rates, n_rates):
            # costs[i]: of the first i filters; chain[i]: the last run of these.
            costs = [n_rates * _DECIMATOR_COST] + [math.inf] * len(order)
            chain: list[Any] = [None] * len(costs)
            for first, last, by_rate in runs:
                for rate in (1, *chosen):
                    if rate in by_rate:
                        run_cost, shape = by_rate[rate]
                        if costs[first] + run_cost < costs[last]:
                            costs[last] = costs[first] + run_cost
                            chain[last] = (first, rate, *shape)
            if costs[-1] < best_cost:
                best_cost, best_chain = costs[-1], chain
    groups = []
    last = len(order)
    while last:
        first, *shape = best_chain[last]
        groups.append(Group(tuple(map(int, order[first:last])), *shape))
        last = first
    return best_cost, tuple(reversed(groups))


def _runs(order, limits, exact):
    """Every run of `order` and the cheapest way to compute it at each rate.

    Returns:
        List of (first, last, {rate: (cost, (stride, half_length, per_block))}), a run
        after all runs that end where it starts.
    """
    strides, hops = exact.strides, exact.hops
    # Lists of integers: the loops are Python's.
    half_lengths = {r: v.tolist() for r, v in limits.half_lengths.items()}
    hard_strides = limits.strides.tolist()
    soft_strides = limits.soft_strides.tolist()
    is_soft = limits.is_soft.tolist()
    order = order.tolist()
    runs = []
    for first in range(len(order)):
        reaches = dict.fromkeys(half_lengths, 0)
        hard_stride, soft_stride, has_soft = strides, strides, False
        # The strictest limits of the run's filters, as it grows by one.
        for last, index in enumerate(order[first:], start=first + 1):
            hard_stride = min(hard_stride, hard_strides[index])
            soft_stride = min(soft_stride, soft_strides[index])
            has_soft = has_soft or is_soft[index]
            # A rate that is too low for one filter is too low for all longer runs.
            reaches = {
                rate: max(reach, half_lengths[rate][index])
                for rate, reach in reaches.items()
                if half_lengths[rate][index]
            }
            by_rate = {}
            for rate, reach in reaches.items():
                ways = _ways(last - first, rate, hard_stride, reach, strides, hops)
                if has_soft:
                    stride = longest_divisor(strides, soft_stride, rate)
                    reach = taps.soft_half_length(exact.kernel_size, stride)
                    ways += _ways(last - first, rate, soft_stride, reach, strides, hops)
                if ways:
                    by_rate[rate] = min(ways)
            runs.append((first, last, by_rate))
    return runs


# Hundreds of runs have the same size and limits.
@functools.lru_cache(maxsize=65536)
def _ways(n_filters, rate, limit, half_length, strides, hops):
    """The cheapest (cost, (stride, half_length, per_block)) in a tuple, or none."""
    stride = longest_divisor(strides, limit, rate)
    if not stride:
        return ()
    ways = []
    for per_block in range(1, max(1, _MAX_FILTERS // n_filters) + 1):
        if strides // stride % per_block == 0:
            group = Group(tuple(range(n_filters)), rate, stride, half_length, per_block)
            ways.append((_cost(group, hops), (stride, half_length, per_block)))
    return (min(ways),)


def _cost(group, hops):
    """Cost of a group in a plan whose frames take energies of so many hops.

    In multiplications per sample.
    """
    # The pooling kernel is dense, see `kernels.GroupKernels`: all squares of a hop
    # times all filters of all frames that they enter.
    pooling = 2 * len(group.filters) / group.stride * lanes(hops * len(group.filters))
    return _GROUP_COST + group.cost + pooling
