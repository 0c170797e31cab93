"""LEAF, the learnable frontend."""

import keras
from keras import ops

from leaf_tf.frontends.base import MIN_ENERGY, Frontend
from leaf_tf.layers import GaborConv1D, GaussianLowpass, PreEmphasis, SquaredModulus


@keras.saving.register_keras_serializable("leaf_tf")
class Leaf(Frontend):
    """Learns filtering, pooling and compression from the waveform.

    Gabor filters, squared modulus, Gaussian lowpass, then PCEN: 7 numbers a
    filter, 280 for 40 filters, 448 for 64. Starts as a mel-filterbank.

    Args:
        n_filters: Filters, and channels of the features. Defaults to 40.
        sample_rate: Of the waveform, Hz. Defaults to 16000.
        window_len: Length of the filters and of the pooling window, ms.
        window_stride: Hop between frames, ms.
        min_freq, max_freq: Edges of the initial mel bank, Hz. `max_freq`
            defaults to 7800, or 97.5 % of half the sample rate where that is
            lower.
        learn_filters: Whether the filters (and the pre-emphasis) are trained.
        learn_pooling: Whether the pooling widths are trained.
        preemp: Whether a learned pre-emphasis comes first.
        compression: "pcen", "log" (log(E + 1e-5)), "none", or a Keras layer
            from energies (batch, frames, n_filters), at least 1e-5, to features.
        initial_filters: "mel" (exact mel centers and widths) or
            "official_mel" (read off 512 FFT bins, as leaf-audio does).

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

    def __init__(
        self,
        n_filters=40,
        sample_rate=16000,
        window_len=25.0,
        window_stride=10.0,
        min_freq=60.0,
        max_freq=None,
        learn_filters=True,
        learn_pooling=True,
        preemp=False,
        compression="pcen",
        initial_filters="mel",
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
        self.learn_filters = learn_filters
        self.learn_pooling = learn_pooling
        self.preemp = preemp
        self.initial_filters = initial_filters
        policy = self.dtype_policy
        self.preemphasis = (
            PreEmphasis(trainable=learn_filters, dtype=policy, name="preemphasis")
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
            trainable=learn_filters,
            dtype=policy,
            name="filtering",
        )
        self.modulus = SquaredModulus(dtype=policy, name="modulus")
        self.pooling = GaussianLowpass(
            self.kernel_size,
            self.strides,
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

    def compute_features(self, waveform):
        outputs = ops.expand_dims(waveform, axis=-1)
        if self.preemphasis is not None:
            outputs = self.preemphasis(outputs)
        outputs = self.filtering(outputs)  # (batch, samples, 2 * n_filters)
        outputs = self.modulus(outputs)  # (batch, samples, n_filters)
        outputs = self.pooling(outputs)  # (batch, frames, n_filters)
        outputs = ops.maximum(outputs, MIN_ENERGY)
        if self.compressing is not None:
            outputs = self.compressing(outputs)
        return outputs

    def get_config(self):
        return {
            **super().get_config(),
            "learn_filters": self.learn_filters,
            "learn_pooling": self.learn_pooling,
            "preemp": self.preemp,
            "initial_filters": self.initial_filters,
        }
