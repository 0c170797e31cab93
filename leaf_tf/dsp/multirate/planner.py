"""Chooses the cheapest multirate plan that meets a tolerance, in NumPy."""

import dataclasses
import functools
import itertools
import math
from typing import Any

import numpy as np

from leaf_tf.dsp.multirate import taps as multirate_taps
from leaf_tf.dsp.multirate.plan import Group, allowed_errors, exact_plan, lanes

TOLERANCE = 3e-4

# Not 5: at 16 kHz it decimates what leaks into the lowest filters, of speech.
_RATES = (2, 3, 4, 7, 8)
_MOST_RATES = 2
# Candidate half-lengths of filters, in sigmas.
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
# Filters times energies a block up to which to try.
_MAX_FILTERS = 64
# Besides convolutions and pooling, in multiplications per sample: each group,
# decimator and permutation has a cost of its own.
_GROUP_COST = 100.0
_DECIMATOR_COST = 60.0
_PERMUTATION_COST = 50.0


def plan_multirate(
    center_freqs,
    sigmas,
    pooling_widths,
    kernel_size=401,
    pool_size=401,
    strides=160,
    tolerance=TOLERANCE,
    margin=0.0,
):
    """The cheapest plan whose predicted errors are within the tolerance.

    Works for any filters, window and hop; what nothing cheaper holds is computed
    at every sample, which is exact.

    Args:
        center_freqs: (n_filters,), rad/sample, in [0, pi].
        sigmas: (n_filters,), samples, > 0.
        pooling_widths: (n_filters,), relative to half the pooling window, > 0.
        kernel_size, pool_size, strides: Samples: filters, pooling window, hop.
        tolerance: Relative RMS error of a pooled energy on noise, > 0; see
            `multirate.allowed_errors`. PCEN makes about a fifth of it, on average.
        margin: Part by which sigmas may shrink or grow while the plan holds.

    Returns:
        A `multirate.Plan`.

    Raises:
        ValueError: Argument out of range.
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
    exact = exact_plan(
        center_freqs, sigmas, pooling_widths, kernel_size, pool_size, strides
    )
    allowed = allowed_errors(sigmas, kernel_size, tolerance)
    errors = _Errors(exact, allowed, margin)
    limits = np.ones(exact.n_filters)
    for round_ in itertools.count(1):
        groups = _cheapest_groups(errors.limits(limits), exact)
        plan = dataclasses.replace(exact, groups=groups, tolerance=tolerance)
        missed = np.any(plan.predicted_errors() > allowed, axis=0)
        if not np.any(missed):
            return plan
        # A limit of zero asks for every sample and all taps.
        limits[missed] *= _TIGHTENING if round_ < _MAX_ROUNDS else 0.0


@dataclasses.dataclass(frozen=True)
class _Limits:
    """How far each filter can be simplified; arrays (n_filters,).

    Attributes:
        half_lengths: {rate: shortest half-length, samples; 0: the rate is too low}.
        strides: Longest stride with the definition's cut.
        soft_strides: Longest stride if the cut may be softened; 0: none.
        soft: Whether softening changes the filter.
    """

    half_lengths: dict
    strides: np.ndarray
    soft_strides: np.ndarray
    soft: np.ndarray


class _Errors:
    """Errors that shorter taps, lower rates and longer strides make, one by one.

    All are relative to what is allowed, the worst of the four situations.
    """

    def __init__(self, exact, allowed, margin):
        self._exact = exact
        self._allowed = allowed
        # Filters that shrink limit the strides; those that grow, taps and cuts.
        self._longest_sigmas = np.array(exact.sigmas) * (1.0 + margin)
        shrunk, self._grown = (
            exact.statistics(exact.center_freqs, sigmas, exact.pooling_widths)
            for sigmas in (
                np.array(exact.sigmas) / (1.0 + margin),
                self._longest_sigmas,
            )
        )
        self._half_kernel = exact.kernel_size // 2
        self._filters = np.arange(exact.n_filters)
        self._soft = _REACHES[-1] * self._longest_sigmas > self._half_kernel
        self._of_strides = self._stride_errors(shrunk, self._filters, soft=False)
        self._of_soft_strides = self._stride_errors(
            self._grown, self._filters[self._soft], soft=True
        )
        self._of_taps = {
            rate: self._tap_errors(rate)
            for rate in (1,) + _RATES
            if exact.strides % rate == 0
        }

    def limits(self, limit):
        """`_Limits` where each error alone is at most `limit`, (n_filters,)."""
        half_lengths = {}
        for rate, errors in self._of_taps.items():
            reached = np.zeros(len(self._filters), int)
            for reach in _REACHES[::-1]:
                met = errors[reach] <= limit
                reached[met] = self._half_lengths(reach)[met]
            half_lengths[rate] = reached
        full = half_lengths[1] == 0
        half_lengths[1][full] = self._half_kernel
        n_filters = len(self._filters)
        strides = _longest(self._of_strides, limit, 1, n_filters)
        soft_strides = _longest(self._of_soft_strides, limit, 0, n_filters)
        return _Limits(
            half_lengths,
            strides,
            np.where(self._soft, soft_strides, strides),
            self._soft,
        )

    def _half_lengths(self, reach):
        reached = np.ceil(reach * self._longest_sigmas).astype(int)
        return np.minimum(reached, self._half_kernel)

    def _tap_errors(self, rate):
        """{reach: errors (n_filters,)} of taps that end early, at a lower rate.

        An abrupt end and the images that a decimator leaves are fast changes of the
        energies; they show at long strides only, so at the longest of each filter.
        """
        errors = {reach: np.full(len(self._filters), np.inf) for reach in _REACHES}
        in_band = self._grown.center_freqs < np.pi / rate
        longest = _longest(self._of_strides, 1.0, 1, len(self._filters))
        times = np.abs(np.arange(-self._half_kernel, self._half_kernel + 1))
        for limit in np.unique(longest[in_band]):
            stride = _longest_divisor(self._exact.strides, int(limit), rate) or rate
            how = (rate, stride, self._half_kernel)
            positions = self._exact.positions(Group((), *how))
            cut = multirate_taps.cut_window(self._exact.kernel_size, *how[:0:-1])
            filters = self._filters[in_band & (longest == limit)]
            whole = self._grown.computed_responses(filters, *how)
            weights = self._weights(self._grown, filters, whole, positions)
            left = np.ones(len(filters), bool)
            for reach in _REACHES:
                some = filters[left]
                half_lengths = self._half_lengths(reach)[some]
                ended = self._grown.computed_responses(
                    some, *how, cut * (times <= half_lengths[:, None])
                )
                errors[reach][some] = self._worst(
                    self._grown, some, ended, positions, weights[:, left]
                )
                left[left] = errors[reach][some] > _NEGLIGIBLE
                if not np.any(left):
                    break
        for shorter, longer in itertools.pairwise(_REACHES):
            errors[longer] = np.minimum(errors[longer], errors[shorter])
        return errors

    def _stride_errors(self, statistics, filters, soft):
        """{stride: errors (n_filters,)} of energies at every stride-th sample."""
        errors = {}
        lower = np.full(len(self._filters), np.inf)
        for stride in _divisors(self._exact.strides):
            if stride == 1 or stride > self._half_kernel:
                continue
            half_length = self._half_kernel
            if soft:
                half_length = multirate_taps.soft_half_length(
                    self._exact.kernel_size, stride
                )
            how = (1, stride, half_length)
            positions = self._exact.positions(Group((), *how))
            size = max(1, _MAX_SOLVED // len(positions) ** 2)
            for start in range(0, len(filters), size):
                some = filters[start : start + size]
                computed = statistics.computed_responses(some, *how)
                weights = self._weights(statistics, some, computed, positions)
                lower[some] = self._worst(
                    statistics, some, computed, positions, weights
                )
            filters = filters[lower[filters] > _NEGLIGIBLE]
            errors[stride] = lower.copy()
        return errors

    def _weights(self, statistics, filters, computed, positions):
        if len(positions) == self._exact.hops * self._exact.strides:
            window = np.arange(self._exact.pool_size)[:, None]
            return statistics.lowpasses[:, filters] @ (window == positions)
        return statistics.pooling_weights(filters, computed, positions)

    def _worst(self, statistics, filters, computed, positions, weights):
        errors = statistics.relative_errors(filters, computed, positions, weights)
        return (errors / self._allowed[:, filters]).max(axis=0)


def _divisors(number):
    """From the greatest to 1."""
    return [d for d in range(number, 0, -1) if number % d == 0]


def _longest(errors, limit, otherwise, n_filters):
    """The longest stride of each filter whose error is at most `limit`."""
    longest = np.full(n_filters, otherwise)
    for stride in sorted(errors):
        longest[errors[stride] <= limit] = stride
    return longest


def _cheapest_groups(limits, exact):
    """Groups of least cost, runs of filters in one of two orders.

    The filters as they come, or by the lowest rate and longest stride they stand.
    """
    n_filters = len(limits.strides)
    given = np.arange(n_filters)
    rates = np.max(
        [np.where(half > 0, rate, 1) for rate, half in limits.half_lengths.items()],
        axis=0,
    )
    sorted_ = np.lexsort((given, -limits.strides, -rates))
    best_cost, best_groups = _best_runs(given, limits, exact)
    if not np.array_equal(sorted_, given):
        cost, groups = _best_runs(sorted_, limits, exact)
        if cost + _PERMUTATION_COST < best_cost:
            best_groups = groups
    return best_groups


def _best_runs(order, limits, exact):
    """Dynamic programming over runs of `order`; cost and groups."""
    runs = _runs(order, limits, exact)
    lower_rates = [rate for rate in limits.half_lengths if rate > 1]
    best_cost, best_chain = math.inf, []
    for n_rates in range(_MOST_RATES + 1):
        for chosen in itertools.combinations(lower_rates, n_rates):
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
    hard = limits.strides.tolist()
    soft = limits.soft_strides.tolist()
    softens = limits.soft.tolist()
    order = order.tolist()
    runs = []
    for first in range(len(order)):
        reached = dict.fromkeys(half_lengths, 0)
        hard_stride, soft_stride, any_soft = strides, strides, False
        for last, index in enumerate(order[first:], start=first + 1):
            hard_stride = min(hard_stride, hard[index])
            soft_stride = min(soft_stride, soft[index])
            any_soft = any_soft or softens[index]
            reached = {
                rate: max(reach, half_lengths[rate][index])
                for rate, reach in reached.items()
                if half_lengths[rate][index]
            }
            by_rate = {}
            for rate, reach in reached.items():
                ways = _ways(last - first, rate, hard_stride, reach, strides, hops)
                if any_soft:
                    stride = _longest_divisor(strides, soft_stride, rate)
                    reach = multirate_taps.soft_half_length(exact.kernel_size, stride)
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
    """Of a group in all, of a plan whose frames take energies of so many hops."""
    pooling = 2 * len(group.filters) / group.stride * lanes(hops * len(group.filters))
    return _GROUP_COST + group.cost + pooling
