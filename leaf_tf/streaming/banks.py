"""Filterbanks whose outputs are pooled as they are, chunk by chunk."""

import dataclasses

import numpy as np
from keras import ops

from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.multirate.taps import decimator
from leaf_tf.dsp.slices import last
from leaf_tf.streaming.signals import hops_of_delay, overlap_add, read

# Below any output: a maximum never picks it where there is another.
_LOWEST = 1e30


@dataclasses.dataclass(frozen=True)
class Bank:
    """Filters that are computed together, and how their outputs are pooled.

    Attributes:
        taps: (taps, channels), NumPy.
        first_tap: Sample that the first tap meets, counted from the output's own.
        stride: Samples between outputs.
        first_output: Sample of frame 0's first output.
        windows: (outputs, n_filters), NumPy, the weights of a frame's outputs.
        rate: Samples between taps, which divides the stride. From 2 on the taps meet
            what `decimator` of that rate has made of the samples.
    """

    taps: np.ndarray
    first_tap: int
    stride: int
    first_output: int
    windows: np.ndarray
    rate: int = 1

    @property
    def decimator(self):
        """(taps,), what comes before the taps; None at the full rate."""
        return decimator(self.rate) if self.rate > 1 else None

    @property
    def first_sample(self):
        """The first sample that an output depends on, counted from its own."""
        return self.first_tap - self._decimator_reach

    @property
    def _decimator_reach(self):
        return 0 if self.decimator is None else len(self.decimator) // 2

    def reach(self, n_outputs):
        """Samples that so many outputs depend on, from the first on."""
        decimated = self.decimated(n_outputs)
        return (decimated - 1) * self.rate + 1 + 2 * self._decimator_reach

    def decimated(self, n_outputs):
        """Samples at the bank's rate that so many outputs depend on."""
        return (n_outputs - 1) * (self.stride // self.rate) + len(self.taps)

    @property
    def last_sample(self):
        """The last sample that frame 0 depends on."""
        first = self.first_output + self.first_sample
        return first + self.reach(len(self.windows)) - 1

    def places(self, strides):
        """Hops of outputs that enter one frame."""
        return ceil_div(len(self.windows) * self.stride, strides)

    def unused(self, strides):
        """Outputs of a frame's first hop that are before its window."""
        return self.places(strides) * (strides // self.stride) - len(self.windows)


class BankEnergies:
    """Pooled outputs of filters, in frames.

    What a hop of outputs adds to the frames is kept in place of the outputs. Outputs
    before and after the stream count as zero.

    Args:
        banks: List of `Bank`, of all filters in their order.
        rectify: Function from (batch, outputs, channels) to (batch, outputs,
            n_filters).
        strides: Samples a hop.
        lag: Samples that the waveform comes late.
        center: Sample on which frame 0 is centered.
        n_missing: Frames that a clip has less than it has hops.

    Attributes: as `PlannedEnergies`.
    """

    def __init__(self, banks, rectify, strides, lag, center, n_missing=0):
        self._banks, self._rectify = banks, rectify
        self._strides, self._lag, self.center = strides, lag, center
        self.delay = max(
            hops_of_delay(bank.last_sample, strides, lag) for bank in banks
        )
        self.n_last = self.delay - n_missing
        self._history = max(0, *(-self._start(bank) for bank in banks))
        self.state_shapes = {"waveform": (self._history,)}
        for i, bank in enumerate(banks):
            if bank.places(strides) > 1:
                self.state_shapes[f"pooled_{i}"] = self._carried_shape(bank)
        self.memory = ceil_div(self._history, strides)
        self.memory += max(bank.places(strides) for bank in banks) - 1

    def _carried_shape(self, bank):
        return (bank.places(self._strides) - 1, bank.windows.shape[1])

    def _first_time(self, bank):
        """Sample of a chunk's first output, counted from the start of the chunk."""
        first_of_hop = bank.first_output - bank.unused(self._strides) * bank.stride
        delay = self.delay - bank.places(self._strides) + 1
        return first_of_hop - delay * self._strides

    def _start(self, bank):
        """The first sample taken from the signal, counted from the chunk's first."""
        return self._first_time(bank) + bank.first_sample + self._lag

    def step(self, chunk, state, clock, is_end=False):
        """Goes on with the stream, as `PlannedEnergies.step`."""
        signal = ops.concatenate([state["waveform"], chunk], axis=1)
        state = {**state, "waveform": last(signal, self._history)}
        hops = chunk.shape[1] // self._strides
        pooled = []
        for i, bank in enumerate(self._banks):
            outputs, is_inside = self._outputs(signal, bank, hops, clock, is_end)
            name = f"pooled_{i}"
            frames, carried = self._pool(outputs, is_inside, bank, state.get(name))
            pooled.append(frames)
            if name in state:
                state[name] = carried
        return ops.concatenate(pooled, axis=-1), state

    def _outputs(self, signal, bank, hops, clock, is_end):
        """Rectified outputs (batch, n, n_filters); if they count, (batch, n, 1)."""
        per_hop = self._strides // bank.stride
        reach = bank.reach(hops * per_hop)
        signal = read(signal, self._history + self._start(bank), reach)
        signal = ops.expand_dims(signal, axis=-1)
        if bank.decimator is not None:
            signal = _filtered(signal, bank.decimator[:, None], bank.rate)
        outputs = _filtered(signal, bank.taps, bank.stride // bank.rate)
        times = self._first_time(bank) + bank.stride * np.arange(hops * per_hop)
        is_inside = clock.is_in_stream(times, self._strides)
        if is_end:
            is_before_end = ops.convert_to_tensor((times < 0)[:, None], signal.dtype)
            is_inside = is_inside * is_before_end
        return self._rectify(outputs), is_inside

    def _pool(self, outputs, is_inside, bank, carried):
        """Frames (batch, hops, n_filters); what to carry to the next."""
        per_hop, places = self._strides // bank.stride, bank.places(self._strides)
        n_filters = bank.windows.shape[1]
        unused = bank.unused(self._strides)
        weights = np.pad(bank.windows, ((unused, 0), (0, 0)))
        weights = weights.reshape(places, per_hop, n_filters).transpose(1, 2, 0)
        parts = ops.depthwise_conv(
            outputs * is_inside,
            ops.convert_to_tensor(weights, dtype=outputs.dtype),
            strides=per_hop,
            padding="valid",
            data_format="channels_last",
        )
        if carried is None:
            return parts, None
        hops = outputs.shape[1] // per_hop
        parts = ops.reshape(parts, (-1, hops, n_filters, places))
        return overlap_add(ops.transpose(parts, (0, 1, 3, 2)), carried)


class BankMaxima(BankEnergies):
    """The greatest outputs of filters in each frame; arguments as `BankEnergies`.

    The weights of the windows are not used, only how many there are.
    """

    def _carried_shape(self, bank):
        # Of a hop: its maximum, and that of the part in the window it comes first in.
        places, n_filters = super()._carried_shape(bank)
        return (places, 2 * n_filters)

    def _pool(self, outputs, is_inside, bank, carried):
        per_hop, places = self._strides // bank.stride, bank.places(self._strides)
        n_filters, hops = bank.windows.shape[1], outputs.shape[1] // per_hop
        outputs = outputs - (1.0 - is_inside) * _LOWEST
        outputs = ops.reshape(outputs, (-1, hops, per_hop, n_filters))
        whole = ops.max(outputs, axis=2)
        first = ops.max(outputs[:, :, bank.unused(self._strides) :], axis=2)
        if carried is None:
            return first, None
        maxima = ops.concatenate([whole, first], axis=-1)
        maxima = ops.concatenate([carried, maxima], axis=1)
        whole, first = ops.split(maxima, 2, axis=-1)
        frames = first[:, :hops]
        for place in range(1, places):
            frames = ops.maximum(frames, whole[:, place : place + hops])
        return frames, last(maxima, places - 1)


def _filtered(signal, taps, stride):
    """Outputs (batch, n, channels) of taps (taps, channels) on (batch, samples, 1)."""
    return ops.conv(
        signal,
        ops.convert_to_tensor(taps[:, None], dtype=signal.dtype),
        strides=stride,
        padding="valid",
        data_format="channels_last",
    )


def at_every_sample(
    frontend, taps, windows, rectify, lag, left=None, kind=BankEnergies
):
    """A frontend's filters at every sample, SAME, and what pools them.

    Args:
        frontend: A `Frontend`, of which the kernel size, strides and frames count.
        taps, windows: Arguments of `Bank`.
        rectify, lag: Arguments of `BankEnergies`.
        left: Samples before a hop at which the frame's window starts. Defaults to
            those of SAME.
        kind: `BankEnergies` or `BankMaxima`.
    """
    size, strides = frontend.kernel_size, frontend.strides
    if left is None:
        left = same_left(size, strides)
    bank = Bank(taps, -((size - 1) // 2), 1, -left, windows)
    hops = ceil_div(size, strides)
    n_missing = hops - frontend.n_frames(hops * strides)
    return kind([bank], rectify, strides, lag, (size - 1) / 2 - left, n_missing)


def same_left(kernel_size, strides):
    """Zeros before a clip of whole hops by SAME padding."""
    return max(kernel_size - strides, 0) // 2


def parts_side_by_side(taps):
    """Real parts of complex taps, then imaginary parts: (taps, 2 * n_filters)."""
    return np.concatenate([taps.real, taps.imag], axis=1)


def squared_modulus(outputs):
    """Energies of what `parts_side_by_side` filtered, (batch, outputs, n_filters)."""
    real, imaginary = ops.split(outputs, 2, axis=-1)
    return ops.square(real) + ops.square(imaginary)
