"""The banks that compute a LEAF's energies in the least memory."""

from typing import Any

import numpy as np

from leaf_tf.dsp.multirate import statistics, taps
from leaf_tf.dsp.multirate.limits import RATES, divisors
from leaf_tf.streaming.banks import (
    Bank,
    BankEnergies,
    parts_side_by_side,
    same_left,
    squared_modulus,
)

# Relative RMS errors of a pooled energy that are allowed, in the four situations of
# `ComputedEnergies.relative_errors`: white noise; a band 20 dB below the others;
# the ends of a clip; onsets.
_ALLOWED = np.array([[3e-3], [3e-2], [np.inf], [3e-2]])
# Error on white noise up to which a longer stride is taken.
_STRIDE_TOLERANCE = 3e-2
# Energies a hop and filter, at least.
_LEAST_PER_HOP = 8
# Lengths to try are so far apart.
_LENGTH_STEP = 0.88
# Multiplications an energy that one more bank has to save.
_BANK_COST = 1000


def compact_banks(leaf: Any) -> list[Bank]:
    """Banks of a `Leaf` for devices that have little memory.

    Few energies are computed: one in so many samples as the tolerance allows, eight a
    hop at least. Each stands for the samples nearest to it in the pooling. The taps of
    a filter end where its Gaussian is low; where the window cuts it while it is high,
    the cut is softened (see `multirate.taps.cut_window`). Low filters run behind a
    decimator. Neighbouring filters of like length share a bank.

    Args:
        leaf: `Leaf`, built, of either method.

    Returns:
        List of `Bank`; together they have the channels of the features, in order.

    Example:
        >>> leaf = leaf_tf.Leaf(sample_rate=8000)
        >>> leaf(np.zeros((1, 800), "float32")).shape
        TensorShape([1, 10, 40])
        >>> [(bank.taps.shape, bank.rate) for bank in compact_banks(leaf)]
        [((135, 48), 2), ((119, 32), 1)]
    """
    values = [np.asarray(weight, np.float64) for weight in leaf.bounded_weights()]
    if leaf.sort_filters:
        order = np.argsort(values[0], kind="stable")
        values = [value[order] for value in values]
    design = _Design(leaf, *values)
    return [design.bank(*run) for run in _neighbours(design.lengths, design.stride)]


def compact_energies(leaf: Any, lag: int) -> tuple[BankEnergies, Any]:
    """`Leaf.energies_on_stream` by `compact_banks`.

    Args:
        leaf: `Leaf`, built.
        lag: Samples that its waveform comes late.

    Returns:
        Stage of the energies; function that completes them.
    """
    center = (leaf.pooling.kernel_size - 1) / 2 - _left(leaf)
    banks = compact_banks(leaf)
    stage = BankEnergies(banks, squared_modulus, leaf.strides, lag, center)
    return stage, leaf.completed_in_order


def _left(leaf):
    """Samples before a hop at which the frame's window starts."""
    size = leaf.pooling.kernel_size
    is_same = leaf.pooling_padding == "same"
    return same_left(size, leaf.strides) if is_same else (size - 1) // 2


class _Design:
    """Stride, rates and lengths of the filters of a Leaf.

    Args:
        leaf: `Leaf`.
        center_freqs, sigmas, widths: (n_filters,), float64, in order.

    Attributes:
        stride: Samples between energies.
        lengths: {rate: (n_filters,), samples on either side of a filter's center; 0:
            the rate is too low}.
    """

    def __init__(self, leaf, center_freqs, sigmas, widths):
        self._leaf = leaf
        self._gabors = center_freqs, sigmas
        self._pool_size = leaf.pooling.kernel_size
        self._statistics = statistics.BankStatistics(
            center_freqs,
            sigmas,
            widths,
            leaf.kernel_size,
            self._pool_size,
            self._pool_size + 2 * leaf.strides,
        )
        for self.stride in divisors(leaf.strides):
            least = self._errors(self._longest, 1, np.arange(leaf.n_filters))
            is_enough = leaf.strides // self.stride >= _LEAST_PER_HOP
            if is_enough and least[0].max() <= _STRIDE_TOLERANCE:
                break
        allowed = np.maximum(_ALLOWED, 1.05 * least)
        self.lengths = {
            rate: self._chosen_lengths(rate, allowed)
            for rate in (1, *RATES)
            if self.stride % rate == 0
        }

    @property
    def _longest(self):
        return taps.soft_half_length(self._leaf.kernel_size, self.stride)

    def _chosen_lengths(self, rate, allowed):
        """The shortest half-lengths of allowed errors, (n_filters,)."""
        # At the full rate the longest is what errors are compared with.
        lengths = np.full(allowed.shape[1], self._longest if rate == 1 else 0)
        filters = np.flatnonzero(self._gabors[0] < np.pi / rate)
        half_lengths = [self._longest] if rate > 1 else []
        half_length = float(self._leaf.kernel_size // 2)
        while half_length >= 1.0:
            half_lengths.append(int(half_length))
            half_length *= _LENGTH_STEP
        for length in half_lengths:
            is_met = self._errors(length, rate, filters) <= allowed[:, filters]
            lengths[filters[is_met.all(axis=0)]] = length
        return lengths

    def _errors(self, half_length, rate, filters):
        """`relative_errors` of filters at that length and rate, (4, filters)."""
        computed = self._statistics.computed(filters, rate, self.stride, half_length)
        positions, shares = self._positions_and_shares()
        weights = self._statistics.lowpasses[:, filters] @ shares
        return computed.relative_errors(positions, weights)

    def _positions_and_shares(self):
        """Samples of the energies in the pooling window; which samples are theirs."""
        samples = np.arange(self._pool_size)
        n = -(-self._pool_size // self.stride)
        first = (self._pool_size - 1 - (n - 1) * self.stride) // 2
        positions = first + self.stride * np.arange(n)
        # A sample in the middle between two energies is half of each.
        distances = np.abs(samples[:, None] - positions)
        shares = (distances == distances.min(axis=1, keepdims=True)).astype(np.float64)
        return positions, shares / shares.sum(axis=1, keepdims=True)

    def bank(self, filters, rate):
        """The `Bank` of some filters, at a rate."""
        leaf, reach = self._leaf, int(self.lengths[rate][filters].max())
        center_freqs, sigmas = (values[filters] for values in self._gabors)
        gabors = statistics.gabor(center_freqs, sigmas, reach).T
        matrix = taps.tap_matrix(leaf.kernel_size, reach, rate, self.stride)
        if matrix is not None:
            gabors = matrix @ gabors
        positions, shares = self._positions_and_shares()
        # The center of an even kernel is a sample late.
        late = 1 - leaf.kernel_size % 2
        return Bank(
            taps=parts_side_by_side(gabors),
            first_tap=late - len(gabors) // 2 * rate,
            stride=self.stride,
            first_output=int(positions[0]) - _left(leaf),
            windows=(self._statistics.lowpasses[0, filters] @ shares).T,
            rate=rate,
        )


def _neighbours(lengths, stride):
    """Runs of filters and their rates that cost least, the longest of a run for all.

    Args:
        lengths: `_Design.lengths`.
        stride: Samples between energies.

    Returns:
        List of (filters, rate).
    """
    n_filters = len(lengths[1])
    best: list[tuple[float, int, int]] = [(0.0, 0, 1)]  # cost, start, rate
    for end in range(1, n_filters + 1):
        best.append(
            min(
                (best[start][0] + _cost(of_rate[start:end], rate, stride), start, rate)
                for start in range(end)
                for rate, of_rate in lengths.items()
            )
        )
    runs: list[tuple[np.ndarray, int]] = []
    end = n_filters
    while end:
        _, start, rate = best[end]
        runs.insert(0, (np.arange(start, end), rate))
        end = start
    return runs


def _cost(lengths, rate, stride):
    """Multiplications an energy of a bank, and what it costs besides."""
    if not lengths.all():
        return np.inf
    cost = _BANK_COST + 2 * len(lengths) * taps.n_taps(int(lengths.max()), rate)
    if rate > 1:
        cost += _BANK_COST + len(taps.decimator(rate)) * stride // rate
    return cost
