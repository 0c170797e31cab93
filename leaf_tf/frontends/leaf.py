"""LEAF, the learnable frontend."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import mel
from leaf_tf.dsp.alignment import Bounds, align
from leaf_tf.dsp.multirate import TOLERANCE, Plan, pooled_energies
from leaf_tf.dsp.types import Tensor
from leaf_tf.frontends.base import Frontend
from leaf_tf.frontends.live_plan import LivePlan, can_branch
from leaf_tf.layers import GaborConv1D, GaussianLowpass, PreEmphasis, SquaredModulus
from leaf_tf.layers.lowpass import INITIAL_WIDTH, PADDINGS
from leaf_tf.streaming.banks import (
    at_every_sample,
    parts_side_by_side,
    squared_modulus,
)
from leaf_tf.streaming.compact import compact_energies
from leaf_tf.streaming.planned import PlannedEnergies

METHODS = ("fast", "exact")


@keras.saving.register_keras_serializable("leaf_tf")
class Leaf(Frontend):
    """Learns filtering, pooling and compression from the waveform.

    Gabor filters, squared modulus, Gaussian lowpass, then PCEN: 7 numbers a
    filter, 280 for 40 filters, 448 for 64. Starts as a mel-filterbank.

    As published, every filter runs at every sample, 20 times the work of a
    mel-filterbank. The default computes the same function, within a tolerance,
    at about the price of mel: energies of low filters at low rates, as the plan
    `self.plan` says (see `leaf_tf.dsp.multirate`). The plan is good for filters near
    those it was made for: optimizers keep the weights there, and the callback
    `leaf_tf.Replan` moves the plan along. What was compiled before you set weights
    elsewhere, as `model.set_weights` does, sees that when it runs, and computes by the
    exact method: right, but slowly, until `leaf_tf.replan(model)` has it traced again.
    What XLA compiled (`jit_compile=True`, all of JAX) answers NaN until then.

    Args:
        n_filters: Filters, and channels of the features. Defaults to 40.
        sample_rate: Sample rate of the waveform, Hz. Defaults to 16000.
        window_len: Length of the filters and of the pooling window, ms.
        window_stride: Hop between frames, ms.
        min_freq, max_freq: Edges of the initial mel bank, Hz. `max_freq`
            defaults to 7800, or 97.5 % of half the sample rate where that is
            lower.
        learn_filters: Whether the filters are trained.
        learn_pooling: Whether the pooling widths are trained.
        preemp: Whether a pre-emphasis comes first.
        learn_preemp: Whether it is trained. Defaults to `learn_filters`.
        compression: "pcen" (`PCEN`, learned, as published), "soft_pcen" (what
            `leaf-train fit` takes: half a `LoudnessNorm`, then a PCEN that starts close
            to a logarithm), "loudness_pcen" (for noise and any volume: all of it, then
            a PCEN that starts as a cube root), "simplified_pcen" (`SimplifiedPCEN`),
            "multi_rate_pcen" (`MultiRatePCEN`: three channels a filter), "log1p"
            (`Log1pCompression`, log(1 + 10^a E), a learned), "log" (log(E + 1e-5)),
            "none", or a Keras layer from energies (batch, frames, n_filters) to
            features.
        min_energy: Least energy that the compression is given. Defaults to 1e-5; to 0
            for "soft_pcen" and "loudness_pcen", to which a quiet sound isn't silence.
        initial_filters: "mel" (exact mel centers and widths), "official_mel" (read
            off 512 FFT bins, as leaf-audio does), "linear" or "random".
        sort_filters: Whether the features are in order of the center frequencies,
            also after training moved them past each other.
        filter_regularizer, pooling_regularizer: Keras regularizers of the center
            frequencies and sigmas, and of the pooling widths.
        method: "fast", within `tolerance`, or "exact", every filter at every
            sample.
        tolerance: Limit of the fast method: relative RMS error of a pooled energy on
            noise. PCEN makes about a fifth of it. Where nothing faster meets it,
            filters are computed at every sample.
        pooling_padding: Place of the zeros beyond the ends: "same", as in
            leaf-audio, or "symmetric", half a window on either side, as in
            leaf-pytorch, SpeechBrain and EfficientLEAF. At 16000 samples the
            frames of "symmetric" are 5 ms earlier.
        pooling_bias: Whether pooling adds a learned number to each channel,
            initially 1, as in leaf-pytorch and SpeechBrain.
        mean_var_norm: Whether each channel of a clip is brought to mean 0 and variance
            1 after the compression, then scaled and shifted by learned numbers
            (`MeanVarNorm`). Defaults to False.
        spec_augment: Whether features are masked and warped in training: True for the
            defaults of `SpecAugment`, or such a layer. Defaults to False.

    Call arguments:
        waveform: See the input shape; or a ragged tensor of TensorFlow.
        lengths: Samples of each clip, (batch,), integers from 1, where clips of
            different lengths share a batch: each clip's features are those of the clip
            alone, zeros after them, with a mask for the layers behind.
        mask: Alternative to `lengths`: (batch, samples), True where there is sound, as
            Keras passes it along.

    Input shape: (batch, samples) or (batch, samples, 1), float, scaled to
        [-1, 1], any length from 1 sample.
    Output shape: (batch, ceil(samples / strides), n_filters), strides =
        sample_rate * window_stride / 1000, the policy's compute dtype.

    Raises:
        ValueError: Argument out of range; a waveform of several channels or of
            integers.

    Example:
        >>> features = leaf_tf.Leaf()(np.zeros((8, 16000), "float32"))
        >>> features.shape
        TensorShape([8, 100, 40])

    Source: Zeghidour et al., LEAF, ICLR 2021, arXiv:2101.08596.
    """

    published_as = "Leaf"

    def __init__(
        self,
        n_filters: int = 40,
        sample_rate: int = 16000,
        window_len: float = 25.0,
        window_stride: float = 10.0,
        min_freq: float = 60.0,
        max_freq: float | None = None,
        learn_filters: bool = True,
        learn_pooling: bool = True,
        preemp: bool = False,
        compression: str | keras.layers.Layer = "pcen",
        initial_filters: str = "mel",
        method: str = "fast",
        tolerance: float = TOLERANCE,
        pooling_padding: str = "same",
        pooling_bias: bool = False,
        learn_preemp: bool | None = None,
        sort_filters: bool = False,
        filter_regularizer: Any = None,
        pooling_regularizer: Any = None,
        min_energy: float | None = None,
        **kwargs,
    ):
        super().__init__(
            n_filters,
            sample_rate,
            window_len,
            window_stride,
            min_freq,
            max_freq,
            compression,
            **kwargs,
        )
        if method not in METHODS:
            raise ValueError(f"`method` must be one of {METHODS}. Received: {method!r}")
        if not tolerance > 0:
            raise ValueError(f"`tolerance` must be above 0. Received: {tolerance}")
        if min_energy is not None and not min_energy >= 0:
            raise ValueError(f"`min_energy` must be at least 0. Received: {min_energy}")
        self.min_energy = min_energy
        if min_energy is not None:
            self.least_energy = min_energy
        self.learn_filters = learn_filters
        self.learn_pooling = learn_pooling
        self.preemp = preemp
        self.initial_filters = initial_filters
        self.method = method
        self.tolerance = tolerance
        if pooling_padding not in PADDINGS:
            raise ValueError(
                f"`pooling_padding` must be one of {PADDINGS}. "
                f"Received: {pooling_padding!r}"
            )
        self.pooling_padding = pooling_padding
        self.pooling_bias = pooling_bias
        self.learn_preemp = learn_filters if learn_preemp is None else learn_preemp
        self.sort_filters = sort_filters
        self.filter_regularizer = keras.regularizers.get(filter_regularizer)
        self.pooling_regularizer = keras.regularizers.get(pooling_regularizer)
        self._live_plan: LivePlan | None = None
        policy = self.dtype_policy
        self.preemphasis = (
            PreEmphasis(trainable=self.learn_preemp, dtype=policy, name="preemphasis")
            if preemp
            else None
        )
        self.filtering = GaborConv1D(
            n_filters,
            self.kernel_size,
            sample_rate,
            self.min_freq,
            self.max_freq,
            initial_filters=initial_filters,
            regularizer=self.filter_regularizer,
            trainable=learn_filters,
            dtype=policy,
            name="filtering",
        )
        self.modulus = SquaredModulus(dtype=policy, name="modulus")
        self.pooling = GaussianLowpass(
            self.kernel_size,
            self.strides,
            padding=pooling_padding,
            use_bias=pooling_bias,
            regularizer=self.pooling_regularizer,
            trainable=learn_pooling,
            dtype=policy,
            name="pooling",
        )

    def build(self, input_shape):
        super().build(input_shape)
        batch, samples = input_shape[:2]
        energies_shape = (batch, samples, self.n_filters)
        if self.preemphasis is not None:
            self.preemphasis.build((batch, samples, 1))
        self.filtering.build((batch, samples, 1))
        self.modulus.build((batch, samples, 2 * self.n_filters))
        self.pooling.build(energies_shape)
        if self.method == "fast":
            self._live_plan = LivePlan(self, self._initial_bank())

    @property
    def plan(self) -> Plan | None:
        """The `multirate.Plan` that the fast method computes by; None if exact."""
        return self._live_plan.current() if self._live_plan else None

    def bounded_weights(self):
        """center_freqs, sigmas and pooling widths, each within its bounds.

        Values outside, as an import may bring, are kept but never computed with.
        """
        return (
            self.filtering.bounded(self.filtering.center_freqs),
            self.filtering.bounded(self.filtering.sigmas),
            self.pooling.bounded(self.pooling.widths),
        )

    def replan(self) -> bool:
        """Plans anew for the weights as they are.

        Returns:
            Whether the plan changed: functions that were compiled before must then
            be traced again, as `leaf_tf.replan(model)` has them.
        """
        return self._live_plan.replan() if self._live_plan else False

    def adopt_plan(self, plan: Plan) -> None:
        """Computes by another plan from now on, until weights move or `replan`.

        Functions that were compiled before must be traced again.

        Args:
            plan: `multirate.Plan` for filters near these, such as
                `self.plan.compact()`.

        Raises:
            ValueError: The exact method has no plan.
        """
        if self._live_plan is None:
            raise ValueError("a Leaf of the exact method computes by no plan")
        self._live_plan.adopt(plan)

    def plan_holds(self) -> bool:
        """Whether the fast method is within twice its tolerance for the weights."""
        return self._live_plan.holds() if self._live_plan else True

    @property
    def plan_generation(self) -> int:
        """How often a plan was taken; 0 if exact."""
        return self._live_plan.generation if self._live_plan else 0

    def is_traced_otherwise(self, since: int = 0) -> bool:
        """Whether a function was traced by another plan than that of now.

        Such functions compute by the exact method where their own plan doesn't reach
        the weights.

        Args:
            since: `plan_generation` from which on traces count.
        """
        return self._live_plan is not None and self._live_plan.has_other_traces(since)

    def predicted_errors(self) -> np.ndarray:
        """Relative RMS errors of the pooled energies that the plan predicts.

        Returns:
            (4, n_filters), see `multirate.predicted_errors`; zeros if exact.
        """
        if self._live_plan is None:
            return np.zeros((4, self.n_filters))
        return self._live_plan.predicted_errors()

    def exact_twin(self):
        if self.method == "exact":
            return None
        twin = type(self).from_config({**self.get_config(), "method": "exact"})
        twin.build((None, None))
        twin.set_weights(self.get_weights())
        return twin

    @property
    def filter_stage(self):
        return self.filtering

    @property
    def pooling_stage(self):
        return self.pooling

    def channel_freqs_hz(self) -> np.ndarray:
        centers = self.filtering.center_freqs_hz()
        return np.sort(centers) if self.sort_filters else centers

    def published_weights(self) -> dict[str, Any]:
        weights = {
            **super().published_weights(),
            "center_freqs": self.filtering.center_freqs,
            "sigmas": self.filtering.sigmas,
            "widths": self.pooling.widths,
        }
        return {**weights, "bias": self.pooling.bias} if self.pooling_bias else weights

    def weights_were_set(self) -> None:
        self.replan()

    def copy_to_stream(self):
        copy = super().copy_to_stream()
        if copy.method == "fast":
            copy.adopt_plan(copy.plan.compact())
        return copy

    def energies_on_stream(self, lag):
        if self.method == "fast":
            return PlannedEnergies(self, lag), self.completed
        taps = parts_side_by_side(self.impulse_responses())
        windows = ops.convert_to_numpy(self.pooling.taps())
        is_same = self.pooling_padding == "same"
        left = None if is_same else (self.kernel_size - 1) // 2
        stage = at_every_sample(self, taps, windows, squared_modulus, lag, left)
        return stage, self.completed

    def energies_on_compact_stream(self, lag):
        return compact_energies(self, lag)

    def compute_energies(self, waveform: Tensor, lengths: Tensor | None) -> Tensor:
        bounds = None
        if lengths is not None and self.pooling_padding == "symmetric":
            bounds = Bounds(ops.zeros_like(lengths), lengths)
        elif lengths is not None:
            size, strides = self.pooling.kernel_size, self.pooling.strides
            waveform, bounds = align(waveform, lengths, size, strides)
        waveform = self.preemphasized(waveform, bounds)
        compute = self._fast_energies if self.method == "fast" else self._exact_energies
        return self.completed(compute(waveform, bounds))  # (batch, frames, n_filters)

    def completed(self, pooled):
        """Adds the bias, sorts the channels if asked to, clips to the least energy."""
        energies = self.pooling.add_bias(pooled)
        if self.sort_filters:
            center_freqs, _, _ = self.bounded_weights()
            energies = ops.take(energies, ops.argsort(center_freqs), axis=-1)
        return ops.maximum(energies, self.least_energy)

    def completed_in_order(self, pooled):
        """`completed`, of energies that are in the order of the features."""
        if self.pooling_bias:
            bias = self.pooling.bias
            if self.sort_filters:
                center_freqs, _, _ = self.bounded_weights()
                bias = ops.take(bias, ops.argsort(center_freqs))
            pooled = pooled + bias
        return ops.maximum(pooled, self.least_energy)

    def _exact_energies(self, waveform, bounds):
        outputs = self.filtering(waveform[..., None])  # (batch, samples, 2 * n_filters)
        outputs = self.modulus(outputs)  # (batch, samples, n_filters)
        if bounds is not None:
            outputs = bounds.keep(outputs)
        return self.pooling.pool(outputs)  # (batch, frames, n_filters)

    def _fast_energies(self, waveform, bounds):
        live_plan: Any = self._live_plan
        plan = live_plan.current()
        center_freqs, sigmas, widths = self.bounded_weights()
        planned = pooled_energies(
            waveform, center_freqs, sigmas, widths, plan, bounds, self.pooling_padding
        )
        is_within_reach = live_plan.is_within_reach((center_freqs, sigmas, widths))
        if is_within_reach is None:
            return planned
        # This is being traced; the weights may be moved afterwards.
        if not can_branch():
            return ops.where(is_within_reach, planned, math.nan)
        # The branches hold no more than they must: XLA aside, what lies in one is
        # traced anew for its gradient.
        return ops.cond(
            is_within_reach,
            lambda: planned,
            lambda: self._exact_energies(waveform, bounds),
        )

    def _initial_bank(self):
        center_freqs, sigmas = mel.initial_gabor_filters(
            self.n_filters,
            self.kernel_size,
            self.sample_rate,
            self.min_freq,
            self.max_freq,
            self.initial_filters,
        )
        return center_freqs, sigmas, np.full(self.n_filters, INITIAL_WIDTH)

    def get_build_config(self):
        config = super().get_build_config()
        if config is not None and self._live_plan is not None:
            config = {**config, "plan": self._live_plan.current().get_config()}
        return config

    def build_from_config(self, config):
        plan = config.get("plan")
        super().build_from_config(
            {name: value for name, value in config.items() if name != "plan"}
        )
        if plan is not None:
            self.adopt_plan(Plan.from_config(plan))

    def get_config(self):
        return {
            **super().get_config(),
            "learn_filters": self.learn_filters,
            "learn_pooling": self.learn_pooling,
            "preemp": self.preemp,
            "initial_filters": self.initial_filters,
            "learn_preemp": self.learn_preemp,
            "sort_filters": self.sort_filters,
            "filter_regularizer": keras.regularizers.serialize(self.filter_regularizer),
            "pooling_regularizer": keras.regularizers.serialize(
                self.pooling_regularizer
            ),
            "method": self.method,
            "tolerance": self.tolerance,
            "pooling_padding": self.pooling_padding,
            "pooling_bias": self.pooling_bias,
            "min_energy": self.min_energy,
        }
