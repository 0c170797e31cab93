"""Plans: groups of filters, each with its rate, stride and taps."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.multirate import taps

# Channels that one step of a compact plan's convolution makes, at least: floats in a
# vector register of AVX-512. With fewer the rest of the register computes nothing.
_VECTOR = 16
# Cost of the first and the last edge of the pooling window if it coincides with an
# energy; an edge a quarter of a stride away from one costs 1. They are unequal so that
# a place and its mirror image do not tie.
_AT_AN_ENERGY = np.array([0.1, 0.2])


@dataclasses.dataclass(frozen=True)
class Group:
    """Filters that are computed together.

    Attributes:
        filters: Indices of the filters.
        rate: Decimation rate of their input; 1: the waveform itself.
        stride: Samples of the waveform between energies, a multiple of the rate.
        half_length: Samples of the waveform that taps reach on either side of the
            center; beyond half the kernel if the cut of the window is softened.
        per_block: Energies that one step of the convolution makes; more than one
            keeps vector units busy where filters are few.

    Example:
        >>> group = Group((0, 1), rate=4, stride=20, half_length=250, per_block=2)
        >>> group.n_taps, group.block, group.n_blocks
        (131, 10, 14)
    """

    filters: tuple[int, ...]
    rate: int
    stride: int
    half_length: int
    per_block: int = 1

    @property
    def n_taps(self) -> int:
        """Taps of each filter, at the group's rate."""
        return taps.n_taps(self.half_length, self.rate)

    @property
    def block(self) -> int:
        """Samples, at the group's rate, that one step of the convolution advances."""
        return self.stride // self.rate * self.per_block

    @property
    def n_blocks(self) -> int:
        """Blocks that one step of the convolution reads."""
        # The last energy of a block starts this many samples after the first.
        later = self.block - self.stride // self.rate
        return ceil_div(self.n_taps + later, self.block)

    @property
    def cost(self) -> float:
        """Multiplications of the convolution per sample of the waveform."""
        channels = lanes(2 * len(self.filters) * self.per_block)
        return channels * self.n_blocks * self.block / (self.stride * self.per_block)


@dataclasses.dataclass(frozen=True)
class Plan:
    """Groups that compute a filterbank's pooled energies. Hashable, plain numbers only.

    Attributes:
        groups: Tuple of `Group`; each filter is in exactly one.
        kernel_size, pool_size, strides: Samples in a filter, in the pooling window,
            and between frames.
        center_freqs, sigmas, pooling_widths: (n_filters,), the filters that the plan
            was made for: rad/sample, samples, relative to half the pooling window.
        tolerance: Relative RMS error that the planner allowed.

    Example:
        >>> plan = exact_plan([0.5, 1.0], [20.0, 10.0], [0.4, 0.4], 401, 401, 160)
        >>> plan.order, plan.hops, plan.lead
        ((0, 1), 3, 39)
        >>> Plan.from_config(plan.get_config()) == plan
        True
    """

    groups: tuple[Group, ...]
    kernel_size: int
    pool_size: int
    strides: int
    center_freqs: tuple[float, ...]
    sigmas: tuple[float, ...]
    pooling_widths: tuple[float, ...]
    tolerance: float

    @property
    def n_filters(self) -> int:
        """Filters of all groups."""
        return len(self.sigmas)

    @property
    def order(self) -> tuple[int, ...]:
        """Indices of the filters, group by group."""
        return tuple(itertools.chain.from_iterable(g.filters for g in self.groups))

    @property
    def is_in_order(self) -> bool:
        """Whether the groups hold the filters in the order of their indices."""
        return self.order == tuple(range(self.n_filters))

    @property
    def places(self) -> np.ndarray:
        """Places of the filters in `order`: (n_filters,), int32."""
        # Microcontrollers gather by these alone, not by int64.
        return np.argsort(self.order).astype(np.int32)

    @property
    def hops(self) -> int:
        """Hops of energies that enter one frame."""
        return ceil_div(max(self.pool_size, self.strides), self.strides)

    @property
    def lead(self) -> int:
        """Samples from the start of a frame's first hop to its pooling window."""
        # Whole hops are rarely as long as the window: it is centered in them.
        return (self.hops * self.strides - self.pool_size) // 2

    @property
    def multiplications_per_sample(self) -> float:
        """Real multiplications of filters and decimators; stride 1: 2 K n_filters."""
        filters = sum(
            2 * len(group.filters) * group.n_taps / group.stride
            for group in self.groups
        )
        kernels = {
            rate: taps.decimator_kernel(rate // self.source(rate))
            for rate in {group.rate for group in self.groups} - {1}
        }
        return filters + sum(
            kernel.size / (kernel.shape[2] * rate) for rate, kernel in kernels.items()
        )

    def source(self, rate: int) -> int:
        """Rate of the signal that is decimated to `rate`.

        Half of it where a group has that rate: the decimator from there is shorter
        and runs on fewer samples. Else 1, the waveform.
        """
        has_half = any(2 * group.rate == rate for group in self.groups)
        return rate // 2 if has_half else 1

    def energies_per_hop(self, group: Group) -> int:
        """Energies that each filter of a group has in a hop."""
        return self.strides // group.stride

    def squares_per_hop(self, group: Group) -> int:
        """Squared real and imaginary parts that a group computes in a hop."""
        return self.energies_per_hop(group) * 2 * len(group.filters)

    def offset(self, group: Group) -> int:
        """Samples from the start of a hop to the group's first energy."""
        # Groups behind decimators read one decimated signal, so all offsets are
        # chosen together: equal modulo the rates.
        lattices = {(other.rate, other.stride) for other in (*self.groups, group)}
        edges = (self.lead - 0.5, self.lead + self.pool_size - 0.5)
        offsets = _offsets(tuple(sorted(lattices)), edges)
        return offsets[group.rate, group.stride]

    def positions(self, group: Group) -> np.ndarray:
        """Samples of a frame's energies, relative to the first of its window.

        Returns:
            (hops * energies_per_hop,), integers.
        """
        energies = np.arange(self.hops * self.energies_per_hop(group))
        return energies * group.stride + self.offset(group) - self.lead

    def first_position(self, group: Group) -> int:
        """Sample under the first tap of a group's first energy, from the origin."""
        # SAME padding centers an even kernel one sample late.
        late = 1 - self.kernel_size % 2
        return self.offset(group) + late - group.n_taps // 2 * group.rate

    def compact(self) -> "Plan":
        """The same plan with smaller kernels, for a model that is a file.

        A group's kernel holds its taps once for each energy of a block. Here a block
        has the fewest energies that fill a vector. The features equal those of the
        plan but for rounding.

        Returns:
            `Plan`; an equal one if it is compact already.

        Example:
            >>> wide = Group((0, 1), 1, 20, 200, per_block=8)
            >>> plan = exact_plan([0.5, 1.0], [20.0, 10.0], [0.4, 0.4], 401, 401, 160)
            >>> dataclasses.replace(plan, groups=(wide,)).compact().groups[0].per_block
            4
        """
        return dataclasses.replace(self, groups=tuple(map(self._compact, self.groups)))

    def _compact(self, group):
        enough = ceil_div(_VECTOR, 2 * len(group.filters))
        # Blocks may not straddle hops: their size divides the energies of a hop.
        fewer = [
            n
            for n in range(enough, group.per_block)
            if self.energies_per_hop(group) % n == 0
        ]
        return dataclasses.replace(group, per_block=min(fewer, default=group.per_block))

    def get_config(self) -> dict[str, Any]:
        """The plan as a JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Plan":
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


def lanes(channels: int) -> int:
    """Channels that vector units spend on a convolution or product of so many.

    They make 32 at a time, and 16 at two thirds of that price: so XNNPACK and oneDNN
    do on AVX-512. Narrower units waste less.

    Example:
        >>> lanes(16), lanes(20), lanes(40)
        (22, 44, 64)
    """
    if channels < 32:
        return 22 * ceil_div(channels, 16)
    return 32 * ceil_div(channels, 32)


@functools.lru_cache(maxsize=256)
def _offsets(lattices, edges):
    """First energies of all groups, where they do the least harm.

    The pooling window is cut where it is still high. How much energy is on either side
    of an edge is estimated best if the edge is midway between two computed energies,
    second best if it is at one; in between, the error is tenfold.

    Args:
        lattices: Tuple of (rate, stride), all groups. All offsets are congruent to one
            number, each modulo its rate.
        edges: First and last edge of the pooling window, samples from the start of
            the first hop; between two samples.

    Returns:
        {(rate, stride): offset of the first energy, samples}.
    """

    def cost(stride, offset):
        # A stride is a phase of pi. sin^2(2 phase) is 0 at an energy and midway between
        # two, 1 a quarter of a stride beside; cos^2(phase) is 1 at an energy alone.
        phases = np.pi * (np.array(edges) - offset) / stride
        return np.sum(np.sin(2.0 * phases) ** 2 + _AT_AN_ENERGY * np.cos(phases) ** 2)

    def best(rate, stride, number):
        return min((cost(stride, o), o) for o in range(number % rate, stride, rate))

    numbers = range(math.lcm(*(rate for rate, _ in lattices)))
    ways = [
        {(rate, stride): best(rate, stride, number) for rate, stride in lattices}
        for number in numbers
    ]
    # The group that fares worst decides: the tolerance holds for each filter.
    best_way = min(ways, key=lambda way: max(cost for cost, _ in way.values()))
    return {lattice: offset for lattice, (_, offset) in best_way.items()}


def exact_plan(
    center_freqs: Sequence[float] | np.ndarray,
    sigmas: Sequence[float] | np.ndarray,
    pooling_widths: Sequence[float] | np.ndarray,
    kernel_size: int,
    pool_size: int,
    strides: int,
) -> Plan:
    """The plan of the definition: all filters at every sample, without error.

    Args:
        center_freqs: (n_filters,), rad/sample, in [0, pi].
        sigmas: (n_filters,), samples, > 0.
        pooling_widths: (n_filters,), relative to half the pooling window, > 0.
        kernel_size, pool_size, strides: Samples in a filter, in the pooling window,
            and between frames.

    Returns:
        `Plan` of one group.

    Example:
        >>> plan = exact_plan([0.5, 1.0], [20.0, 10.0], [0.4, 0.4], 401, 401, 160)
        >>> plan.groups[0].stride, plan.multiplications_per_sample
        (1, 1604.0)
    """
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
