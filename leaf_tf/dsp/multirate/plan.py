"""The plan of a multirate filterbank: which energies to compute, and how.

LEAF computes the energy of every filter at every sample and then keeps one pooled
frame in 160. An energy varies no faster than its filter's band is wide, so few
samples of it carry it all. A plan puts the filters into groups, each with

- a rate: filters of low frequency run behind a decimator, at 1 / rate;
- a stride: energies are computed at every stride-th sample only;
- taps: a Gaussian ends where it is negligible,

and tells the error of that beforehand, from the statistics of filtered noise.
"""

import dataclasses
import functools
import itertools
import math
from typing import Any

import numpy as np

from leaf_tf.dsp.multirate import taps as multirate_taps
from leaf_tf.dsp.multirate.errors import BankStatistics

# Relative error allowed on top of the tolerance, times the height of a
# Gaussian where its window cuts it, for input outside the filter's band.
_LEAKAGE = 0.06
# Channels that one step of a compact plan makes at least: numbers in a vector.
_VECTOR = 16
# Error allowed in the first and last frames, in tolerances.
_AT_THE_ENDS = 7.0
# Cost of an edge of the pooling window at an energy, where one a quarter of a stride
# beside it costs 1.
_AT_AN_ENERGY = np.array([0.1, 0.2])


@dataclasses.dataclass(frozen=True)
class Group:
    """Filters that are computed together.

    Attributes:
        filters: Their indices.
        rate: They see every `rate`-th sample of the decimated waveform; 1: all.
        stride: Samples between energies, a multiple of the rate.
        half_length: Taps reach this many samples either side of the center; beyond
            half the kernel if the cut of the window is softened.
        per_block: Energies that one step of the convolution makes; more than one
            keeps vector units busy where filters are few.
    """

    filters: tuple
    rate: int
    stride: int
    half_length: int
    per_block: int = 1

    @property
    def n_taps(self):
        """Taps of each filter, at the group's rate."""
        return multirate_taps.n_taps(self.half_length, self.rate)

    @property
    def block(self):
        """Samples, at the group's rate, that one step of the convolution advances."""
        return self.stride // self.rate * self.per_block

    @property
    def n_blocks(self):
        """Blocks that one step of the convolution sees."""
        later = self.block - self.stride // self.rate
        return -(-(self.n_taps + later) // self.block)

    @property
    def cost(self):
        """What its convolution costs, in multiplications per sample."""
        channels = lanes(2 * len(self.filters) * self.per_block)
        return channels * self.n_blocks * self.block / (self.stride * self.per_block)


@dataclasses.dataclass(frozen=True)
class Plan:
    """How to compute a filterbank's pooled energies. Hashable, plain numbers only.

    Attributes:
        groups: Tuple of `Group`, every filter in exactly one.
        kernel_size, pool_size, strides: Samples: filters, pooling window, hop.
        center_freqs, sigmas, pooling_widths: The filters that it was made for.
        tolerance: What `predicted_errors` were allowed.
    """

    groups: tuple
    kernel_size: int
    pool_size: int
    strides: int
    center_freqs: tuple
    sigmas: tuple
    pooling_widths: tuple
    tolerance: float

    @property
    def n_filters(self):
        return len(self.sigmas)

    @property
    def order(self):
        """Indices of the filters as the groups' outputs follow each other."""
        return tuple(itertools.chain.from_iterable(g.filters for g in self.groups))

    @property
    def hops(self):
        """Hops of energies that enter one frame."""
        return -(-max(self.pool_size, self.strides) // self.strides)

    @property
    def lead(self):
        """Samples by which the first of them precedes the pooling window."""
        return (self.hops * self.strides - self.pool_size) // 2

    @property
    def multiplications_per_sample(self):
        """Of the filters and decimators, real; stride 1 takes 2 K n_filters."""
        filters = sum(
            2 * len(group.filters) * group.n_taps / group.stride
            for group in self.groups
        )
        kernels = {
            rate: multirate_taps.decimator_kernel(rate // self.source(rate))
            for rate in {group.rate for group in self.groups} - {1}
        }
        return filters + sum(
            kernel.size / (kernel.shape[2] * rate) for rate, kernel in kernels.items()
        )

    def source(self, rate):
        """Rate of what is decimated to `rate`: half of it, if that is there, or 1."""
        is_there = any(2 * group.rate == rate for group in self.groups)
        return rate // 2 if is_there else 1

    def offset(self, group):
        """The first energy's place in its stride, samples.

        Groups of lower rates see the same decimated samples: so their offsets are
        equal modulo those.
        """
        lattices = {(other.rate, other.stride) for other in (*self.groups, group)}
        edges = (self.lead - 0.5, self.lead + self.pool_size - 0.5)
        offsets = _offsets(tuple(sorted(lattices)), edges)
        return offsets[group.rate, group.stride]

    def positions(self, group):
        """Samples of a frame's energies, relative to the pooling window's first."""
        energies = np.arange(self.hops * (self.strides // group.stride))
        return energies * group.stride + self.offset(group) - self.lead

    def compact(self):
        """The same plan with smaller kernels, for a model that is a file.

        A group's kernel holds its taps once for each energy of a block; here no
        more of them than fill a vector. The features are those of the plan but for
        rounding.

        Returns:
            `Plan`; itself if it is compact.
        """
        return dataclasses.replace(self, groups=tuple(map(self._compact, self.groups)))

    def _compact(self, group):
        energies = self.strides // group.stride
        enough = -(-_VECTOR // (2 * len(group.filters)))
        fewer = [n for n in range(enough, group.per_block) if energies % n == 0]
        return dataclasses.replace(group, per_block=min(fewer, default=group.per_block))

    def first_position(self, group):
        """Position of the first sample that a group's first energy takes."""
        # SAME padding centers an even kernel one sample late.
        late = 1 - self.kernel_size % 2
        return self.offset(group) + late - group.n_taps // 2 * group.rate

    def statistics(self, center_freqs, sigmas, pooling_widths):
        """Of these filters, over the energies of one frame."""
        return BankStatistics(
            center_freqs,
            sigmas,
            pooling_widths,
            self.kernel_size,
            self.pool_size,
            self.hops * self.strides,
        )

    def predicted_errors(self, center_freqs=None, sigmas=None, pooling_widths=None):
        """Relative RMS errors of the pooled energies, (4, n_filters).

        On white noise; on noise that is 20 dB stronger outside each filter's band than
        in it, which tells what leaks into a quiet band; on white noise at the ends of
        a clip, where half the pooling window is outside; at onsets, where
        energies rise by 40 dB over the window.

        Args:
            center_freqs, sigmas, pooling_widths: (n_filters,), the filters to run
                by this plan. Default to those it was made for.
        """
        statistics = self.statistics(
            self.center_freqs if center_freqs is None else center_freqs,
            self.sigmas if sigmas is None else sigmas,
            self.pooling_widths if pooling_widths is None else pooling_widths,
        )
        errors = np.empty((4, self.n_filters))
        for group in self.groups:
            filters = np.array(group.filters)
            computed = statistics.computed_responses(
                filters, group.rate, group.stride, group.half_length
            )
            weights = statistics.lowpasses[:, filters] @ interpolation(self, group).T
            errors[:, filters] = statistics.relative_errors(
                filters, computed, self.positions(group), weights
            )
        return errors

    def holds(self, center_freqs, sigmas, pooling_widths, slack=2.0):
        """Whether the filters, moved by training, are within `slack` tolerances."""
        errors = self.predicted_errors(center_freqs, sigmas, pooling_widths)
        allowed = allowed_errors(sigmas, self.kernel_size, self.tolerance)
        return bool(np.all(errors <= slack * allowed))

    def get_config(self):
        """The plan as a JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config):
        """The plan of `get_config`, also after JSON made its tuples lists."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, (list, tuple)) else value
            for name, value in config.items()
        }
        values["groups"] = tuple(
            Group(**{**group, "filters": tuple(group["filters"])})
            for group in config["groups"]
        )
        return cls(**values)


def lanes(channels):
    """What so many channels of a convolution or product cost.

    Vector units make 32 at a time, 16 at two thirds of that price. That is what
    XNNPACK and oneDNN do on AVX-512; narrower units waste less.
    """
    if channels < 32:
        return 22 * -(-channels // 16)
    return 32 * -(-channels // 32)


@functools.lru_cache(maxsize=256)
def _offsets(lattices, edges):
    """Where energies had best be.

    The pooling window is cut where it is still high. Energies at every stride-th
    sample tell best how much is on either side of an edge if it lies midway between
    two of them, second best if it lies at one; in between, the error is tenfold.

    Args:
        lattices: Tuple of (rate, stride) of all groups. There is a number to which all
            offsets are equal, modulo their rates.
        edges: Of the window, samples.

    Returns:
        {(rate, stride): offset of the first energy, samples}.
    """

    def cost(stride, offset):
        turns = np.pi * (np.array(edges) - offset) / stride
        return np.sum(np.sin(2.0 * turns) ** 2 + _AT_AN_ENERGY * np.cos(turns) ** 2)

    def best(rate, stride, number):
        return min((cost(stride, o), o) for o in range(number % rate, stride, rate))

    numbers = range(math.lcm(*(rate for rate, _ in lattices)))
    ways = [
        {(rate, stride): best(rate, stride, number) for rate, stride in lattices}
        for number in numbers
    ]
    best_way = min(ways, key=lambda way: max(cost for cost, _ in way.values()))
    return {lattice: offset for lattice, (_, offset) in best_way.items()}


@functools.lru_cache(maxsize=256)
def interpolation(plan, group):
    """Matrix from a pooling window to weights of the group's energies.

    Returns:
        (energies a frame, pool_size); for stride 1 it only places the window.
    """
    positions = plan.positions(group)
    if group.stride == 1:
        return (np.arange(plan.pool_size) == positions[:, None]).astype(np.float64)
    statistics = plan.statistics(plan.center_freqs, plan.sigmas, plan.pooling_widths)
    filters = np.array(group.filters)
    computed = statistics.computed_responses(
        filters, group.rate, group.stride, group.half_length
    )
    return statistics.interpolation(filters, computed, positions)


def allowed_errors(sigmas, kernel_size, tolerance):
    """Largest `predicted_errors` of a plan: (4, n_filters).

    The tolerance on white noise. A filter longer than its window is cut where it is
    still high; what it then hears far from its band takes the full rate to compute,
    so a part of the cut's height is allowed on top. The first and the last frame
    of a clip are allowed more.
    """
    cut = np.exp(-0.5 * (kernel_size // 2 / np.asarray(sigmas, np.float64)) ** 2)
    parts = np.array([1.0, 1.0, _AT_THE_ENDS, 1.0])
    leaks = np.array([0.0, 1.0, 1.0, 1.0]) * _LEAKAGE
    return parts[:, None] * tolerance + leaks[:, None] * cut


def exact_plan(center_freqs, sigmas, pooling_widths, kernel_size, pool_size, strides):
    """All filters at every sample, nothing cut: the definition, without error."""
    group = Group(tuple(range(len(sigmas))), 1, 1, kernel_size // 2)
    return Plan(
        (group,),
        kernel_size,
        pool_size,
        strides,
        tuple(map(float, center_freqs)),
        tuple(map(float, sigmas)),
        tuple(map(float, pooling_widths)),
        0.0,
    )
