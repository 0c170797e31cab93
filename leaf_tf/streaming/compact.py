"""The banks that compute a LEAF's energies in the least memory."""

from typing import Any

import numpy as np

from leaf_tf.dsp.multirate import statistics, taps
from leaf_tf.dsp.multirate.limits import divisors
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

    All filters run at the full rate, but few energies are computed: one in so many
    samples as the tolerance allows, eight a hop at least. Each stands for the samples
    nearest to it in the pooling. The taps of a filter end where its Gaussian is low;
    where the window cuts it while it is high, the cut is softened (see
    `multirate.taps.cut_window`). Neighbouring filters of like length share a bank.

    Args:
        leaf: `Leaf`, built, of either method.

    Returns:
        List of `Bank`; together they have the channels of the features, in order.

    Example:
        >>> leaf = leaf_tf.Leaf(sample_rate=8000)
        >>> leaf(np.zeros((1, 800), "float32")).shape
        TensorShape([1, 10, 40])
        >>> [(bank.taps.shape, bank.stride) for bank in compact_banks(leaf)]
        [((251, 16), 10), ((201, 32), 10), ((119, 32), 10)]
    """
    values = [np.asarray(weight, np.float64) for weight in leaf.bounded_weights()]
    if leaf.sort_filters:
        order = np.argsort(values[0], kind="stable")
        values = [value[order] for value in values]
    design = _Design(leaf, *values)
    return [design.bank(filters) for filters in _neighbours(design.half_lengths)]


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
    """Stride and lengths of the filters of a Leaf.

    Args:
        leaf: `Leaf`.
        center_freqs, sigmas, widths: (n_filters,), float64, in order.

    Attributes:
        stride: Samples between energies.
        half_lengths: (n_filters,), samples on either side of a filter's center.
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
            least = self._errors(self._longest)
            is_enough = leaf.strides // self.stride >= _LEAST_PER_HOP
            if is_enough and least[0].max() <= _STRIDE_TOLERANCE:
                break
        self.half_lengths = self._chosen_lengths(least)

    @property
    def _longest(self):
        return taps.soft_half_length(self._leaf.kernel_size, self.stride)

    def _chosen_lengths(self, least):
        """The shortest half-lengths of small errors, or of hardly larger ones."""
        allowed = np.maximum(_ALLOWED, 1.05 * least)
        lengths = np.full(least.shape[1], self._longest)
        half_length = float(self._leaf.kernel_size // 2)
        while half_length >= 1.0:
            is_met = self._errors(int(half_length)) <= allowed
            lengths[is_met.all(axis=0)] = int(half_length)
            half_length *= _LENGTH_STEP
        return lengths

    def _errors(self, half_length):
        """`relative_errors` of all filters at that length, (4, n_filters)."""
        filters = np.arange(self._leaf.n_filters)
        computed = self._statistics.computed(filters, 1, self.stride, half_length)
        positions, shares = self._positions_and_shares()
        weights = self._statistics.lowpasses @ shares
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

    def bank(self, filters):
        """The `Bank` of some filters."""
        leaf, reach = self._leaf, int(self.half_lengths[filters].max())
        center_freqs, sigmas = (values[filters] for values in self._gabors)
        cut = taps.cut_window(leaf.kernel_size, reach, self.stride)
        gabors = statistics.gabor(center_freqs, sigmas, reach) * cut
        positions, shares = self._positions_and_shares()
        # The center of an even kernel is a sample late.
        late = 1 - leaf.kernel_size % 2
        return Bank(
            taps=parts_side_by_side(gabors.T),
            first_tap=late - reach,
            stride=self.stride,
            first_output=int(positions[0]) - _left(leaf),
            windows=(self._statistics.lowpasses[0, filters] @ shares).T,
        )


def _neighbours(lengths):
    """Runs of filters that cost least, if each has the taps of the run's longest."""
    costs, starts = [0], [0]
    for end in range(1, len(lengths) + 1):
        totals = [
            costs[start] + _BANK_COST + 4 * (end - start) * lengths[start:end].max()
            for start in range(end)
        ]
        starts.append(int(np.argmin(totals)))
        costs.append(min(totals))
    runs: list[np.ndarray] = []
    end = len(lengths)
    while end:
        runs.insert(0, np.arange(starts[end], end))
        end = starts[end]
    return runs
