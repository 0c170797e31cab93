"""Compressions of a frontend in integers, on logarithms of energies."""

import math
from collections.abc import Callable

import numpy as np

from export.tflite_format.building import Builder, Values
from export.writers.micro.tables import (
    LEAST,
    LOG,
    LOG_STEP,
    RELU,
    combine,
    log2_table,
    log_constant,
    look_up,
    look_up_bytes,
    steps_of,
)
from leaf_files.errors import UserError

# Steps of tables: of powers, and of the logarithm of 1 + 2^-x.
_POWER_STEP = 2.0**-6
_SOFT_STEP = 2.0**-4
# Powers below are nothing to 14 bits.
_LEAST_POWER = -14.0
# Squares of loudness are kept so much higher, or quiet ones would be nothing.
_RAISED = 16.0
# A state holds how far a logarithm is above the least one.
_ABOVE = Values("int16", 2.0**-9)
_MAX_GAIN = math.log2(1e8)


class LogFrames:
    """Frames of a chunk, (1, 1, hops, channels), as logarithms to base 2.

    Args:
        builder: Graph to add to.
        state: Function (name, shape, values, advance) that adds a state.
        is_first: Function to a tensor (1, 1, hops, 1), 1 for the first frame.
        largest: Largest feature to be expected.
    """

    def __init__(
        self, builder: Builder, state: Callable, is_first: Callable, largest: float
    ):
        self._builder, self._state, self._is_first = builder, state, is_first
        self._largest = largest

    def features(self, compressing, energies: int, mean: int, silence) -> int:
        """The features, beside those of silence.

        Args:
            compressing: A frontend's compression, built.
            energies: Logarithms of the energies.
            mean: Logarithm of their mean over the channels, of one channel.
            silence: (channels,), features of silence.

        Raises:
            UserError: A compression that isn't computed in integers.
        """
        from leaf_tf.layers import PCEN, LogCompression, LoudnessNorm
        from leaf_tf.layers.chain import stages_of

        stages = stages_of(compressing)
        if stages and isinstance(stages[0], LoudnessNorm):
            energies = self._loudness(stages[0], energies, mean)
            stages = stages[1:]
        if len(stages) == 1 and isinstance(stages[0], PCEN):
            return self._pcen(stages[0], energies, silence)
        if len(stages) == 1 and isinstance(stages[0], LogCompression):
            return self._log(energies, silence)
        names = [type(stage).__name__ for stage in stages_of(compressing)]
        raise UserError(
            "integers compute PCEN and LogCompression, and LoudnessNorm before them; "
            f"received: {', '.join(names) or 'no compression'}"
        )

    def _add(self, one, other):
        return combine(self._builder, "ADD", one, other)

    def _subtract(self, one, other):
        return combine(self._builder, "SUB", one, other)

    def _constant(self, values):
        return log_constant(self._builder, np.reshape(values, (1, 1, 1, -1)))

    def _loudness(self, stage, energies, mean):
        """`leaf_tf.LoudnessNorm`."""
        builder = self._builder
        raised = self._add(mean, self._constant([_RAISED / 2]))
        squares = self._add(raised, raised)
        both = builder.joined([mean, squares], axis=3)
        decay = np.full(2, _log2(1.0 - stage.smooth_coef))
        sums = self._sums("loudness", both, decay, np.zeros(2))
        loudness = self._subtract(
            builder.cut(sums, 3, 1, 1), builder.cut(sums, 3, 0, 1)
        )
        floor = self._constant([_log2(stage.floor) + _RAISED])
        loudness = combine(builder, "MAXIMUM", loudness, floor)
        loudness = self._subtract(loudness, self._constant([_RAISED]))
        if stage.strength != 1.0:
            strength = self._factor([stage.strength])
            loudness = combine(builder, "MUL", loudness, strength)
        return self._subtract(energies, loudness)

    def _factor(self, values):
        """A constant to multiply by."""
        values = np.reshape(values, (1, 1, 1, -1))
        meaning = Values("int16", float(max(np.abs(values).max(), 1e-6)) / 32767)
        return self._builder.constant(meaning.numbers(values), meaning)

    def _pcen(self, stage, energies, silence):
        """`leaf_tf.PCEN`."""
        alpha, delta, root, smooth = (
            np.asarray(stage.bounded(weight), np.float64)
            for weight in (stage.alpha, stage.delta, stage.root, stage.smooth_coef)
        )
        if alpha.max() > 1e-3:
            gains = self._gains(energies, alpha, smooth)
            energies = self._add(energies, gains)
        ratio = self._subtract(energies, self._constant(np.log2(delta)))
        powers = combine(
            self._builder, "MUL", self._soft(ratio), self._factor(1.0 / root)
        )
        # (2^ratio + 1)^(1 / root) delta^(1 / root)
        powers = self._add(powers, self._constant(np.log2(delta) / root))
        return self._power(powers, delta ** (1.0 / root) + silence)

    def _gains(self, energies, alpha, smooth):
        """Logarithms of 1 / M^alpha."""
        builder = self._builder
        # The first frame's mean is its energy.
        first = combine(
            builder, "MUL", self._is_first(), self._constant(-_log2(smooth))
        )
        sums = self._sums(
            "smoothed", self._add(energies, first), _log2(1.0 - smooth), _log2(smooth)
        )
        gains = combine(builder, "MUL", sums, self._factor(-alpha))
        if alpha.max() * LEAST > -_MAX_GAIN:
            return gains
        most = self._constant([_MAX_GAIN])
        return builder.operator("MINIMUM", [gains, most], builder.shape_of(gains), LOG)

    def _log(self, energies, silence):
        """`leaf_tf.LogCompression`."""
        from leaf_tf.dsp.compression import LOG_OFFSET

        offset = math.log2(LOG_OFFSET)
        logs = self._soft(self._subtract(energies, self._constant([offset])))
        logs = self._add(logs, self._constant([offset]))
        values = Values("int16", LOG.step * math.log(2.0))
        logs = self._builder.reread(logs, values)
        rest = self._builder.constant(
            values.numbers(np.reshape(silence, (1, 1, 1, -1))), values
        )
        return combine(self._builder, "SUB", logs, rest, values)

    def _soft(self, logs):
        """log2(1 + 2^x)."""
        builder = self._builder
        shape = builder.shape_of(logs)
        distance = builder.operator("ABS", [logs], shape, LOG)
        entries = steps_of(builder, distance, _SOFT_STEP)
        table = np.log2(1.0 + 2.0 ** (-_SOFT_STEP * np.arange(32 / _SOFT_STEP + 1)))
        rest = look_up_bytes(builder, entries, table, Values("int8", 2.0**-8, -128))
        positive = builder.operator("RELU", [logs], shape, LOG)
        return self._add(positive, rest)

    def _power(self, logs, less):
        """2^x less a number of each channel."""
        builder = self._builder
        # Some more than was seen: what is above counts as that.
        most = 1.1 * self._largest + float(np.max(less))
        lowest = float(np.floor(np.log2(np.maximum(less, 1e-6)).min()))
        highest = math.ceil(math.log2(most))
        start = self._constant([lowest])
        ahead = combine(builder, "SUB", logs, start, fusedActivationFunction=RELU)
        top = self._constant([highest - lowest])
        ahead = builder.operator("MINIMUM", [ahead, top], builder.shape_of(ahead), LOG)
        entries = steps_of(builder, ahead, _POWER_STEP)
        size = int((highest - lowest) / _POWER_STEP)
        table = 2.0 ** (lowest + _POWER_STEP * np.arange(size + 1))
        values = Values("int16", most / 8000)
        powers = look_up(builder, entries, np.minimum(table, most), values.step)
        rest = builder.constant(values.numbers(np.reshape(less, (1, 1, 1, -1))), values)
        return combine(builder, "SUB", powers, rest, values)

    def _sums(self, name, logs, decay, gain):
        """log2 of s_t = 2^gain x_t + 2^decay s_(t - 1), x = 2^logs.

        Args:
            name: Name of the state.
            logs: (1, 1, hops, channels).
            decay, gain: (channels,), logarithms.

        Returns:
            (1, 1, hops, channels).
        """
        builder = self._builder
        _, _, hops, channels = builder.shape_of(logs)

        def advance(before):
            sums = self._sums_from(before, logs, decay, gain)
            return sums, builder.cut(sums, 2, hops - 1, 1)

        # A state of zeros has to be nothing: it holds how far it is above that.
        shape = (1, 1, 1, channels)
        return self._state(name, shape, _ABOVE, self._from_least(advance))

    def _from_least(self, advance):
        least = self._constant([LEAST])

        def shifted(before):
            # Logarithms from -32 to 0, of a state from 0 to 32.
            result, after = advance(self._add(before, least))
            return result, combine(self._builder, "SUB", after, least, _ABOVE)

        return shifted

    def _sums_from(self, before, logs, decay, gain):
        builder = self._builder
        _, _, hops, channels = builder.shape_of(logs)
        sequence = builder.joined([before, logs], axis=2)
        age = np.arange(1, hops + 1)[:, None] - np.arange(hops + 1)
        weights = age[..., None] * decay + np.where(np.arange(hops + 1) > 0, 1, 0)[
            None, :, None
        ] * np.asarray(gain)
        weights = np.where(age[..., None] < 0, LEAST, np.maximum(weights, LEAST))
        terms = combine(builder, "ADD", sequence, log_constant(builder, weights[None]))
        largest = builder.operator(
            "MAX_POOL_2D",
            [terms],
            (1, hops, 1, channels),
            LOG,
            padding=1,
            strideH=1,
            strideW=1,
            filterHeight=1,
            filterWidth=hops + 1,
        )
        below = self._subtract(largest, terms)
        size = int(-_LEAST_POWER / _POWER_STEP)
        table = 2.0 ** (-_POWER_STEP * np.arange(size + 1))
        end = self._constant([-_LEAST_POWER])
        below = combine(builder, "MINIMUM", below, end)
        entries = steps_of(builder, below, _POWER_STEP)
        powers = look_up(builder, entries, table, 2.0**-13 * 1.01)
        axis = builder.constant(np.array([2]), Values("int32"))
        share = Values("int16", 1.0 / 32767)
        mean = builder.operator("MEAN", [powers, axis], (1, hops, channels), share)
        entries = steps_of(builder, mean, LOG_STEP * share.step)
        shape = (1, 1, hops, channels)
        sums = look_up(builder, entries, log2_table(), 2.0**-8, shape=shape)
        scale = math.log2((hops + 1) * LOG_STEP * share.step)
        sums = self._add(sums, self._constant([scale]))
        return self._add(sums, builder.reshape(largest, shape))


def _log2(values):
    return np.log2(np.maximum(values, 2.0**LEAST))
