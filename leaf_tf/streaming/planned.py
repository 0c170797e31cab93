"""Energies of a fast LEAF, chunk by chunk: its multirate plan, executed on a stream."""

import dataclasses

import numpy as np
from keras import ops

from leaf_tf.dsp import multirate
from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.multirate import kernels as multirate_kernels
from leaf_tf.dsp.multirate import taps as multirate_taps
from leaf_tf.dsp.multirate.ends import BatchEnds, frames_of
from leaf_tf.dsp.multirate.signals import decimate
from leaf_tf.dsp.slices import cut, last
from leaf_tf.streaming.signals import hops_of_delay, overlap_add, read

# A convolution makes channels by the full vector.
_VECTOR = 16


@dataclasses.dataclass(frozen=True)
class _Kernels:
    """The kernels of a group, NumPy.

    Attributes:
        group: `multirate.Group`.
        kernel: Kernel of its convolution, (blocks, block, per_block * 2 * filters).
        pooling: Matrix from the squares of a hop to their shares in frames, (per_hop,
            places * filters).
        before: Weights (places, per_hop) of each frame at the start, of the squares
            of its hops, for the part of its window that is before the stream.
        after: {frame, counted from the end: weights of its squares, (1, 1, squares,
            filters), for the part that is after it}.
    """

    group: multirate.Group
    kernel: np.ndarray
    pooling: np.ndarray
    before: list
    after: dict

    @property
    def per_hop(self):
        return self.pooling.shape[0]


class _Decimator:
    """Every rate-th sample behind a plan's decimator, chunk by chunk.

    Attributes:
        delay: Samples by which the center of the first decimated sample that a chunk
            makes is before the chunk.
    """

    def __init__(self, rate, phase, strides, lag):
        self.rate = rate
        self._reach = multirate_taps.decimator(rate).size // 2
        self.delay = self._reach - rate + 1 + lag
        self.delay += (-self.delay - phase) % rate
        self._per_hop = strides // rate
        kernels = [
            multirate_taps.decimator_kernel(rate, block)
            for block in range(1, self._per_hop + 1)
            if self._per_hop % block == 0
        ]
        # Of those that cost the same the one of fewest steps.
        self._kernel = min(reversed(kernels), key=_decimator_cost)

    @property
    def first(self):
        """The first sample that it takes, counted from the start of a chunk."""
        return -self.delay - self._reach

    def __call__(self, signal, start, hops):
        """(batch, hops * strides / rate), of `signal` from sample `start` on."""
        n_blocks, block, per_block = self._kernel.shape
        n_blocks += hops * self._per_hop // per_block - 1
        signal = read(signal, start, n_blocks * block)
        return decimate(signal, self._kernel, n_blocks)


def _decimator_cost(kernel):
    blocks, _, per_block = kernel.shape
    return blocks * ceil_div(per_block, _VECTOR) * _VECTOR


class PlannedEnergies:
    """Pooled energies of a `Leaf`, by its plan and with its plan's kernels.

    Hop m of the plan's energies, those of samples m * strides - left - plan.lead on,
    is computed as soon as the group that looks furthest ahead can; the others read
    what is kept of the waveform, or of its decimated copies. What a hop adds to the
    frames after it is kept in place of the energies.

    Energies before the stream don't count, though interpolation between energies
    takes them: that part of the first frames is subtracted, and in the end that of
    the last ones, as `multirate.ends` has it.

    Args:
        leaf: `Leaf`, built, of method "fast".
        lag: Samples that its waveform comes late.

    Attributes:
        delay: Hops from a frame's own until it can be computed.
        center: Sample on which frame 0 is centered.
        n_last: Frames left at the end.
        memory: Number of hops after its own, at most, that a sample affects.
        state_shapes: {name: shape without the batch}.
    """

    def __init__(self, leaf, lag):
        plan = leaf.plan
        self._plan, self._lag = plan, lag
        is_symmetric = leaf.pooling_padding == "symmetric"
        # Long enough that no frame is at both ends.
        frames = frames_of(
            4 * plan.hops * plan.strides, plan, is_symmetric=is_symmetric
        )
        self.center = (plan.pool_size - 1) / 2 - frames.left
        self._origin = -(frames.left + plan.lead)
        self._groups = _group_kernels(leaf, frames)
        self._decimators = {
            rate: _Decimator(rate, self._first(group), plan.strides, lag)
            for rate, group in {g.rate: g for g in plan.groups}.items()
            if rate > 1
        }
        self._hop_delay = max(
            frames.n_right - plan.hops + 1,
            *(self._delay_of(group) for group in plan.groups),
        )
        self.delay = self.n_last = self._hop_delay + plan.hops - 1
        # Frames at the end that take energies which were there before it.
        self._kept_hops = max(frames.n_right - self._hop_delay, 0)
        self._starts = [self._start(group) for group in plan.groups]
        self._histories = self._needed_histories()
        self.memory = self._needed_memory()
        self.state_shapes = {
            **{_name(rate): (size,) for rate, size in self._histories.items()},
            "pooled": (plan.hops - 1, plan.n_filters),
        }
        if self._kept_hops:
            for i, kernels in enumerate(self._groups):
                shape = (self._kept_hops, kernels.per_hop)
                self.state_shapes[f"squares_{i}"] = shape

    def _first(self, group):
        """The first sample that the first energy of hop 0 takes."""
        return self._origin + self._plan.first_position(group)

    def _delay_of(self, group):
        """Hops from an energy's own until the group can compute it."""
        per_hop = self._plan.strides // group.stride
        reach = (per_hop - 1) * group.stride + (group.n_taps - 1) * group.rate
        last_sample = self._first(group) + reach
        lag = self._lag
        if group.rate > 1:
            # The last of the decimated samples is so much before the chunk's end.
            lag = self._decimators[group.rate].delay + group.rate - 1
        return hops_of_delay(last_sample, self._plan.strides, lag)

    def _start(self, group):
        """The first sample that the first hop of a chunk takes.

        Counted from the start of the chunk, at the group's rate.
        """
        start = self._first(group) - self._hop_delay * self._plan.strides
        if group.rate == 1:
            return start + self._lag
        return (start + self._decimators[group.rate].delay) // group.rate

    def _needed_histories(self):
        """{rate: samples before a chunk that its groups and decimators take}."""
        starts = {1: [d.first + self._lag for d in self._decimators.values()]}
        for group, start in zip(self._plan.groups, self._starts):
            starts.setdefault(group.rate, []).append(start)
        return {rate: max(0, *(-start for start in s)) for rate, s in starts.items()}

    def _needed_memory(self):
        # A sample is kept as it is, then decimated, then pooled.
        hops = {
            rate: ceil_div(size * rate, self._plan.strides)
            for rate, size in self._histories.items()
        }
        decimated = max((hops[rate] for rate in self._decimators), default=0)
        return hops[1] + decimated + max(self._plan.hops - 1, self._kept_hops)

    def step(self, chunk, state, clock, is_end=False):
        """Goes on with the stream.

        Args:
            chunk: (batch, hops * strides).
            state: {name: (batch, ...)}, see `state_shapes`.
            clock: `Clock`.
            is_end: Whether the stream ended where the chunk, of zeros, begins.

        Returns:
            Pooled energies, (batch, hops, n_filters); the state after the chunk.
        """
        plan = self._plan
        hops = chunk.shape[1] // plan.strides
        signals, state = self._signals(chunk, state, hops), dict(state)
        for rate, size in self._histories.items():
            state[_name(rate)] = last(signals[rate], size)
        starts = self._starting(clock)
        parts, befores, afters = [], [], []
        for i, (kernels, start) in enumerate(zip(self._groups, self._starts)):
            signal = signals[kernels.group.rate]
            squares = self._squares(signal, start, kernels, hops)
            parts.append(_pool(squares, kernels, plan.hops))
            befores.append(_before(squares, kernels, starts))
            if self._kept_hops:
                name = f"squares_{i}"
                squares = ops.concatenate([state[name], squares], axis=1)
                state[name] = last(squares, self._kept_hops)
            if is_end:
                afters.append(self._after(squares, kernels))
        parts = multirate_kernels.join(parts, axis=-1)
        for is_own, *before in zip(starts, *befores):
            before = multirate_kernels.join(before, axis=-1)
            parts = parts - is_own[..., None] * before[:, :, None]
        frames, state["pooled"] = overlap_add(parts, state["pooled"])
        outside = multirate_kernels.join(afters, axis=-1)
        if outside is not None:
            before = self.n_last - outside.shape[1]
            frames = frames - ops.pad(outside, ((0, 0), (before, 0), (0, 0)))
        if not plan.is_in_order:
            frames = ops.take(frames, plan.places, axis=-1)
        return frames, state

    def _signals(self, chunk, state, hops):
        """{rate: what is kept of the signal and what the chunk adds}."""
        waveform = ops.concatenate([state[_name(1)], chunk], axis=1)
        signals = {1: waveform}
        for rate, decimator in self._decimators.items():
            start = self._histories[1] + decimator.first + self._lag
            added = decimator(waveform, start, hops)
            signals[rate] = ops.concatenate([state[_name(rate)], added], axis=1)
        return signals

    def _squares(self, signal, start, kernels, hops):
        """Squares of so many hops, (batch, hops, per_hop)."""
        plan, group = self._plan, kernels.group
        steps = hops * (plan.strides // group.stride) // group.per_block
        n_blocks = steps + group.n_blocks - 1
        start += self._histories[group.rate]
        blocks = read(signal, start, n_blocks * group.block)
        blocks = ops.reshape(blocks, (-1, n_blocks, group.block))
        kernel = ops.convert_to_tensor(kernels.kernel, dtype=signal.dtype)
        return multirate_kernels.squares(blocks, kernel, hops, kernels.per_hop)

    def _starting(self, clock):
        """For each frame at the start, which hops are its: (batch, hops, places)."""
        delays = self._hop_delay + np.arange(self._plan.hops)
        n_frames = len(self._groups[0].before)
        return [clock.is_hop(frame, delays) for frame in range(n_frames)]

    def _after(self, squares, kernels):
        """Parts of the last frames that are after the stream; None if there are none.

        Args:
            squares: (batch, kept hops + n_last, per_hop).
        """
        parts = []
        for frame, weights in kernels.after.items():
            start = self._hop_delay + self._kept_hops - frame
            frame_squares = cut(squares, 1, start, self._plan.hops)
            weights = ops.convert_to_tensor(weights, dtype=squares.dtype)
            parts.append(multirate_kernels.pooled(frame_squares, weights))
        return multirate_kernels.join(parts, axis=1)


def _group_kernels(leaf, frames):
    """`_Kernels` of all groups of a Leaf's plan, of its weights as they are."""
    plan = leaf.plan
    ends = BatchEnds(frames, plan)
    center_freqs, sigmas, widths = leaf.bounded_weights()
    parts = multirate_kernels.kernels_of_groups(
        center_freqs, sigmas, widths, ends, plan
    )
    kernels = []
    for group, (kernel, pooling, weights) in zip(plan.groups, parts):
        outside = []
        if weights is not None:
            outside = np.swapaxes(ops.convert_to_numpy(weights), 0, 1)[:, None]
        before, after = outside[: frames.n_left], outside[frames.n_left :]
        kernels.append(
            _Kernels(
                group,
                ops.convert_to_numpy(kernel),
                ops.convert_to_numpy(pooling)[:, : plan.hops * len(group.filters)],
                [weights.reshape(plan.hops, -1) for weights in before],
                {len(after) - i: weights for i, weights in enumerate(after)},
            )
        )
    return kernels


def _pool(squares, kernels, places):
    """Contributions of each hop to frames, (batch, hops, places, filters).

    Args:
        squares: (batch, hops, per_hop).
        kernels: `_Kernels`.
    """
    _, hops, per_hop = squares.shape
    pooling = ops.convert_to_tensor(kernels.pooling, dtype=squares.dtype)
    parts = ops.matmul(ops.reshape(squares, (-1, per_hop)), pooling)
    return ops.reshape(parts, (-1, hops, places, pooling.shape[1] // places))


def _before(squares, kernels, starts):
    """Contributions of hops before the stream to each frame at its start.

    Args:
        squares, kernels: Arguments of `_pool`.
        starts: For each of the frames, which hops are its, (batch, hops, places).

    Returns:
        List of (batch, hops, filters), zero for all hops that are not the frame's.
    """
    _, hops, per_hop = squares.shape
    n_filters = len(kernels.group.filters)
    # Both squares of all energies of a filter. A product is cheaper than sums.
    added = np.tile(np.eye(n_filters), (per_hop // n_filters, 1))
    added = ops.convert_to_tensor(added, dtype=squares.dtype)
    parts = []
    for is_own, weights in zip(starts, kernels.before):
        weights = ops.convert_to_tensor(weights, dtype=squares.dtype)
        weights = ops.matmul(is_own, weights)  # (batch, hops, per_hop)
        part = ops.reshape(squares * weights, (-1, per_hop))
        part = ops.matmul(part, added)
        parts.append(ops.reshape(part, (-1, hops, n_filters)))
    return parts


def _name(rate):
    return "waveform" if rate == 1 else f"decimated_{rate}"
