"""Chooses the cheapest plan that meets a tolerance, in NumPy.

First the error of each simplification is predicted for each filter alone: longer
strides, softened cuts, shorter taps at each rate (`_Simplifications`). These give each
filter's limits (`_Limits`). Within them dynamic programming finds the groups of least
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
from leaf_tf.dsp.multirate.errors import (
    allowed_errors,
    plan_statistics,
    predicted_errors,
)
from leaf_tf.dsp.multirate.plan import Group, Plan, exact_plan, lanes
from leaf_tf.dsp.multirate.statistics import Values

TOLERANCE = 3e-4

# Decimation rates to try. Not 5: at 16 kHz it folds the loud parts of speech into the
# lowest filters.
_RATES = (2, 3, 4, 7, 8)
# Decimation rates in one plan: each is a decimator to run, and small operations of a
# graph cost as much as large ones.
_MOST_RATES = 2
# Candidate half-lengths of filters, in sigmas: 1.1 % of the peak to 4e-6.
_REACHES = (3.0, 3.15, 3.3, 3.45, 3.6, 3.75, 3.9, 4.0, 4.15, 4.3, 4.5, 4.75, 5.0)
# Errors of taps and of strides are limited one by one, but add up, and a group
# compromises between its filters. The limits of filters that miss the tolerance are
# tightened by this factor and the plan is made again; after so many rounds, filters
# that still miss are computed exactly.
_TIGHTENING = 0.7
_MAX_ROUNDS = 8
# An error below what any round asks for needs no measuring with longer taps or
# shorter strides.
_NEGLIGIBLE = _TIGHTENING**_MAX_ROUNDS
# Numbers in the systems of equations solved at a time.
_MAX_SOLVED = 4_000_000
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
    simplifications = _Simplifications(exact, allowed, margin)
    limits = np.ones(exact.n_filters)
    for round_ in itertools.count(1):
        groups = _cheapest_groups(simplifications.limits(limits), exact)
        plan = dataclasses.replace(exact, groups=groups, tolerance=tolerance)
        missed = np.any(predicted_errors(plan) > allowed, axis=0)
        if not np.any(missed):
            return plan
        # A limit of zero asks for every sample and all taps.
        limits[missed] *= _TIGHTENING if round_ < _MAX_ROUNDS else 0.0


@dataclasses.dataclass(frozen=True)
class _Limits:
    """Limits of the simplification of each filter; arrays (n_filters,).

    Attributes:
        half_lengths: {rate: shortest half-length, samples; 0: the rate is too low}.
        strides: Longest stride with the definition's cut.
        soft_strides: Longest stride if the cut may be softened; 0: none.
        is_soft: Whether softening changes the filter.
    """

    half_lengths: dict[int, np.ndarray]
    strides: np.ndarray
    soft_strides: np.ndarray
    is_soft: np.ndarray


class _Simplifications:
    """Errors that shorter taps, lower rates and longer strides make, one by one.

    All are relative to the allowed errors, the worst of the four situations.

    Args:
        exact: `exact_plan` of the filters.
        allowed: (4, n_filters), `allowed_errors`.
        margin: Part by which sigmas may shrink or grow.
    """

    def __init__(self, exact, allowed, margin):
        self._exact = exact
        self._allowed = allowed
        # Filters that shrink limit the strides; those that grow, taps and cuts.
        self._longest_sigmas = np.array(exact.sigmas) * (1.0 + margin)
        shrunk, self._grown = (
            plan_statistics(exact, exact.center_freqs, sigmas, exact.pooling_widths)
            for sigmas in (
                np.array(exact.sigmas) / (1.0 + margin),
                self._longest_sigmas,
            )
        )
        self._half_kernel = exact.kernel_size // 2
        self._filters = np.arange(exact.n_filters)
        # A filter that ends within its window has no cut to soften.
        self._is_soft = _REACHES[-1] * self._longest_sigmas > self._half_kernel
        self._by_stride = self._stride_errors(shrunk, self._filters, is_soft=False)
        self._by_soft_stride = self._stride_errors(
            self._grown, self._filters[self._is_soft], is_soft=True
        )
        self._by_rate = {
            rate: self._tap_errors(rate)
            for rate in (1,) + _RATES
            if exact.strides % rate == 0
        }

    def limits(self, limit):
        """`_Limits` where each error alone is at most `limit`, (n_filters,)."""
        half_lengths = {}
        for rate, errors in self._by_rate.items():
            shortest = np.zeros(len(self._filters), int)
            # From the longest to the shortest: the last that meets the limit stays.
            for reach in _REACHES[::-1]:
                is_met = errors[reach] <= limit
                shortest[is_met] = self._half_lengths(reach)[is_met]
            half_lengths[rate] = shortest
        # At the full rate all taps of the definition are always good enough.
        is_full = half_lengths[1] == 0
        half_lengths[1][is_full] = self._half_kernel
        n_filters = len(self._filters)
        strides = _longest(self._by_stride, limit, 1, n_filters)
        soft_strides = _longest(self._by_soft_stride, limit, 0, n_filters)
        return _Limits(
            half_lengths,
            strides,
            np.where(self._is_soft, soft_strides, strides),
            self._is_soft,
        )

    def _half_lengths(self, reach):
        """Samples (n_filters,) of `reach` sigmas, at most half the kernel."""
        half_lengths = np.ceil(reach * self._longest_sigmas).astype(int)
        return np.minimum(half_lengths, self._half_kernel)

    def _tap_errors(self, rate):
        """{reach: errors (n_filters,)} of taps that end early, at a lower rate.

        An abrupt end and the images that a decimator leaves are fast changes of the
        energies; they show at long strides only, so at the longest of each filter.
        """
        errors = {reach: np.full(len(self._filters), np.inf) for reach in _REACHES}
        in_band = self._grown.center_freqs < np.pi / rate
        longest = _longest(self._by_stride, 1.0, 1, len(self._filters))
        half_kernel = self._half_kernel
        times = np.abs(np.arange(-half_kernel, half_kernel + 1))
        # Filters of one stride share positions, and are measured in one batch.
        for limit in np.unique(longest[in_band]):
            stride = _longest_divisor(self._exact.strides, int(limit), rate) or rate
            positions = self._exact.positions(Group((), rate, stride, half_kernel))
            cut = taps.cut_window(self._exact.kernel_size, half_kernel, stride)
            filters = self._filters[in_band & (longest == limit)]
            whole = self._grown.computed_responses(filters, rate, stride, half_kernel)
            # Weights of the whole taps: what is measured is the error of ending early.
            weights = self._weights(self._grown, filters, whole, positions)
            is_open = np.ones(len(filters), bool)
            for reach in _REACHES:
                measured = filters[is_open]
                half_lengths = self._half_lengths(reach)[measured]
                ended = self._grown.computed_responses(
                    measured,
                    rate,
                    stride,
                    half_kernel,
                    cut * (times <= half_lengths[:, None]),
                )
                errors[reach][measured] = self._worst(
                    self._grown, measured, ended, positions, weights[:, is_open]
                )
                is_open[is_open] = errors[reach][measured] > _NEGLIGIBLE
                if not np.any(is_open):
                    break
        # Longer taps are no worse; also gives those that were not measured a value.
        for shorter, longer in itertools.pairwise(_REACHES):
            errors[longer] = np.minimum(errors[longer], errors[shorter])
        return errors

    def _stride_errors(self, statistics, filters, is_soft):
        """{stride: errors (n_filters,)} of energies at every stride-th sample."""
        errors = {}
        latest = np.full(len(self._filters), np.inf)
        # From the longest: a filter whose error is negligible needs none shorter.
        for stride in _divisors(self._exact.strides):
            if stride == 1 or stride > self._half_kernel:
                continue
            half_length = self._half_kernel
            if is_soft:
                half_length = taps.soft_half_length(self._exact.kernel_size, stride)
            positions = self._exact.positions(Group((), 1, stride, half_length))
            # The systems of all filters at once would take gigabytes at short strides.
            size = max(1, _MAX_SOLVED // len(positions) ** 2)
            for start in range(0, len(filters), size):
                measured = filters[start : start + size]
                computed = statistics.computed_responses(
                    measured, 1, stride, half_length
                )
                weights = self._weights(statistics, measured, computed, positions)
                latest[measured] = self._worst(
                    statistics, measured, computed, positions, weights
                )
            filters = filters[latest[filters] > _NEGLIGIBLE]
            errors[stride] = latest.copy()
        return errors

    def _weights(self, statistics, filters, computed, positions):
        """Pooling weights (2, filters, m) of energies at `positions`."""
        # Energies at every sample: the window itself is exact, and nothing is solved.
        if len(positions) == self._exact.hops * self._exact.strides:
            window = np.arange(self._exact.pool_size)[:, None]
            return statistics.lowpasses[:, filters] @ (window == positions)
        return statistics.pooling_weights(filters, computed, positions)

    def _worst(self, statistics, filters, computed, positions, weights):
        """Errors (filters,) in the worst of the four situations."""
        errors = statistics.relative_errors(filters, computed, positions, weights)
        return (errors / self._allowed[:, filters]).max(axis=0)


def _divisors(number):
    """Divisors of a number, from the number down to 1."""
    return [d for d in range(number, 0, -1) if number % d == 0]


def _longest(errors, limit, otherwise, n_filters):
    """The longest stride of each filter whose error is at most `limit`."""
    longest = np.full(n_filters, otherwise)
    for stride in sorted(errors):
        longest[errors[stride] <= limit] = stride
    return longest


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
                    stride = _longest_divisor(strides, soft_stride, rate)
                    reach = taps.soft_half_length(exact.kernel_size, stride)
                    ways += _ways(last - first, rate, soft_stride, reach, strides, hops)
                if ways:
                    by_rate[rate] = min(ways)
            runs.append((first, last, by_rate))
    return runs


@functools.cache
def _longest_divisor(strides, limit, rate):
    """The greatest divisor of `strides` up to `limit` that `rate` divides, or 0."""
    divisors = (d for d in _divisors(strides) if d <= limit and d % rate == 0)
    return next(divisors, 0)


# Hundreds of runs have the same size and limits.
@functools.lru_cache(maxsize=65536)
def _ways(n_filters, rate, limit, half_length, strides, hops):
    """The cheapest (cost, (stride, half_length, per_block)) in a tuple, or none."""
    stride = _longest_divisor(strides, limit, rate)
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
