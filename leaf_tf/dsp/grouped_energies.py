"""Pooled energies of Gabor filters in groups, each at a stride of its own.

LEAF computes every filter at every sample, with as many taps as the window has.
EfficientLEAF groups neighbouring filters. A group has as many taps as its longest
filter needs, and computes energies at every s-th sample only; the rest of the stride
between frames is made by pooling.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from keras import ops

from leaf_tf.dsp import impulse_responses, units
from leaf_tf.dsp.alignment import Bounds
from leaf_tf.dsp.slices import cut, longer
from leaf_tf.dsp.types import Tensor


@dataclasses.dataclass(frozen=True)
class Group:
    """Filters that are computed together.

    Attributes:
        start, stop: First filter, and the one after the last.
        half_length: Taps reach this many samples either side of the center.
        stride: Samples between energies, a divisor of those between frames.

    Example:
        >>> Group(start=0, stop=10, half_length=200, stride=16)
        Group(start=0, stop=10, half_length=200, stride=16)
    """

    start: int
    stop: int
    half_length: int
    stride: int


def plan_groups(
    center_freqs: np.ndarray,
    sigmas: np.ndarray,
    n_groups: int,
    window_factor: float,
    stride_factor: float,
    kernel_size: int,
    strides: int,
) -> tuple[Group, ...]:
    """Groups for a bank of filters in the order of their frequencies.

    A group's filters have `window_factor` times its greatest sigma in taps, at most
    `kernel_size`, an odd number. Its energies are computed at the greatest divisor
    of `strides` that is at most `stride_factor` half-periods of its highest center
    frequency.

    Args:
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        n_groups: Groups, whose sizes differ by at most one; with fewer filters than
            that, one group each.
        window_factor: Taps, in sigmas.
        stride_factor: Longest stride, in half-periods of the center frequency.
        kernel_size: Taps at most.
        strides: Samples between frames.

    Returns:
        Tuple of `Group`.

    Example:
        >>> bank = np.array([0.1, 1.0]), np.array([60.0, 10.0])
        >>> for group in plan_groups(*bank, 2, 4.76, 5.0, 401, 160):
        ...     print(group)
        Group(start=0, stop=1, half_length=142, stride=80)
        Group(start=1, stop=2, half_length=23, stride=10)

    Source: EfficientLEAF, arXiv:2207.05508.
    """
    n_filters = len(center_freqs)
    n_groups = min(n_groups, n_filters)
    divisors = [i for i in range(1, strides + 1) if strides % i == 0]
    groups = []
    for i in range(n_groups):
        start = i * n_filters // n_groups
        stop = (i + 1) * n_filters // n_groups
        taps = min(int(window_factor * np.max(sigmas[start:stop])), kernel_size - 1)
        # A center of 0 would allow any stride: half a period in the window is as low as
        # a filter resolves.
        highest = max(np.max(center_freqs[start:stop]), math.pi / kernel_size)
        most = max(stride_factor * math.pi / highest, 1.0)
        stride = max(divisor for divisor in divisors if divisor <= most)
        groups.append(Group(start, stop, max(taps // 2, 1), stride))
    return tuple(groups)


def pooled_energies(
    waveform: Tensor,
    center_freqs: Tensor,
    sigmas: Tensor,
    pooling_widths: Tensor,
    groups: Sequence[Group],
    kernel_size: int,
    strides: int,
    bounds: Bounds | None = None,
) -> Tensor:
    """Energies of Gabor filters, pooled by Gaussian lowpasses, SAME padding in both.

    In a group of stride s, every s-th tap of the lowpass weighs an energy, and the sum
    is multiplied by s. It estimates the sum over all taps and energies, which LEAF
    computes, in the same frames.

    Args:
        waveform: (batch, samples), float; `samples` may be unknown in a graph.
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        pooling_widths: (n_filters,), relative to half the pooling window.
        groups: Sequence of `Group`, which cover all filters in order.
        kernel_size: Samples in the pooling window.
        strides: Samples between frames.
        bounds: `alignment.Bounds` of a batch of clips; outside them energies are
            zero. Defaults to the ends of the waveform.

    Returns:
        (batch, ceil(samples / strides), n_filters).

    Example:
        >>> bank = ops.array([0.1, 1.0]), ops.array([60.0, 10.0]), ops.array([0.4, 0.4])
        >>> groups = Group(0, 1, 142, 160), Group(1, 2, 23, 10)
        >>> pooled_energies(ops.ones((8, 16000)), *bank, groups, 401, 160).shape
        TensorShape([8, 100, 2])

    Source: EfficientLEAF, arXiv:2207.05508.
    """
    samples = waveform.shape[1]
    if samples is None:
        samples = ops.shape(waveform)[1]
    frames = units.n_frames(samples, strides)
    zeros = longer((frames - 1) * strides + kernel_size - samples, 0)
    middle = (kernel_size - 1) // 2
    first = middle - zeros // 2  # the sample under the middle tap in frame 0
    longest = max(group.half_length for group in groups)
    # Room for all windows and kernels; counted from its start, nothing depends on
    # where frame 0 is.
    lead = middle + longest
    length = lead + frames * strides + kernel_size + longest
    left = lead - first
    padded = ops.pad(waveform, ((0, 0), (left, length - samples - left)))
    pooled = []
    for group in groups:
        before, after = (
            middle // group.stride,
            (kernel_size - 1 - middle) // group.stride,
        )
        per_frame = strides // group.stride
        n_energies = (frames - 1) * per_frame + before + 1 + after
        start = -before * group.stride  # counted from the middle of frame 0
        reach = (n_energies - 1) * group.stride + 2 * group.half_length + 1
        signal = cut(padded, 1, lead + start - group.half_length, reach)
        energies = _energies(signal, center_freqs, sigmas, group)
        times = first + start + group.stride * ops.arange(n_energies, dtype="int32")
        if bounds is None:
            outside = ops.logical_or(times < 0, times >= samples)[None]
        else:
            outside = bounds.outside(times)
        # By definition there is nothing outside, but filters reach in.
        energies = ops.where(outside[:, :, None], ops.zeros_like(energies), energies)
        lowpass = impulse_responses.gaussian_lowpass(
            pooling_widths[group.start : group.stop], kernel_size
        )
        # Every s-th tap counted from the middle one, so that frames stay centered.
        lowpass = group.stride * lowpass[middle + start :: group.stride]
        pooled.append(
            ops.depthwise_conv(
                energies,
                ops.expand_dims(lowpass, axis=-1),
                strides=per_frame,
                padding="valid",
                data_format="channels_last",
            )
        )
    return ops.concatenate(pooled, axis=-1)


def _energies(signal, center_freqs, sigmas, group):
    """Energies (batch, n, filters of the group), VALID padding."""
    parts = impulse_responses.gabor(
        center_freqs[group.start : group.stop],
        sigmas[group.start : group.stop],
        2 * group.half_length + 1,
    )
    outputs = ops.conv(
        ops.expand_dims(signal, axis=-1),
        ops.expand_dims(ops.concatenate(parts, axis=-1), axis=1),
        strides=group.stride,
        padding="valid",
        data_format="channels_last",
    )
    real, imaginary = ops.split(outputs, 2, axis=-1)
    return ops.square(real) + ops.square(imaginary)
