"""The interface of layers that can be streamed."""

from typing import Any

import numpy as np


class Streamable:
    """A mixin for Keras layers; by default they can't be streamed.

    Attributes:
        mean_var_norm: Whether the mean and variance of the whole clip are needed.
    """

    mean_var_norm: bool

    def copy_to_stream(self):
        """A layer of the same weights, built, which no training changes."""
        layer: Any = self
        if not layer.built:
            layer.build((None, None))
        copy = type(layer).from_config(layer.get_config())
        copy.build_from_config(layer.get_build_config())
        copy.set_weights([np.array(weight) for weight in layer.get_weights()])
        return copy

    def energies_on_stream(self, lag):
        """The stages that compute the energies of the layer, built, chunk by chunk.

        Args:
            lag: Samples that its waveform comes late.

        Returns:
            A stage as `streaming.planned.PlannedEnergies`, and a function from its
            frames to those that are compressed. None: it can't be streamed.
        """
        return None

    def energies_on_compact_stream(self, lag):
        """`energies_on_stream` of as few numbers as there can be, where it differs."""
        return self.energies_on_stream(lag)
