"""Mel-filterbanks, the fixed baseline, and their learned variant."""

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import mel, units
from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.types import Tensor
from leaf_tf.frontends.base import Frontend
from leaf_tf.streaming.spectra import SpectralEnergies


@keras.saving.register_keras_serializable("leaf_tf")
class MelFilterbanks(Frontend):
    """Power spectrogram on the mel scale, then the logarithm.

    Nothing is learned unless asked for.

    Short-time Fourier transform with a Hann window, frame k from sample
    k * strides, zeros after the end; squared modulus; HTK mel triangles;
    log(E + 1e-5).

    Args:
        n_filters: Mel bands. Defaults to 40.
        sample_rate: Sample rate of the waveform, Hz. Defaults to 16000.
        window_len: Length of the Hann window, ms.
        window_stride: Hop between frames, ms.
        min_freq, max_freq: Edges of the mel bank, Hz. `max_freq` defaults to
            7800, or 97.5 % of half the sample rate where that is lower.
        learn_filters: Whether the matrix from FFT bins to bands, initially the
            triangles, is trained; a filter may then become any shape.
        compression: "log" (log(E + 1e-5)), "pcen" (learned, as LEAF's), another
            name as for `Leaf`, or a Keras layer.
        mean_var_norm, spec_augment: Arguments of `Leaf`, and so are `lengths` and
            `mask` of a call.

    Weights: only with `learn_filters`, filterbank (n_fft / 2 + 1, n_filters).
        Optimizers keep it in [0, inf).

    Input shape: (batch, samples) or (batch, samples, 1), float, scaled to
        [-1, 1], any length from 1 sample.
    Output shape: (batch, ceil(samples / strides), n_filters), the policy's
        compute dtype.

    Raises:
        ValueError: Argument out of range; a waveform of several channels or of
            integers.

    Example:
        >>> frontend = leaf_tf.MelFilterbanks(n_filters=64)
        >>> frontend(np.zeros((1, 16000), "float32")).shape
        TensorShape([1, 100, 64])

    Source: the baseline of LEAF, arXiv:2101.08596, Sec. 4; learned from mel
    triangles on: Sainath et al., "Learning filter banks within a deep neural network
    framework", ASRU 2013 (there positive as exponentials, here by a constraint).
    """

    def __init__(
        self,
        n_filters: int = 40,
        sample_rate: int = 16000,
        window_len: float = 25.0,
        window_stride: float = 10.0,
        min_freq: float = 60.0,
        max_freq: float | None = None,
        learn_filters: bool = False,
        compression: str | keras.layers.Layer = "log",
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

    @property
    def n_fft(self):
        """Points of the FFT: 512, or the next power of 2 that holds the window."""
        return max(512, 2 ** (self.kernel_size - 1).bit_length())

    @property
    def later_hops(self):
        """Hops after its own that a frame's window reaches into."""
        return ceil_div(self.kernel_size, self.strides) - 1

    def build(self, input_shape):
        super().build(input_shape)
        if self.learn_filters:
            self.filterbank = self.add_bounded_weight(
                "filterbank", self._triangles(), min_value=0.0
            )

    def compute_energies(self, waveform: Tensor, lengths: Tensor | None) -> Tensor:
        samples = waveform.shape[1]
        if samples is None:
            samples = ops.shape(waveform)[1]
        n_frames = units.n_frames(samples, self.strides)
        n_samples = (n_frames + self.later_hops) * self.strides
        waveform = ops.pad(waveform, ((0, 0), (0, n_samples - samples)))
        # Frames start at the same samples whatever the length, zeros after the end.
        return self.band_energies(waveform, n_frames)

    def band_energies(self, waveform, n_frames):
        """Energies of the bands, (batch, n_frames, n_filters).

        Args:
            waveform: (batch, (n_frames + later_hops) * strides).
        """
        size = self.kernel_size
        frames = _frames(waveform, size, self.strides, n_frames, self.n_fft)
        # Zeros beyond the window: cheaper than to cut the frames.
        window = np.zeros(frames.shape[-1])
        window[: self.kernel_size] = _hann(self.kernel_size)
        window = ops.convert_to_tensor(window, dtype=frames.dtype)
        real, imaginary = ops.rfft(frames * window, fft_length=self.n_fft)
        powers = ops.square(real) + ops.square(imaginary)  # (batch, frames, bins)
        if self.learn_filters:
            filterbank = self.bounded(self.filterbank)
        else:
            filterbank = ops.convert_to_tensor(self._triangles(), powers.dtype)
        return ops.matmul(powers, filterbank)

    def frequency_responses(self) -> np.ndarray | None:
        """Roots of the weights of the bins' powers, as of every frontend."""
        if not self.learn_filters:
            return None
        half = np.sqrt(self.values(self.filterbank))
        return np.concatenate([half, half[-2:0:-1]])

    def channel_freqs_hz(self) -> np.ndarray | None:
        """Tops of the triangles, as of every frontend; None once they are learned."""
        if self.learn_filters:
            return None
        return mel.mel_edges_hz(self.n_filters, self.min_freq, self.max_freq)[1:-1]

    def energies_on_stream(self, lag):
        return SpectralEnergies(self), lambda energies: energies

    def _triangles(self):
        return mel.mel_filterbank(
            self.n_filters, self.n_fft, self.sample_rate, self.min_freq, self.max_freq
        )

    def get_config(self):
        return {**super().get_config(), "learn_filters": self.learn_filters}


def _hann(size):
    """Hann window as tf.signal makes it: periodic where even, symmetric where odd."""
    period = size if size % 2 == 0 else size - 1
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / max(period, 1))


def _frames(waveform, size, strides, n_frames, most):
    """Overlapping frames (batch, n_frames, size or up to `most`).

    Frame k starts at k * strides. They are made of whole blocks of `strides`
    samples, laid side by side: that costs copies only, where gathering indices
    costs a look-up a sample.
    """
    blocks_per_frame = ceil_div(size, strides)
    blocks = n_frames + blocks_per_frame - 1
    rows = ops.reshape(waveform, (ops.shape(waveform)[0], blocks, strides))
    shifted = [rows[:, i : i + n_frames] for i in range(blocks_per_frame)]
    frames = ops.concatenate(shifted, axis=-1)
    return frames if frames.shape[-1] <= most else frames[:, :, :size]
