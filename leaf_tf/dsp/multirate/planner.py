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

    All are relative to the allowed errors, the worst of the four situations, and
    measured when they are first asked for.

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
        self._shrunk, self._grown = (
            plan_statistics(exact, exact.center_freqs, sigmas, exact.pooling_widths)
            for sigmas in (
                np.array(exact.sigmas) / (1.0 + margin),
                self._longest_sigmas,
            )
        )
        self._half_kernel = exact.kernel_size // 2
        n_filters = exact.n_filters
        # A filter that ends within its window has no cut to soften.
        self._is_soft = _REACHES[-1] * self._longest_sigmas > self._half_kernel
        # From the longest; every sample is exact, and isn't measured.
        strides = [
            stride
            for stride in _divisors(exact.strides)
            if 1 < stride <= self._half_kernel
        ]
        self._strides = np.array([*strides, 1])
        self._soft_strides = np.array([*strides, 0])
        self._by_stride = _Search(strides, np.full(n_filters, True), self._hard_cut)
        self._by_soft_stride = _Search(strides, self._is_soft, self._soft_cut)
        # An abrupt end and the images that a decimator leaves are fast changes of the
        # energies; they show at long strides only, so at the longest of each filter.
        longest = self._strides[self._by_stride.cheapest(np.ones(n_filters))]
        self._by_rate = {
            rate: self._tap_search(rate, longest)
            for rate in (1,) + _RATES
            if exact.strides % rate == 0
        }

    def limits(self, limit):
        """`_Limits` where each error alone is at most `limit`, (n_filters,)."""
        half_lengths = {}
        for rate, search in self._by_rate.items():
            cheapest = search.cheapest(limit)
            half_lengths[rate] = np.where(
                cheapest < len(_REACHES),
                self._half_lengths(np.append(_REACHES, 0.0)[cheapest]),
                0,
            )
        # At the full rate all taps of the definition are always good enough.
        is_full = half_lengths[1] == 0
        half_lengths[1][is_full] = self._half_kernel
        strides = self._strides[self._by_stride.cheapest(limit)]
        soft_strides = self._soft_strides[self._by_soft_stride.cheapest(limit)]
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

    def _hard_cut(self, stride, filters):
        """Errors (filters,) of energies at every stride-th sample."""
        return self._stride_errors(self._shrunk, filters, stride, self._half_kernel)

    def _soft_cut(self, stride, filters):
        """The same, of filters whose cut is softened."""
        half_length = taps.soft_half_length(self._exact.kernel_size, stride)
        return self._stride_errors(self._grown, filters, stride, half_length)

    def _stride_errors(self, statistics, filters, stride, half_length):
        positions = self._exact.positions(Group((), 1, stride, half_length))
        computed = statistics.computed(filters, 1, stride, half_length)
        weights = self._weights(filters, computed, positions)
        return self._worst(filters, computed, positions, weights)

    def _tap_search(self, rate, longest):
        """`_Search` of the shortest reach of taps at a lower rate."""
        strides = np.array(
            [
                _longest_divisor(self._exact.strides, limit, rate) or rate
                for limit in longest.tolist()
            ]
        )
        in_band = self._grown.center_freqs < np.pi / rate
        # {stride: weights (2, n_filters, m) of the whole taps}: what is measured is the
        # error of ending early.
        whole = {}
        times = np.abs(np.arange(-self._half_kernel, self._half_kernel + 1))

        def errors(reach, filters):
            worst = np.empty(len(filters))
            # Filters of one stride share positions, and are measured in one batch.
            for stride in np.unique(strides[filters]).tolist():
                of_stride = strides[filters] == stride
                measured = filters[of_stride]
                shape = rate, stride, self._half_kernel
                positions = self._exact.positions(Group((), *shape))
                if stride not in whole:
                    same = np.flatnonzero(in_band & (strides == stride))
                    computed = self._grown.computed(same, *shape)
                    weights = self._weights(same, computed, positions)
                    whole[stride] = np.zeros((2, len(strides), len(positions)))
                    whole[stride][:, same] = weights
                ends = times <= self._half_lengths(reach)[measured, None]
                cut = taps.cut_window(self._exact.kernel_size, *shape[:0:-1])
                worst[of_stride] = self._worst(
                    measured,
                    self._grown.computed(measured, *shape, cut * ends),
                    positions,
                    whole[stride][:, measured],
                )
            return worst

        return _Search(_REACHES, in_band, errors)

    def _weights(self, filters, computed, positions):
        """Pooling weights (2, filters, m) of energies at `positions`."""
        # Energies at every sample: the window itself is exact, and nothing is solved.
        if len(positions) == self._exact.hops * self._exact.strides:
            window = np.arange(self._exact.pool_size)[:, None]
            return self._grown.lowpasses[:, filters] @ (window == positions)
        return computed.pooling_weights(positions)

    def _worst(self, filters, computed, positions, weights):
        """Errors (filters,) in the worst of the four situations."""
        errors = computed.relative_errors(positions, weights)
        return (errors / self._allowed[:, filters]).max(axis=0)


class _Search:
    """The cheapest candidate of each filter whose error is within a limit.

    Found by bisection: errors fall from the cheapest candidate to the dearest, but for
    ripples, which cost a candidate of two, and never an error. What is measured is kept
    for stricter limits.

    Args:
        candidates: The cheapest first.
        allowed: (n_filters,), filters for which there are any.
        measure: Errors (filters,) of a candidate for an index array of filters.
    """

    def __init__(self, candidates, allowed, measure):
        self._candidates = candidates
        self._allowed = allowed
        self._measure = measure
        self._errors = np.full((len(candidates), len(allowed)), np.nan)

    def cheapest(self, limit):
        """Indices (n_filters,) of candidates; as many as there are: none will do.

        Args:
            limit: (n_filters,), the largest error.
        """
        n_candidates = len(self._candidates)
        too_cheap = np.full(len(self._allowed), -1)
        good = np.full(len(self._allowed), n_candidates)
        too_cheap[~self._allowed] = n_candidates - 1
        while np.any(good - too_cheap > 1):
            middle = np.where(good - too_cheap > 1, (good + too_cheap) // 2, -1)
            for index in np.unique(middle[middle >= 0]):
                errors = self._errors[index]
                here = middle == index
                missing = np.flatnonzero(here & np.isnan(errors))
                if len(missing):
                    errors[missing] = self._measure(self._candidates[index], missing)
                good[here & (errors <= limit)] = index
                too_cheap[here & (errors > limit)] = index
        return good


def _divisors(number):
    """Divisors of a number, from the number down to 1."""
    return [d for d in range(number, 0, -1) if number % d == 0]


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
