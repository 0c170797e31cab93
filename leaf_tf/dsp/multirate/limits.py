"""How far each filter may be simplified, by the error that it makes alone."""

import dataclasses
import functools

import numpy as np

from leaf_tf.dsp.multirate import taps
from leaf_tf.dsp.multirate.errors import plan_statistics
from leaf_tf.dsp.multirate.plan import Group

# Decimation rates to try. Not 5: at 16 kHz it folds the loud parts of speech into the
# lowest filters.
RATES = (2, 3, 4, 7, 8)
# Candidate half-lengths of filters, in sigmas: 1.1 % of the peak to 4e-6.
_REACHES = (3.0, 3.15, 3.3, 3.45, 3.6, 3.75, 3.9, 4.0, 4.15, 4.3, 4.5, 4.75, 5.0)


@dataclasses.dataclass(frozen=True)
class Limits:
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


class Simplifications:
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
            for stride in divisors(exact.strides)
            if 1 < stride <= self._half_kernel
        ]
        self._strides = np.array([*strides, 1])
        self._soft_strides = np.array([*strides, 0])
        self._by_stride = Search(strides, np.full(n_filters, True), self._hard_cut)
        self._by_soft_stride = Search(strides, self._is_soft, self._soft_cut)
        # An abrupt end and the images that a decimator leaves are fast changes of the
        # energies; they show at long strides only, so at the longest of each filter.
        longest = self._strides[self._by_stride.cheapest(np.ones(n_filters))]
        self._by_rate = {
            rate: self._tap_search(rate, longest)
            for rate in (1,) + RATES
            if exact.strides % rate == 0
        }

    def limits(self, limit):
        """`Limits` where each error alone is at most `limit`, (n_filters,)."""
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
        return Limits(
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
        """`Search` of the shortest reach of taps at a lower rate."""
        strides = np.array(
            [
                longest_divisor(self._exact.strides, limit, rate) or rate
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

        return Search(_REACHES, in_band, errors)

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


class Search:
    """The cheapest candidate of each filter whose error is within a limit.

    Found by bisection: errors fall from the cheapest candidate to the dearest, but for
    ripples, which cost a candidate of two, and never an error. What is measured is kept
    for stricter limits.

    Args:
        candidates: The cheapest first.
        allowed: (n_filters,), filters for which there are any.
        measure: Errors (filters,) of a candidate for an index array of filters.

    Example:
        >>> needed = np.array([4.0, 9.0, 30.0])
        >>> allowed = np.array([True, True, True])
        >>> search = Search([5, 10, 20], allowed, lambda n, which: needed[which] / n)
        >>> search.cheapest(np.ones(3)), search.cheapest(np.full(3, 0.5))
        (array([0, 1, 3]), array([1, 2, 3]))
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


def divisors(number):
    """Divisors of a number, from the number down to 1.

    Example:
        >>> divisors(12)
        [12, 6, 4, 3, 2, 1]
    """
    return [d for d in range(number, 0, -1) if number % d == 0]


@functools.cache
def longest_divisor(strides, limit, rate):
    """The greatest divisor of `strides` up to `limit` that `rate` divides, or 0.

    Example:
        >>> longest_divisor(160, 30, 1), longest_divisor(160, 30, 16)
        (20, 16)
    """
    fitting = (d for d in divisors(strides) if d <= limit and d % rate == 0)
    return next(fitting, 0)
