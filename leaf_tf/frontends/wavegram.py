"""Wavegram, a rival that is a small convolutional network."""

import itertools
import math

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.frontends.base import Frontend
from leaf_tf.layers.batch_norm import BatchNormalization
from leaf_tf.layers.stage import nan_if_not_finite

# PANN's hop of 320 samples: a convolution's stride, then the pooling of three blocks.
PANN_FACTORS = (5, 4, 4, 4)
# PANN's channels of the first convolution and of the first two blocks.
PANN_CHANNELS = (64, 64, 128)
_KERNEL_SIZE = 3
_DILATIONS = (1, 2)


@keras.saving.register_keras_serializable("leaf_tf")
class Wavegram(Frontend):
    """Dilated convolutions on the waveform, pooled to frames. No filterbank.

    PANN's: a convolution of stride 5 and 11 taps to 64 channels, then three blocks,
    to 64, 128 and 128 channels, each of two convolutions of 3 taps, dilated by 1 and
    2, and max pooling by 4; batch normalisation and ReLU after each convolution, and
    no biases. That is a frame every 320 samples, 10 ms at 32 kHz, of 128 channels.

    Adapted: the last block has `n_filters` channels, each a channel of the features
    (PANN reads its 128 as 32 bins of 4, for a two-dimensional convolution behind).
    Stride and pooling multiply to `strides` exactly: of all such four factors, those
    nearest to PANN's by ratio, `self.factors`. There always are some, but what has
    few divisors leaves an uneven hop: 160 samples are 5 x 4 x 4 x 2, a prime number
    of samples is all in the first convolution, whose taps, 2 stride + 1, then are as
    many. The clip is filled up to whole frames with zeros, where PANN drops what is
    left over.

    Args:
        n_filters: Channels of the features. Defaults to 40.
        sample_rate: Sample rate of the waveform, Hz. Defaults to 16000.
        window_len, min_freq, max_freq: Taken so that all frontends can be made
            alike; a Wavegram has no window and no band.
        window_stride: Hop between frames, ms.
        compression: "none", another name as for `Leaf`, or a Keras layer from values
            (batch, frames, n_filters), at least 0, to features.
        mean_var_norm, spec_augment: Arguments of `Leaf`, and so are `lengths` and
            `mask` of a call.

    Input shape: (batch, samples) or (batch, samples, 1), float, scaled to
        [-1, 1], any length from 1 sample.
    Output shape: (batch, ceil(samples / strides), n_filters), the policy's
        compute dtype.

    Raises:
        ValueError: Argument out of range; a waveform of several channels or of
            integers.

    Source: PANNs, arXiv:1912.10211, Sec. III-C.
    """

    def __init__(
        self,
        n_filters: int = 40,
        sample_rate: int = 16000,
        window_len: float = 25.0,
        window_stride: float = 10.0,
        min_freq: float = 60.0,
        max_freq: float | None = None,
        compression: str | keras.layers.Layer = "none",
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
        self.factors = hop_factors(self.strides)
        self.convolutions: list[keras.layers.Conv1D] = []
        self.norms: list[BatchNormalization] = []
        self._add(PANN_CHANNELS[0], 2 * self.factors[0] + 1, strides=self.factors[0])
        for channels in (*PANN_CHANNELS[1:], n_filters):
            for dilation in _DILATIONS:
                self._add(channels, _KERNEL_SIZE, dilation_rate=dilation)

    def _add(self, channels, kernel_size, **arguments):
        index = len(self.convolutions)
        convolution = keras.layers.Conv1D(
            channels,
            kernel_size,
            # The first is padded by hand: SAME would depend on the clip's length.
            padding="same" if index else "valid",
            use_bias=False,
            data_format="channels_last",
            dtype=self.stage_dtype,
            name=f"convolution_{index}",
            **arguments,
        )
        norm = BatchNormalization(
            momentum=0.9, epsilon=1e-5, dtype=self.stage_dtype, name=f"norm_{index}"
        )
        self.convolutions.append(convolution)
        self.norms.append(norm)

    def build(self, input_shape):
        super().build(input_shape)
        shape = (input_shape[0], None, 1)
        for convolution, norm in zip(self.convolutions, self.norms):
            convolution.build(shape)
            shape = (*shape[:2], convolution.filters)
            norm.build(shape)

    def compute_energies(self, waveform: Tensor, lengths: Tensor | None) -> Tensor:
        frames = None if lengths is None else self.n_frames(lengths)
        samples = waveform.shape[1]
        if samples is None:
            samples = ops.shape(waveform)[1]
        stride = self.factors[0]
        # Each window of 2 stride + 1 samples is centered on its first new sample.
        after = self.n_frames(samples) * self.strides - samples + 1
        outputs = ops.pad(waveform, ((0, 0), (stride, after)))[..., None]
        rate = self.strides // stride
        outputs = self._convolved(outputs, 0, frames, rate)
        for block, factor in enumerate(self.factors[1:]):
            first = 1 + block * len(_DILATIONS)
            for index in range(first, first + len(_DILATIONS)):
                outputs = self._convolved(outputs, index, frames, rate)
            outputs = ops.max_pool(
                outputs, factor, strides=factor, data_format="channels_last"
            )
            rate //= factor
        # (batch, frames, n_filters)
        return nan_if_not_finite(outputs, waveform[..., None])

    def _convolved(self, inputs, index, frames, rate):
        """Convolution, normalisation and ReLU number `index`.

        Args:
            frames: Number of frames of each clip, (batch,), or None if all clips fill
                the batch. What follows is 0, as beyond the end of a clip alone, and
                doesn't count in the statistics of training.
            rate: Outputs a frame.
        """
        outputs = self.convolutions[index](inputs)
        if frames is None:
            return ops.relu(self.norms[index](outputs))
        times = ops.arange(ops.shape(outputs)[1], dtype="int32")[None]
        is_sound = times < frames[:, None] * rate
        outputs = ops.relu(self.norms[index](outputs, mask=is_sound))
        return ops.where(is_sound[:, :, None], outputs, ops.zeros_like(outputs))


def hop_factors(strides):
    """Four integers whose product is `strides`, nearest to PANN's 5, 4, 4, 4.

    Nearest by the squares of the logarithms of the ratios; of equals, the one that
    is greater first, as early pooling saves work.
    """
    divisors = [n for n in range(1, strides + 1) if strides % n == 0]

    def distance(factors):
        ratios = [a / b for a, b in zip(factors, PANN_FACTORS)]
        return round(math.fsum(math.log(ratio) ** 2 for ratio in ratios), 9)

    candidates = []
    for first in itertools.product(divisors, repeat=3):
        last, rest = divmod(strides, math.prod(first))
        if rest == 0:
            candidates.append((*first, last))
    return min(candidates, key=lambda f: (distance(f), [-factor for factor in f]))
