"""Runs a multirate plan: pooled energies of a waveform, in keras.ops.

Positions, in samples, count from the origin of the plan, `plan.lead` samples before
the first pooling window. So everything but the first cut into the waveform is the
same for all lengths; the length only decides how far SAME padding moves the origin.
"""

import dataclasses
import math
from typing import Any

import numpy as np
from keras import ops

from leaf_tf.dsp import impulse_responses, multirate, multirate_taps, units


def pooled_energies(waveform, center_freqs, sigmas, pooling_widths, plan):
    """Energies of Gabor filters, pooled by Gaussian lowpasses.

    What filtering at stride 1, squared modulus and strided pooling compute, SAME
    padding in both, within the plan's tolerance and at a fraction of the cost.
    Gradients reach all weights; constant weights leave constant kernels.

    Args:
        waveform: (batch, samples), float; `samples` may be unknown in a graph.
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        pooling_widths: (n_filters,), relative to half the pooling window.
        plan: `multirate.Plan` for filters not far from these.

    Returns:
        (batch, ceil(samples / strides), n_filters).
    """
    frames = _frames(waveform, plan)
    signals = {1: waveform}
    for rate in sorted({group.rate for group in plan.groups} - {1}):
        signals[rate] = _decimate(waveform, rate, frames, plan)
    outputs = []
    for group in plan.groups:
        taps = _taps(
            _select(center_freqs, group), _select(sigmas, group), plan, group
        )
        lowpass = impulse_responses.gaussian_lowpass(
            _select(pooling_widths, group), plan.pool_size
        )
        blocks = _blocks(signals[group.rate], frames, plan, group)
        energies = _energies(blocks, taps)
        outputs.append(_pool(energies, lowpass, frames, plan, group))
    outputs = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, axis=-1)
    if plan.order != tuple(range(plan.n_filters)):
        outputs = ops.take(outputs, np.argsort(plan.order), axis=-1)
    return outputs if frames.computed is frames.kept else outputs[:, : frames.kept]


@dataclasses.dataclass(frozen=True)
class _Frames:
    """Frames of a waveform. Sizes are integers; tensors where the length is unknown.

    Attributes:
        samples: Of the waveform.
        kept: Frames to return.
        computed: `kept`, or more where that is less than the frames at the ends.
        left: Samples by which the first pooling window precedes the waveform.
        n_left, n_right: Frames whose window may reach beyond the waveform.
    """

    samples: Any
    kept: Any
    computed: Any
    left: Any
    n_left: int
    n_right: int


def _frames(waveform, plan):
    known = waveform.shape[1] is not None
    samples = waveform.shape[1] if known else ops.shape(waveform)[1]
    kept = units.n_frames(samples, plan.strides)
    # SAME: as many zeros as the last window needs, half of them left, rounded down.
    zeros = _maximum((kept - 1) * plan.strides + plan.pool_size - samples, 0)
    left = zeros // 2
    most = zeros if known else plan.pool_size - 1
    n_left = -(-(most // 2) // plan.strides)
    n_right = -(-(most - most // 2) // plan.strides)
    at_ends = max(n_left, n_right)
    computed = kept if known and kept >= at_ends else _maximum(kept, at_ends)
    return _Frames(samples, kept, computed, left, n_left, n_right)


def _select(values, group):
    """The group's entries; a slice where its filters follow each other."""
    first, last = group.filters[0], group.filters[-1]
    if group.filters == tuple(range(first, last + 1)):
        return values[first : last + 1]
    return ops.take(values, np.array(group.filters), axis=0)


def _constant(array, dtype):
    return ops.convert_to_tensor(np.asarray(array), dtype=dtype)


def _taps(center_freqs, sigmas, plan, group):
    """Kernel (blocks, stride / rate, 2 * filters): real parts, then imaginary."""
    dtype = sigmas.dtype
    even, odd = multirate_taps.tap_matrices(
        plan.kernel_size, group.half_length, group.rate, group.stride
    )
    times = _constant(np.arange(group.half_length + 1)[:, None], dtype)
    gaussians = ops.exp(-0.5 * ops.square(times / sigmas)) / (
        math.sqrt(2.0 * math.pi) * sigmas
    )
    phases = times * center_freqs
    real = ops.matmul(_constant(even, dtype), gaussians * ops.cos(phases))
    imaginary = ops.matmul(_constant(odd, dtype), gaussians * ops.sin(phases))
    taps = ops.concatenate([real, imaginary], axis=1)
    block = group.stride // group.rate
    return ops.reshape(taps, (even.shape[0] // block, block, 2 * len(group.filters)))


def _first_position(plan, group):
    """Position of the first sample in the first energy of a group."""
    # SAME padding centers an even kernel one sample late.
    late = 1 - plan.kernel_size % 2
    return group.offset + late - group.n_taps // 2 * group.rate


def _n_blocks(frames, plan, group):
    """Strides that a group reads: one an energy, and the last energy's taps."""
    energies = (frames.computed + plan.hops - 1) * (plan.strides // group.stride)
    return energies - 1 - (-group.n_taps * group.rate // group.stride)


def _cut(waveform, position, length, frames, plan):
    """Samples position ... position + length, zeros where there is no waveform.

    `position` is before the waveform: filters reach further than half a stride.
    """
    before = frames.left + plan.lead - position
    after = length - before - frames.samples
    if isinstance(after, int):
        surplus = after < 0
        after = max(after, 0)
    else:
        surplus = True
        after = ops.maximum(after, 0)
    padded = ops.pad(waveform, ((0, 0), (before, after)))
    return padded[:, :length] if surplus else padded


def _decimated_from(rate, plan):
    """Position of the first sample of the waveform decimated by `rate`."""
    return min(_first_position(plan, g) for g in plan.groups if g.rate == rate)


def _decimate(waveform, rate, frames, plan):
    """Every rate-th sample behind the decimator: (batch, samples), all that groups read.

    A convolution over blocks: 16 samples out of three blocks of 16 * rate.
    """
    kernel = multirate_taps.decimator_kernel(rate)
    overlap, block = kernel.shape[0] - 1, kernel.shape[1]
    first = _decimated_from(rate, plan)
    needed = 0
    for group in plan.groups:
        if group.rate == rate:
            offset = _first_position(plan, group) - first
            end = offset + _n_blocks(frames, plan, group) * group.stride
            needed = _maximum(needed, end)
    n_blocks = -(-needed // block) + overlap
    half = multirate_taps.decimator(rate).size // 2
    signal = _cut(waveform, first - half, n_blocks * block, frames, plan)
    signal = ops.conv(
        ops.reshape(signal, (-1, n_blocks, block)),
        _constant(kernel, signal.dtype),
        padding="valid",
        data_format="channels_last",
    )
    return ops.reshape(signal, (-1, (n_blocks - overlap) * kernel.shape[2]))


def _blocks(signal, frames, plan, group):
    """What a group convolves: (batch, blocks, stride / rate)."""
    n_blocks = _n_blocks(frames, plan, group)
    size = group.stride // group.rate
    first = _first_position(plan, group)
    if group.rate == 1:
        signal = _cut(signal, first, n_blocks * size, frames, plan)
    else:
        start = (first - _decimated_from(group.rate, plan)) // group.rate
        signal = signal[:, start : start + n_blocks * size]
    return ops.reshape(signal, (-1, n_blocks, size))


def _energies(blocks, taps):
    """Squared moduli: (batch, energies, filters)."""
    outputs = ops.conv(blocks, taps, padding="valid", data_format="channels_last")
    squares = ops.square(outputs)
    n_filters = taps.shape[-1] // 2
    return squares[..., :n_filters] + squares[..., n_filters:]


def _pool(energies, lowpass, frames, plan, group):
    """Frames of energies: (batch, computed frames, filters).

    Every frame takes the whole pooling window. What frames at the ends so take from
    outside the waveform, where energies are zero by definition, is subtracted:
    the interpolation is linear, so the difference is that of the window inside.
    """
    dtype = lowpass.dtype
    interpolation = _constant(multirate.interpolation(plan, group), dtype)
    n_filters = len(group.filters)
    # The window of every frame, and its part outside at the left and right end.
    ends = [(frame, True) for frame in range(frames.n_left)]
    ends += [(frames.computed - 1 - i, False) for i in range(frames.n_right)]
    windows = [lowpass]
    windows += [lowpass * _outside(frame, left, frames, plan, dtype) for frame, left in ends]
    weights = ops.matmul(interpolation, ops.concatenate(windows, axis=1))
    stride = plan.strides // group.stride
    outputs = ops.depthwise_conv(
        energies,
        ops.expand_dims(weights[:, :n_filters], axis=-1),
        strides=stride,
        padding="valid",
        data_format="channels_last",
    )
    surplus = []
    for i, (frame, _) in enumerate(ends, start=1):
        start = frame * stride
        inside = energies[:, start : start + weights.shape[0]]
        part = inside * weights[:, i * n_filters : (i + 1) * n_filters]
        surplus.append(ops.sum(part, axis=1, keepdims=True))
    outputs = _subtract_at(outputs, surplus[: frames.n_left], 0, frames)
    right = surplus[frames.n_left :][::-1]
    return _subtract_at(outputs, right, frames.computed - frames.n_right, frames)


def _outside(frame, left, frames, plan, dtype):
    """1 where the window of `frame` is left (or right) of the waveform: (pool_size, 1)."""
    samples = np.arange(plan.pool_size)[:, None] + (frame * plan.strides - frames.left)
    outside = samples < 0 if left else samples >= frames.samples
    return ops.cast(outside, dtype)


def _subtract_at(outputs, parts, start, frames):
    """outputs[:, start + i] - parts[i]."""
    if not parts:
        return outputs
    part = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1)
    after = frames.computed - start - len(parts)
    return outputs - ops.pad(part, ((0, 0), (start, after), (0, 0)))


def _maximum(first, second):
    """The greater of two sizes, integers or tensors."""
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return ops.maximum(first, second)
