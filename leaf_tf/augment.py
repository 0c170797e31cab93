"""Augmentation of batches: noise and mixup, in training only."""

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp.mixing import mixture, noise_gain, pink_amplitudes
from leaf_tf.dsp.slices import cut
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.spec_augment import is_number
from leaf_tf.layers.stage import Stage

NOISE_COLORS = ("white", "pink")
# Shares that mixup draws from, each as likely as the others.
N_SHARES = 4096


@keras.saving.register_keras_serializable("leaf_tf")
class AdditiveNoise(Stage):
    """Adds noise to waveforms, at a level drawn for each clip.

        x + g n,  g = sqrt(sum(x^2) / (sum(n^2) 10^(SNR / 10)))

    Powers are measured on the clip and on the noise that it gets, so the SNR is
    the one drawn, evenly in decibels. Silence stays silent. Sums are not clipped
    to [-1, 1]. Active in training only; else waveforms pass as they are. With a
    Keras mask only the samples that it keeps count and get noise.

    Args:
        snr_db: (low, high), lowest and highest signal-to-noise ratio, in dB.
        color: "white", or "pink": power falls as 1 / frequency, as that of many
            natural sounds.
        seed: An int; the same gives the same noise. None for a random one, which
            `keras.utils.set_random_seed` determines.

    Input shape: (batch, samples) or (batch, samples, 1), float.
    Output shape: the same; the policy's compute dtype.

    Raises:
        ValueError: Argument out of range, e.g. "`snr_db` must be (low, high) with
            low <= high, in dB. Received: (20, 10)"; a waveform that is not float
            or not mono.

    Example:
        >>> layer = leaf_tf.AdditiveNoise(snr_db=(20.0, 20.0), seed=0)
        >>> tone = np.sin(np.arange(16000, dtype="float32"))[None]
        >>> noise = layer(tone, training=True).numpy() - tone
        >>> float(np.round(10 * np.log10(np.mean(tone**2) / np.mean(noise**2)), 1))
        20.0
    """

    def __init__(
        self,
        snr_db: tuple[float, float] = (5.0, 30.0),
        color: str = "white",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        require_snr(snr_db)
        if color not in NOISE_COLORS:
            raise ValueError(
                f"`color` must be one of {NOISE_COLORS}. Received: {color!r}"
            )
        self.snr_db = snr_db
        self.color = color
        self.seed = seed
        self._seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        if len(input_shape) != 2 and (len(input_shape) != 3 or input_shape[2] != 1):
            raise ValueError(
                "AdditiveNoise expects mono waveforms, (batch, samples) or (batch, "
                f"samples, 1). Received: shape {tuple(input_shape)}"
            )

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        if not keras.backend.is_float_dtype(inputs.dtype):
            raise ValueError(
                "AdditiveNoise expects a float waveform scaled to [-1, 1]; divide "
                f"16-bit samples by 32768. Received: dtype {inputs.dtype}"
            )
        if not training:
            return ops.cast(inputs, self.compute_dtype)
        shape = ops.shape(inputs)
        waveform = ops.cast(ops.reshape(inputs, shape[:2]), self.stage_dtype)
        noise = self._noise(shape[:2])
        sound = waveform
        if mask is not None:
            is_sound = ops.cast(ops.reshape(mask, shape[:2]), "bool")
            sound = ops.where(is_sound, waveform, ops.zeros_like(waveform))
            noise = ops.where(is_sound, noise, ops.zeros_like(noise))
        outputs = waveform + noise * self._gains(sound, noise)
        return ops.cast(ops.reshape(outputs, shape), self.compute_dtype)

    def _gains(self, waveform, noise):
        """Gains that bring noise to the drawn SNRs, (batch, 1)."""
        low, high = self.snr_db
        level = keras.random.uniform(
            (ops.shape(waveform)[0], 1),
            dtype=self.stage_dtype,
            seed=self._seed_generator,
        )
        snr_db = low + (high - low) * level
        signal_power = ops.mean(ops.square(waveform), axis=1, keepdims=True)
        noise_power = ops.mean(ops.square(noise), axis=1, keepdims=True)
        # The level is no part of what is learned; and at silence its slope, that
        # of the root, is infinite.
        return ops.stop_gradient(noise_gain(signal_power, noise_power, snr_db, ops))

    def _noise(self, shape):
        if self.color == "white":
            return self._normal(shape)
        batch, samples = shape
        half = (samples + 1) // 2
        bins = ops.arange(half + 1, dtype=self.stage_dtype)
        amplitudes = pink_amplitudes(bins, ops)
        spectrum = (
            amplitudes * self._normal((batch, half + 1)),
            amplitudes * self._normal((batch, half + 1)),
        )
        return cut(ops.irfft(spectrum), 1, 0, samples)

    def _normal(self, shape):
        return keras.random.normal(
            shape, dtype=self.stage_dtype, seed=self._seed_generator
        )

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "snr_db": self.snr_db,
            "color": self.color,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable("leaf_tf")
class Mixup(Stage):
    """Mixes each clip of a batch with another one, and their labels likewise.

        x_i <- s_i x_i + (1 - s_i) x_j,  y_i <- s_i y_i + (1 - s_i) y_j

    Partners j are the batch in a random order, shares s_i are drawn from
    Beta(alpha, alpha), one a clip. Active in training only; else both pass as
    they are. Train with a loss that takes shares of classes, such as
    `keras.losses.CategoricalCrossentropy`.

    Args:
        alpha: Shape of the shares' distribution, in (0, 100]: near 0 clips are
            hardly mixed, 1 draws shares evenly in [0, 1].
        seed: An int; the same gives the same mixtures. None for a random one,
            which `keras.utils.set_random_seed` determines.

    Input: (inputs, labels): waveforms or features (batch, ...), float; one-hot or
        multi-hot labels (batch, n_classes).
    Output: (inputs, labels), of the same shapes; inputs in the policy's compute
        dtype, labels in float32 (float64 under the float64 policy).

    Raises:
        ValueError: `alpha` out of range, or labels that are class indices.

    Example:
        >>> layer = leaf_tf.Mixup(seed=0)
        >>> waveforms = np.eye(2, 100, dtype="float32")
        >>> targets = np.eye(2, dtype="float32")
        >>> _, mixed = layer((waveforms, targets), training=True)
        >>> mixed.numpy().sum(axis=1)
        array([1., 1.], dtype=float32)

    Source: arXiv:1710.09412, Sec. 2; there one share a batch.
    """

    def __init__(self, alpha: float = 1.0, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        require_alpha(alpha)
        self.alpha = alpha
        self.seed = seed
        self._seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        pass

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        values, labels = inputs
        if len(labels.shape) != 2:
            raise ValueError(
                "Mixup expects one-hot or multi-hot labels, (batch, n_classes); make "
                "them of class indices by keras.ops.one_hot(labels, n_classes). "
                f"Received: labels of shape {tuple(labels.shape)}"
            )
        labels = ops.cast(labels, self.stage_dtype)
        if not training:
            return ops.cast(values, self.compute_dtype), labels
        values = ops.cast(values, self.stage_dtype)
        batch = ops.shape(values)[0]
        partners = ops.argsort(self._uniform((batch,)))
        shares = self._shares(batch)
        values = _mixed(values, partners, shares)
        return ops.cast(values, self.compute_dtype), _mixed(labels, partners, shares)

    def _shares(self, batch):
        """Draws from Beta(alpha, alpha), (batch,)."""
        table = ops.convert_to_tensor(share_table(self.alpha), dtype=self.stage_dtype)
        places = ops.floor(N_SHARES * self._uniform((batch,)))
        return ops.take(table, ops.cast(places, "int32"))

    def _uniform(self, shape):
        """Even in [0, 1)."""
        return keras.random.uniform(
            shape, dtype=self.stage_dtype, seed=self._seed_generator
        )

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "seed": self.seed}


def require_snr(snr_db):
    """Raises a ValueError unless snr_db is (low, high), finite, low <= high."""
    is_pair = isinstance(snr_db, tuple | list) and len(snr_db) == 2
    if is_pair and all(is_number(value) for value in snr_db):
        if snr_db[0] <= snr_db[1]:
            return
    raise ValueError(
        f"`snr_db` must be (low, high) with low <= high, in dB. Received: {snr_db!r}"
    )


def require_alpha(alpha):
    """Raises a ValueError unless alpha is a number in (0, 100]."""
    if not is_number(alpha) or not 0 < alpha <= 100:
        raise ValueError(f"`alpha` must be in (0, 100]. Received: {alpha!r}")


def share_table(alpha):
    """Quantiles of Beta(alpha, alpha) at (n + 1/2) / N_SHARES.

    An entry at an even random place is as good as a number of the distribution.
    Gamma numbers, of which it is usually made, can't be drawn under XLA in
    TensorFlow, and their ratio is 0 / 0 at a small alpha.

    Returns:
        (N_SHARES,), increasing, in [0, 1]; NumPy.
    """
    from scipy.special import betaincinv

    places = (np.arange(N_SHARES // 2) + 0.5) / N_SHARES
    # Beside the least float that there is it may give 0 for a later one.
    lower = np.maximum.accumulate(betaincinv(alpha, alpha, places))
    return np.concatenate([lower, 1 - lower[::-1]])


def _mixed(values, partners, shares):
    shares = ops.reshape(shares, (-1,) + (1,) * (len(values.shape) - 1))
    return mixture(values, ops.take(values, partners, axis=0), shares)
