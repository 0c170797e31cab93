"""SpecAugment: features warped in time and masked, in training only."""

import math

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.masks import mask_lengths
from leaf_tf.layers.stage import Stage

# A clip is warped by at most this part of it, however short it is.
MAX_WARP_FRACTION = 0.25
# The paper's policy masks up to 27 of 80 channels.
PAPER_FREQ_MASK, PAPER_CHANNELS = 27, 80


@keras.saving.register_keras_serializable("leaf_tf")
class SpecAugment(Stage):
    """Warps features in time, masks bands of channels and spans of frames.

    Active in training only; else the features pass as they are. Each clip draws
    its own, evenly:

    - time warp: a point in time moves by w in [-W, W], the ends stay, and the
      frames between are interpolated linearly. W is `time_warp`, or a quarter of
      the clip if that is less; the point starts at least W from both ends;
    - frequency masks: f channels in a row, f in 0 ... `freq_mask`;
    - time masks: t frames in a row, t in 0 ... `time_mask`, or
      `time_mask_fraction` of the clip if that is less.

    Masks may overlap. With a Keras mask each clip is augmented as it would be
    alone: frames that the mask leaves out keep their values and count for nothing.

    The defaults are the paper's policy "LD", of 80 channels and clips of about
    15 s, fitted to others: frequency masks scale with the channels, and two time
    masks can't hide a short clip.

    Args:
        time_warp: W, frames; 0 for no warp.
        n_freq_masks: Frequency masks a clip, 0 for none.
        freq_mask: Channels in the widest; None for 27 of 80.
        n_time_masks: Time masks a clip, 0 for none.
        time_mask: Frames in the widest.
        time_mask_fraction: Part of the clip in the widest, in [0, 1].
        mask_value: Value of masked features: "mean", that of the clip's
            features before, or a number.
        seed: An int; the same gives the same augmentations. None for a random
            one, which `keras.utils.set_random_seed` determines.

    Input shape: (batch, frames, channels), float.
    Output shape: the same; the policy's compute dtype.

    Raises:
        ValueError: Argument out of range, e.g. "`time_mask` must be an integer of
            at least 0. Received: -1".

    Example:
        >>> layer = leaf_tf.SpecAugment(0, n_time_masks=0, mask_value=0.0, seed=1)
        >>> features = np.ones((1, 1, 8), "float32")
        >>> layer(features, training=True).numpy().ravel()
        array([0., 0., 1., 1., 1., 1., 1., 1.], dtype=float32)

    Source: arXiv:1904.08779, Sec. 2. Its warp is a spline through the image, this
    one piecewise linear in time; policy LD and the fraction of "SM": Table 1.
    """

    def __init__(
        self,
        time_warp: int = 80,
        n_freq_masks: int = 2,
        freq_mask: int | None = None,
        n_time_masks: int = 2,
        time_mask: int = 100,
        time_mask_fraction: float = 0.2,
        mask_value: str | float = "mean",
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        _require_count(
            time_warp=time_warp,
            n_freq_masks=n_freq_masks,
            freq_mask=0 if freq_mask is None else freq_mask,
            n_time_masks=n_time_masks,
            time_mask=time_mask,
        )
        if not (is_number(time_mask_fraction) and 0 <= time_mask_fraction <= 1):
            raise ValueError(
                "`time_mask_fraction` must be a number in [0, 1]. Received: "
                f"{time_mask_fraction!r}"
            )
        if mask_value != "mean" and not is_number(mask_value):
            raise ValueError(
                '`mask_value` must be "mean" or a finite number. Received: '
                f"{mask_value!r}"
            )
        self.time_warp = time_warp
        self.n_freq_masks = n_freq_masks
        self.freq_mask = freq_mask
        self.n_time_masks = n_time_masks
        self.time_mask = time_mask
        self.time_mask_fraction = time_mask_fraction
        self.mask_value = mask_value
        self.seed = seed
        self._seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        pass

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        if not training:
            return ops.cast(inputs, self.compute_dtype)
        features = ops.cast(inputs, self.stage_dtype)
        frames = ops.shape(features)[1]
        if mask is None:
            is_frame = ops.ones((1, frames), "bool")
        else:
            is_frame = ops.cast(mask, "bool")
        lengths = ops.cast(mask_lengths(is_frame)[:, None], self.stage_dtype)
        is_frame = is_frame[:, :, None]

        outputs = features
        if self.time_warp:
            outputs = interpolated(outputs, self._warped_times(features, lengths))
        is_masked = self._is_masked(features, lengths)
        if is_masked is not None:
            outputs = ops.where(is_masked, self._fill(features, is_frame), outputs)
        outputs = ops.where(is_frame, outputs, features)
        return ops.cast(outputs, self.compute_dtype)

    def _warped_times(self, features, lengths):
        batch, frames, _ = ops.shape(features)
        last = ops.maximum(lengths - 1, 0)
        reach = ops.minimum(float(self.time_warp), MAX_WARP_FRACTION * last)
        place, move = ops.split(self._random((batch, 2)), 2, axis=1)  # (batch, 1)
        center = reach + (last - 2 * reach) * place
        return warped_times(frames, last, center, reach * (2 * move - 1))

    def _is_masked(self, features, lengths):
        """Which features to hide, (batch, frames, channels) or broadcast to it."""
        _, frames, channels = ops.shape(features)
        widest_band = self.freq_mask
        if widest_band is None:
            widest_band = PAPER_FREQ_MASK * channels // PAPER_CHANNELS
        widest_band = min(widest_band, channels)
        is_masked = None
        if self.n_freq_masks and widest_band:
            spans = self._spans(features, self.n_freq_masks, widest_band, channels)
            is_masked = is_in_any(channels, *spans)[:, None, :]
        if self.n_time_masks and self.time_mask and self.time_mask_fraction:
            widest = ops.floor(self.time_mask_fraction * lengths)
            widest = ops.minimum(widest, float(self.time_mask))
            spans = self._spans(features, self.n_time_masks, widest, lengths)
            is_time_masked = is_in_any(frames, *spans)[:, :, None]
            if is_masked is None:
                return is_time_masked
            return ops.logical_or(is_masked, is_time_masked)
        return is_masked

    def _spans(self, features, n, max_width, length):
        """Starts and ends (batch, n) of spans up to max_width wide, within length."""
        size = (ops.shape(features)[0], n)
        widths = ops.floor(self._random(size) * (max_width + 1))
        starts = ops.floor(self._random(size) * (length - widths + 1))
        return starts, starts + widths

    def _fill(self, features, is_frame):
        if self.mask_value != "mean":
            return ops.cast(self.mask_value, features.dtype)
        clip_features = ops.where(is_frame, features, ops.zeros_like(features))
        count = ops.sum(ops.cast(is_frame, features.dtype), axis=1, keepdims=True)
        means = ops.mean(clip_features, axis=2, keepdims=True)
        return ops.sum(means, axis=1, keepdims=True) / ops.maximum(count, 1)

    def _random(self, shape):
        """Even in [0, 1)."""
        return keras.random.uniform(
            shape, dtype=self.stage_dtype, seed=self._seed_generator
        )

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "time_warp": self.time_warp,
            "n_freq_masks": self.n_freq_masks,
            "freq_mask": self.freq_mask,
            "n_time_masks": self.n_time_masks,
            "time_mask": self.time_mask,
            "time_mask_fraction": self.time_mask_fraction,
            "mask_value": self.mask_value,
            "seed": self.seed,
        }


def warped_times(frames, last, center, shift):
    """Where each frame of a warped clip comes from.

    Piecewise linear through (0, 0), (center + shift, center) and (last, last):
    the frame at `center` moves to center + shift.

    Args:
        frames: Frames in the batch.
        last: Index of the clip's last frame, (batch, 1), float.
        center, shift: (batch, 1), frames; center + shift within [0, last].

    Returns:
        (batch, frames), in [0, last]; `last` for all frames behind it.
    """
    times = ops.arange(frames, dtype=center.dtype)[None, :]
    moved = center + shift
    # A part of less than one frame holds only the frame at its outer end, which
    # stays whatever the slope is.
    before = times * (center / ops.maximum(moved, 1))
    after = last - (last - times) * ((last - center) / ops.maximum(last - moved, 1))
    return ops.minimum(ops.where(times <= moved, before, after), last)


def interpolated(features, times):
    """Features between frames, linearly.

    Args:
        features: (batch, frames, channels).
        times: (batch, frames), in [0, frames - 1].

    Returns:
        (batch, frames, channels).
    """
    batch, frames, channels = ops.shape(features)
    earlier = ops.floor(times)
    share = (times - earlier)[:, :, None]
    earlier = ops.cast(earlier, "int32")
    later = ops.minimum(earlier + 1, frames - 1)
    # Rows of a matrix: taken, and given their gradients, in one piece each.
    rows = ops.reshape(features, (-1, channels))
    firsts = ops.arange(batch, dtype="int32")[:, None] * frames
    before = ops.take(rows, firsts + earlier, axis=0)
    after = ops.take(rows, firsts + later, axis=0)
    return before + share * (after - before)


def is_in_any(size, starts, ends):
    """Whether 0 ... size - 1 are in one of the spans start <= i < end.

    Args:
        size: Number of places.
        starts, ends: (batch, spans), float.

    Returns:
        (batch, size), boolean.
    """
    places = ops.arange(size, dtype=starts.dtype)[None, None, :]
    is_in = ops.logical_and(places >= starts[:, :, None], places < ends[:, :, None])
    return ops.any(is_in, axis=1)


def _require_count(**arguments):
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(
                f"`{name}` must be an integer of at least 0. Received: {value!r}"
            )


def is_number(value):
    """Whether a value is an int or a float, and finite."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)
