"""Answers of a frontend to those who draw, stream, compare or convert it."""

import math
from typing import Any

import numpy as np

from leaf_tf.dsp.multirate import Plan
from leaf_tf.layers import PCEN, MeanVarNorm, PreEmphasis
from leaf_tf.layers.chain import stages_of
from leaf_tf.streaming.streamable import Streamable


class Answers(Streamable):
    """The questions that a frontend is asked. The default answer is None: it has none.

    A frontend overrides the methods that it has an answer to; it must be built. Arrays
    are NumPy, float64 or complex128, and made of the weights as the forward pass uses
    them, within their bounds. How it is streamed: see `Streamable`.

    Attributes:
        published_as: Name of this frontend in `leaf_tf.weights.formats`, None where no
            other implementation has it.
        preemphasis: The layer that comes first, or None.
        compressing: The layer that compresses, or None.
        normalizing: The `MeanVarNorm` behind it, or None.
    """

    published_as: str | None = None
    sample_rate: int
    preemphasis: PreEmphasis | None = None
    compressing: Any
    normalizing: MeanVarNorm | None

    @property
    def filter_stage(self) -> Any:
        """The layer that has the filters and answers for them; or None."""
        return None

    @property
    def pooling_stage(self) -> Any:
        """The layer that has the learned pooling windows; or None."""
        return None

    def impulse_responses(self) -> np.ndarray | None:
        """Taps of the learned filters, (taps, n_filters), real or complex; or None.

        Defaults to those of `filter_stage`, as center frequencies and bandwidths do.
        """
        stage = self.filter_stage
        return None if stage is None else stage.impulse_responses()

    def frequency_responses(self) -> np.ndarray | None:
        """Amplitude responses of the learned filters, pre-emphasis left out; or None.

        Returns:
            (frequencies, n_filters), at frequencies equally far apart from 0 on, below
            the sample rate. Defaults to those of `impulse_responses`.
        """
        taps = self.impulse_responses()
        if taps is None:
            return None
        n_fft = 2 ** math.ceil(math.log2(max(8 * len(taps), 4096)))
        return np.abs(np.fft.fft(taps, n_fft, axis=0))

    def center_freqs_hz(self) -> np.ndarray | None:
        """Center frequencies that are learned, (n_filters,), Hz; or None."""
        stage = self.filter_stage
        return None if stage is None else stage.center_freqs_hz()

    def channel_freqs_hz(self) -> np.ndarray | None:
        """Center frequencies in the order of the features' channels; or None.

        Returns:
            (n_filters,), Hz. Defaults to `center_freqs_hz`, whose order is that of the
            weights: override it where channels are sorted.
        """
        return self.center_freqs_hz()

    def bandwidths_hz(self) -> np.ndarray | None:
        """FWHM of those filters' amplitude responses, (n_filters,), Hz; or None."""
        stage = self.filter_stage
        return None if stage is None else stage.bandwidths_hz()

    def pooling_widths_ms(self) -> np.ndarray | None:
        """FWHM of the pooling windows that are learned, (n_filters,), ms; or None."""
        stage = self.pooling_stage
        if stage is None:
            return None
        return stage.pooling_widths() * 1000.0 / self.sample_rate

    def pcen_parameters(self) -> dict[str, np.ndarray] | None:
        """{name: (n_filters,)} of PCEN: alpha, delta, root, smooth_coef; or None."""
        for stage in stages_of(self.compressing):
            if isinstance(stage, PCEN):
                return {n: stage.values(w) for n, w in stage.parameters().items()}
        return None

    def exact_twin(self):
        """The same frontend, computed by its definition; None if this one already is.

        A frontend that has a twin has `predicted_errors()`, too: how far its energies
        are from the twin's, see `Leaf.predicted_errors`.
        """
        return None

    @property
    def plan(self) -> Plan | None:
        """The multirate plan that it computes by now; None if it has none."""
        return None

    @property
    def plan_generation(self) -> int:
        """How often a plan was taken; 0 without one."""
        return 0

    def adopt_plan(self, plan: Plan) -> None:
        """Computes by another plan from now on; only a frontend with a plan does."""
        raise ValueError(f"{type(self).__name__} computes by no plan")

    def replan(self) -> bool:
        """Plans anew for the weights as they are; whether the plan changed."""
        return False

    def plan_holds(self) -> bool:
        """Whether the plan is good for the weights as they are; True without one."""
        return True

    def is_traced_otherwise(self, since: int = 0) -> bool:
        """Whether a function was traced by another plan than that of now.

        Args:
            since: `plan_generation` from which on traces count.
        """
        return False

    def published_weights(self) -> dict[str, Any]:
        """{name in `leaf_tf.weights.formats`: weight} to read and write there."""
        weights = {}
        if self.preemphasis is not None:
            weights["taps"] = self.preemphasis.taps
        if isinstance(self.compressing, PCEN):
            weights.update(self.compressing.parameters())
        if self.normalizing is not None:
            weights["gamma"] = self.normalizing.gamma
            weights["beta"] = self.normalizing.beta
        return weights

    def weights_were_set(self) -> None:
        """Updates what depends on the weights, after they were set from outside."""
