"""Normalisation: energies beside how loud the sound is."""

import keras
from keras import ops

from leaf_tf.dsp import smoothing
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage


@keras.saving.register_keras_serializable("leaf_tf")
class LoudnessNorm(Stage):
    """Divides all channels by how loud the sound has been so far.

        E / (floor + L)^strength
        L_t = sum_k a^(t - k) m_k^2 / sum_k a^(t - k) m_k,  k = 0 ... t,
        a = 1 - smooth_coef

    with m_k the mean of frame k over the channels. An automatic gain control that all
    channels share: at strength 1 a sound at another volume gives the same features, and
    the spectrum keeps its shape, also that of a sustained sound, which PCEN, where each
    channel has a gain of its own, takes away. L is a mean over the frames so far that
    counts each by its own energy: pauses and the silence around a clip don't lower it,
    and a sound of one level has that level from its first frame on. Computed in float32
    under half-precision policies. L looks back only: frames after a clip don't change
    it, and it can be streamed.

    Args:
        strength: Share of the volume, in dB, that is made up for, in (0, 1].
        smooth_coef: How fast what was heard is forgotten, a frame, in (0, 1]. The
            default is a memory of 100 frames, a second.
        floor: Added to L, > 0: sound as quiet as that counts as silence. LEAF's L of
            recordings is 1e-4 to 0.2; the default is 30 dB below the quietest.

    Input shape: (batch, frames, n_filters), float; values below 0 count as 0.
    Output shape: the same; the policy's compute dtype.

    Raises:
        ValueError: Argument out of range.

    Example:
        >>> layer = leaf_tf.LoudnessNorm()
        >>> layer(np.array([[[0.5, 1.5], [5.0, 15.0]]], "float32")).numpy().round(2)
        array([[[0.5 , 1.5 ],
                [0.54, 1.63]]], dtype=float32)

    Source: ours. Its use and what it gains: docs/results.md.
    """

    # Channels of the memory that `step` carries along.
    memory_size = 2

    def __init__(
        self,
        strength: float = 1.0,
        smooth_coef: float = 0.01,
        floor: float = 1e-7,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0.0 < strength <= 1.0:
            raise ValueError(
                f"`strength` must be above 0 and at most 1. Received: {strength}"
            )
        if not 0.0 < smooth_coef <= 1.0:
            raise ValueError(
                f"`smooth_coef` must be above 0 and at most 1. Received: {smooth_coef}"
            )
        if not floor > 0:
            raise ValueError(f"`floor` must be greater than 0. Received: {floor}")
        self.strength = strength
        self.smooth_coef = smooth_coef
        self.floor = floor
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        energies = self._energies(inputs)
        loudness = smoothing.loudness(energies, self._smooth_coef())
        return self._normalize(energies, loudness)

    def step(self, inputs, memory, is_frame, is_first):
        """Goes on with a stream, see `PCEN.step`.

        Args:
            inputs: (batch, frames, n_filters), the frames now.
            memory: (batch, 2), see `dsp.smoothing.continued_loudness`.
            is_frame: Argument of it.
            is_first: Not used.
        """
        energies = self._energies(inputs)
        loudness, memory = smoothing.continued_loudness(
            energies, self._smooth_coef(), memory, is_frame
        )
        return self._normalize(energies, loudness), memory

    def _energies(self, inputs):
        return ops.maximum(ops.cast(inputs, self.stage_dtype), 0.0)

    def _smooth_coef(self):
        return ops.convert_to_tensor([self.smooth_coef], self.stage_dtype)

    def _normalize(self, energies, loudness):
        level = self.floor + loudness
        if self.strength < 1.0:
            level = ops.exp(self.strength * ops.log(level))
        return self.cast_outputs(energies / level)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "strength": self.strength,
            "smooth_coef": self.smooth_coef,
            "floor": self.floor,
        }
