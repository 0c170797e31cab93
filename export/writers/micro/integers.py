"""The frontend of a microcontroller's model in integers.

The filters compute in int16, from samples of 16 bits and taps of 8. A square has twice
the decades: it is made at four scales, 18 dB apart, of which the coarse ones don't
clip and the fine ones resolve; pooled, each becomes a logarithm by a table, and the
largest of them is right: a scale that clips gives less, and one that is too coarse
nothing. From there on all is in logarithms, where a loudness or a mean over time is a
sum of powers, a gain a difference, and PCEN's root a product.
"""

import math
from typing import Any

import numpy as np

from export.contract.layout import INPUT, STATE
from export.tflite_format.building import Builder, Values, new_model
from export.writers.micro.compressing import LogFrames
from export.writers.micro.frames import FRAMES, FrameStream
from export.writers.micro.tables import (
    LEAST,
    LOG,
    LOG_ENTRIES,
    LOG_STEP,
    RELU,
    combine,
    log2_table,
    log_constant,
    look_up,
    steps_of,
)
from leaf_files.errors import UserError

_SAMPLES = Values("int16", 2.0**-15)
# Ranges of the squares, and how far apart.
_RANGES = 4
_RANGES_OF_AN_OUTPUT = 2
_RATIO = 64.0
# A range is looked up as it is, and so many times finer.
_FINER = 64.0
_COUNT = Values("int16", 1.0)
_SHARE = Values("int16", 1.0 / 32767)


def integer_frames(frames: FrameStream, largest: float) -> Any:
    """`FrameStream.float32` in integers.

    Args:
        frames: The frontend.
        largest: Largest feature to be expected.

    Returns:
        `ModelT`; the waveform and the frames are int16.

    Raises:
        UserError: The frontend has a stage that isn't computed in integers.
    """
    return _Frontend(frames, largest).model


class _Frontend:
    """Builds the graph.

    Args:
        frames: `FrameStream`.
        largest: Largest feature to be expected.
    """

    def __init__(self, frames, largest):
        from leaf_tf import Leaf
        from leaf_tf.streaming.compact import compact_banks

        leaf = frames.frontend
        if not isinstance(leaf, Leaf) or leaf.preemp or leaf.pooling_bias:
            raise UserError(
                "only a Leaf is computed in integers, without preemp and pooling_bias"
            )
        self._leaf, self._hops = leaf, frames.hops
        self._delay = frames.stream.delay
        self._banks = compact_banks(leaf)
        self._per_hop = leaf.strides // self._banks[0].stride
        self._n_outputs = (self._hops - 1) * self._per_hop
        self._n_outputs += len(self._banks[0].windows)
        self.model = new_model()
        self._builder = Builder(self.model)
        self._states: dict[str, tuple[int, int]] = {}
        waveform = self._builder.tensor((1, frames.chunk_samples), _SAMPLES, INPUT)
        is_frame, is_first = self._beginning()
        logs = self._logs(self._energies(waveform))
        logs = combine(self._builder, "ADD", logs, is_frame)
        energies = self._builder.cut(logs, 3, 0, leaf.n_filters)
        loudness = self._builder.cut(logs, 3, leaf.n_filters, 1)
        if leaf.least_energy > 0.0:
            floor = log_constant(self._builder, [math.log2(leaf.least_energy)])
            energies = combine(self._builder, "MAXIMUM", energies, floor)
        compressing = LogFrames(self._builder, self._state, is_first, largest)
        output = compressing.features(
            leaf.compressing, energies, loudness, frames.stream.silence
        )
        output = self._builder.reshape(output, (1, self._hops, leaf.n_filters))
        self._builder.name_ends(
            {INPUT: waveform, **{k: v[0] for k, v in self._states.items()}},
            {FRAMES: output, **{k: v[1] for k, v in self._states.items()}},
        )

    def _state(self, name, shape, values, advance):
        """Adds a state; `advance` makes of its tensor the one after the chunk."""
        before = self._builder.tensor(shape, values, f"{STATE}{name}")
        result, after = advance(before)
        self._states[f"{STATE}{name}"] = before, after
        return result

    def _beginning(self):
        """What is added to logarithms of frames before the stream; the first frame.

        Returns:
            (1, 1, hops, 1): 0 or `LEAST`; 1 for the first frame, else 0.
        """
        builder = self._builder

        def advance(heard):
            hops = builder.constant(np.full((1, 1, 1, 1), self._hops), _COUNT)
            return heard, combine(builder, "ADD", heard, hops, _COUNT)

        heard = self._state("heard", (1, 1, 1, 1), _COUNT, advance)
        shape = (1, 1, self._hops, 1)

        def begun(ahead):
            """1 from frame -ahead on."""
            places = np.arange(self._hops) - self._delay + ahead
            places = builder.constant(places.reshape(shape), _COUNT)
            count = builder.operator(
                "ADD", [heard, places], shape, _COUNT, fusedActivationFunction=RELU
            )
            # More than one is one.
            return builder.operator("QUANTIZE", [count], shape, _SHARE)

        is_frame = begun(1)
        one = builder.constant(np.full((1, 1, 1, 1), 32767), _SHARE)
        missing = combine(builder, "SUB", is_frame, one, _SHARE)
        least = log_constant(builder, np.full((1, 1, 1, 1), -LEAST - 2.0**-10))

        def is_first():
            return combine(builder, "SUB", is_frame, begun(0), _SHARE)

        return combine(builder, "MUL", missing, least), is_first

    def _energies(self, waveform):
        """Pooled squares of all ranges, (1, ranges, hops, 2 * n_filters)."""
        builder = self._builder
        start = min(self._first(bank) for bank in self._banks)
        history = max(-start, 0)

        chunk = builder.reshape(waveform, (1, 1, builder.shape_of(waveform)[1], 1))

        def advance(before):
            signal = builder.joined([before, chunk], axis=2)
            size = builder.shape_of(signal)[2]
            # What is kept is cut last: so less is held at a time.
            energies = self._ranges(signal, history)
            return energies, builder.cut(signal, 2, size - history, history)

        return self._state("waveform", (1, 1, history, 1), _SAMPLES, advance)

    def _ranges(self, signal, history):
        """`_energies` of a signal, `history` samples of it before the chunk."""
        builder = self._builder
        gain = max(np.abs(bank.taps).sum(axis=0).max() for bank in self._banks)
        weight = max(bank.windows.sum(axis=0).max() for bank in self._banks)
        # The largest output, and the largest energy.
        self._filtered = gain / 32767
        self._square = gain**2 / 32767
        self._energy = self._square * weight
        windows = [np.repeat(bank.windows, 2, axis=1) for bank in self._banks]
        numbers, values = per_channel(np.concatenate(windows, axis=1)[None, None], 3)
        weights = builder.constant(numbers, values)
        decimated = [self._decimated(signal, bank, history) for bank in self._banks]
        pooled: list[int] = []
        while len(pooled) < _RANGES:
            # The finer ranges are squares of finer outputs, which clip sooner.
            scale = self._filtered / math.sqrt(_RATIO ** len(pooled))
            parts = []
            for bank, source in zip(self._banks, decimated):
                if source is None:
                    # Cut anew for each range: to keep it takes more memory.
                    source = self._part(signal, bank, history)
                parts.append(self._outputs(source, bank, scale))
            outputs = builder.joined(parts, axis=3)
            for _ in range(_RANGES_OF_AN_OUTPUT):
                pooled.append(self._pooled(outputs, weights, len(pooled)))
        # From here on all ranges count as if they were the first.
        return builder.joined(pooled, axis=1)

    def _first(self, bank):
        """First sample that a bank takes, from the start of the chunk."""
        return bank.first_output - self._delay * self._leaf.strides + bank.first_sample

    def _part(self, signal, bank, history):
        """The samples that a bank takes, (1, 1, samples, 1)."""
        reach = bank.reach(self._n_outputs)
        return self._builder.cut(signal, 2, history + self._first(bank), reach)

    def _decimated(self, signal, bank, history):
        """The samples at a bank's rate, (1, 1, samples, 1); None at the full rate."""
        if bank.decimator is None:
            return None
        builder, taps = self._builder, bank.decimator[None, None, :, None]
        numbers, _ = per_channel(taps, axis=0)
        # Rounded taps, too, keep the level of what they pass.
        values = Values("int8", (float(bank.decimator.sum() / numbers.sum()),))
        return builder.operator(
            "CONV_2D",
            [self._part(signal, bank, history), builder.constant(numbers, values), -1],
            (1, 1, bank.decimated(self._n_outputs), 1),
            _SAMPLES,
            **_options(stride=bank.rate),
        )

    def _outputs(self, source, bank, scale):
        """Real and imaginary parts of a bank's filters, (1, 1, outputs, channels)."""
        builder = self._builder
        n_taps, channels = bank.taps.shape
        # Real and imaginary part of each filter side by side.
        taps = bank.taps.reshape(n_taps, 2, -1).transpose(2, 1, 0)
        taps, values = per_channel(taps.reshape(channels, 1, n_taps, 1), axis=0)
        return builder.operator(
            "CONV_2D",
            [source, builder.constant(taps, values), -1],
            (1, 1, self._n_outputs, channels),
            Values("int16", scale),
            **_options(stride=bank.stride // bank.rate),
        )

    def _pooled(self, outputs, windows, index):
        """Energies of one range, (1, 1, hops, channels)."""
        builder = self._builder
        shape = builder.shape_of(outputs)
        square = Values("int16", self._square / _RATIO**index)
        squares = builder.operator("MUL", [outputs, outputs], shape, square)
        # TFLite Micro asks for a bias.
        bias = builder.constant(np.zeros(shape[3]), Values("int64"))
        return builder.operator(
            "DEPTHWISE_CONV_2D",
            [squares, windows, bias],
            (1, 1, self._hops, shape[3]),
            Values("int16", self._energy / _RATIO**index),
            depthMultiplier=1,
            **_options(stride=self._per_hop),
        )

    def _mean(self, source, axis, values):
        builder = self._builder
        shape = [n for i, n in enumerate(builder.shape_of(source)) if i != axis]
        axes = builder.constant(np.array([axis]), Values("int32"))
        return builder.operator("MEAN", [source, axes], shape, values)

    def _logs(self, energies):
        """Logarithms of the energies and of their mean, (1, 1, hops, n_filters + 1)."""
        builder, n_filters, hops = self._builder, self._leaf.n_filters, self._hops
        channels, raw = n_filters + 1, Values("int16", self._energy)
        # Real and imaginary parts are averaged; and all filters, for the loudness.
        parts = builder.reshape(energies, (1, _RANGES * hops, n_filters, 2))
        filters = self._mean(parts, 3, raw)
        filters = builder.reshape(filters, (1, _RANGES, hops, n_filters))
        loudness = self._mean(filters, 3, raw)
        loudness = builder.reshape(loudness, (1, _RANGES, hops, 1))
        summed = builder.joined([filters, loudness], axis=3)
        finer = builder.operator(
            "QUANTIZE",
            [summed],
            builder.shape_of(summed),
            Values("int16", self._energy / _FINER),
        )
        both = builder.joined([summed, builder.reread(finer, raw)], axis=1)
        entries = steps_of(builder, both, self._energy * LOG_STEP)
        n_ranges = 2 * _RANGES
        # The finest range is exact down to its first number.
        shift = np.full((1, n_ranges, 1, 1), LOG_ENTRIES + 1)
        shift[0, -1] = 0
        logs = look_up(
            builder,
            entries,
            log2_table(),
            2.0**-8,
            builder.constant(shift, Values("int32")),
            (1, n_ranges, hops * channels, 1),
        )
        scales = np.array(
            [2 * self._energy * LOG_STEP / _RATIO**i for i in range(_RANGES)]
            + [2 * self._energy * LOG_STEP / _RATIO**i / _FINER for i in range(_RANGES)]
        )
        offsets = log_constant(builder, np.log2(scales).reshape(1, n_ranges, 1, 1))
        logs = combine(builder, "ADD", logs, offsets)
        largest = builder.operator(
            "MAX_POOL_2D",
            [logs],
            (1, 1, hops * channels, 1),
            LOG,
            padding=1,
            strideH=1,
            strideW=1,
            filterHeight=n_ranges,
            filterWidth=1,
        )
        return builder.reshape(largest, (1, 1, hops, channels))


def per_channel(weights: np.ndarray, axis: int) -> tuple[np.ndarray, Values]:
    """Weights in int8, with a scale for each channel.

    Args:
        weights: Array.
        axis: Axis of the channels.

    Returns:
        The numbers, and their `Values`.

    Example:

    >>> numbers, values = per_channel(np.array([[1.0, -0.5], [0.1, 0.0]]), axis=0)
    >>> numbers.tolist(), values.axis
    ([[127, -64], [127, 0]], 0)
    """
    others = tuple(i for i in range(weights.ndim) if i != axis)
    scales = np.maximum(np.abs(weights).max(axis=others), 1e-12) / 127
    shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
    numbers = np.round(weights / scales.reshape(shape)).astype(np.int8)
    return numbers, Values("int8", tuple(scales.tolist()), 0, axis)


def _options(stride=1):
    return {
        "padding": 1,
        "strideH": 1,
        "strideW": stride,
        "dilationHFactor": 1,
        "dilationWFactor": 1,
    }
