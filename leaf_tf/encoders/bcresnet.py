"""BC-ResNet, for keyword spotting on small devices."""

import keras
import numpy as np
from keras import layers, ops

from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.types import Tensor
from leaf_tf.encoders.masked import (
    AddChannel,
    Encoder,
    MaskedBatchNormalization,
    MaskedConv2D,
    MaskedDepthwiseConv2D,
    MeanPool,
    zero_after,
)
from leaf_tf.layers.moving_moments import MovingMoments
from leaf_tf.layers.parts import Composite

# PyTorch's defaults, as published.
_NORM = {"momentum": 0.9, "epsilon": 1e-5}
# Of each stage: blocks; channels at width 1; row stride; dilation along the frames.
_STAGES = ((2, 8, 1, 1), (2, 12, 2, 2), (4, 16, 2, 4), (4, 20, 1, 8))


def bc_resnet(n_filters: int, width: int = 1, dropout: float = 0.1) -> keras.Model:
    """BC-ResNet: most of the work on frames, spread over frequency by addition.

    A 5 x 5 convolution that halves the rows; twelve `BroadcastedBlock`s of 8, 12, 16
    and 20 times `width` channels; a 5 x 5 depthwise convolution that folds the rows, a
    1 x 1 convolution, batch normalisation, ReLU, and the mean. Leaves padded frames
    out. 8836 trainable parameters at width 1.

    As published with 40 filters, but for two things: the first convolution pads the
    rows by 1 and 2, not by 2 and 2; and a last convolution, which gives the logits,
    is left to the head. With other numbers of filters, the groups of the sub-spectral
    norm and the last depthwise kernel fit themselves to the rows.

    Args:
        n_filters: Channels of the features; 40 as published.
        width: Factor of the channels, at least 0.125: the number in BC-ResNet-1 to
            BC-ResNet-8.
        dropout: Fraction of a block's channels dropped in training.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 32 * width).

    Raises:
        ValueError: `width` is below 0.125.

    Example:
        >>> leaf_tf.encoders.bc_resnet(n_filters=40).output_shape
        (None, 32)

    Source: arXiv:2106.04140, Table 1.
    """
    if not width >= 0.125:
        raise ValueError(f"`width` must be at least 0.125. Received: {width}")
    features = keras.Input((None, n_filters), name="features")
    outputs = AddChannel(name="image")(features)
    outputs = MaskedConv2D(
        int(16 * width),
        5,
        strides=(1, 2),
        padding="same",
        use_bias=False,
        name="first_conv",
    )(outputs)
    outputs = MaskedBatchNormalization(**_NORM, name="first_norm")(outputs)
    outputs = layers.ReLU(name="first_relu")(outputs)
    for stage, (n_blocks, channels, stride, dilation) in enumerate(_STAGES, start=1):
        for block in range(1, n_blocks + 1):
            outputs = BroadcastedBlock(
                int(channels * width),
                row_stride=stride if block == 1 else 1,
                dilation=dilation,
                transition=block == 1,
                dropout=dropout,
                name=f"block{stage}_{block}",
            )(outputs)
    outputs = FoldRows(5, 5, name="fold_rows")(outputs)
    outputs = MaskedConv2D(
        int(32 * width), 1, padding="same", use_bias=False, name="last_conv"
    )(outputs)
    outputs = MaskedBatchNormalization(**_NORM, name="last_norm")(outputs)
    outputs = layers.ReLU(name="last_relu")(outputs)
    outputs = MeanPool(name="embedding")(outputs)
    return Encoder(features, outputs, name="bc_resnet")


@keras.saving.register_keras_serializable("leaf_tf")
class BroadcastedBlock(Composite, layers.Layer):
    """A residual block that filters rows, then the frames of their mean.

        u = SubSpectralNorm(filter along the rows of x)
        v = 1 x 1 convolution of swish(norm(filter along the frames of mean(u)))
        y = ReLU(x + u + v), v being the same for all rows

    with depthwise filters of 3 taps. A transition changes channels and rows: x is
    replaced by ReLU(norm(1 x 1 convolution of x)) first, and left out of the sum.

    Args:
        channels: Number of channels of the output.
        row_stride: Rows of the input for each of the output.
        dilation: Frames between the taps along the frames.
        transition: Whether this is a transition.
        dropout: Fraction of v's channels dropped in training.

    Input shape: (batch, frames, rows, channels or, in a transition, any).
    Output shape: (batch, frames, ceil(rows / row_stride), channels).

    Source: arXiv:2106.04140, Sec. 3.2.
    """

    def __init__(
        self,
        channels,
        row_stride: int = 1,
        dilation: int = 1,
        transition: bool = False,
        dropout: float = 0.1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.channels = channels
        self.row_stride = row_stride
        self.dilation = dilation
        self.transition = transition
        self.dropout = dropout
        dtype = self.dtype_policy
        plain = {"use_bias": False, "dtype": dtype}
        if transition:
            self.widen = MaskedConv2D(channels, 1, **plain, name="widen")
            self.widen_norm = MaskedBatchNormalization(
                **_NORM, dtype=dtype, name="widen_norm"
            )
        self.filter_rows = MaskedDepthwiseConv2D(
            (1, 3), padding="same", **plain, name="filter_rows"
        )
        self.rows_norm = SubSpectralNorm(dtype=dtype, name="rows_norm")
        self.filter_frames = MaskedDepthwiseConv2D(
            (3, 1),
            padding="same",
            dilation_rate=(dilation, 1),
            **plain,
            name="filter_frames",
        )
        self.frames_norm = MaskedBatchNormalization(
            **_NORM, dtype=dtype, name="frames_norm"
        )
        self.mix = layers.Conv2D(channels, 1, **plain, name="mix")
        self.drop = layers.SpatialDropout2D(dropout, dtype=dtype, name="drop")

    def build(self, input_shape):
        shape = tuple(input_shape)
        if self.transition:
            self.widen.build(shape)
            shape = (*shape[:3], self.channels)
            self.widen_norm.build(shape)
        self.filter_rows.build(shape)
        shape = self.compute_output_shape(shape)
        self.rows_norm.build(shape)
        shape = (*shape[:2], 1, self.channels)
        self.filter_frames.build(shape)
        self.frames_norm.build(shape)
        self.mix.build(shape)

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        outputs = inputs
        if self.transition:
            outputs = self.widen_norm(self.widen(outputs), training=training, mask=mask)
            outputs = ops.relu(outputs)
        rows = self.filter_rows(outputs)
        if self.row_stride > 1:
            # TensorFlow has no depthwise convolution of unequal strides.
            rows = rows[:, :, :: self.row_stride]
        rows = self.rows_norm(rows, training=training, mask=mask)
        frames = ops.mean(rows, axis=2, keepdims=True)
        frames = self.filter_frames(frames, mask=mask)
        frames = self.frames_norm(frames, training=training, mask=mask)
        frames = self.drop(self.mix(ops.silu(frames)), training=training)
        total = rows + frames if self.transition else inputs + rows + frames
        return ops.relu(total)

    def compute_mask(self, inputs, previous_mask):
        return previous_mask

    def compute_output_shape(self, input_shape):
        batch, frames, rows, _ = input_shape
        return (batch, frames, ceil_div(rows, self.row_stride), self.channels)

    def get_config(self):
        return {
            **super().get_config(),
            "channels": self.channels,
            "row_stride": self.row_stride,
            "dilation": self.dilation,
            "transition": self.transition,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable("leaf_tf")
class SubSpectralNorm(MovingMoments, layers.Layer):
    """Batch normalisation of each of some groups of rows by itself.

    Group g has the rows r with floor(r * groups / rows) = g; with fewer rows than
    groups there is a group for each row. Means and variances leave padded frames out;
    their moving averages are corrected for their start, see `MovingMoments`.

    Args:
        groups: Groups of rows, at most. Defaults to 5.
        momentum: Part of the moving means and variances that a step keeps.
        epsilon: Added to the variances.

    Weights:
        gamma, beta, moving_mean, moving_variance: (groups, channels).

    Input and output shape: (batch, frames, rows, channels).

    Source: arXiv:2103.13620.
    """

    def __init__(
        self, groups: int = 5, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs
    ):
        super().__init__(autocast=False, **kwargs)
        self.groups = groups
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        _, _, rows, channels = input_shape
        groups = min(self.groups, rows)
        group_of_row = np.arange(rows) * groups // rows
        self._in_group = np.eye(groups)[group_of_row]  # (rows, groups)
        for name, start, trainable in (
            ("gamma", "ones", True),
            ("beta", "zeros", True),
            ("moving_mean", "zeros", False),
            ("moving_variance", "ones", False),
        ):
            weight = self.add_weight(
                name=name,
                shape=(groups, channels),
                initializer=start,
                trainable=trainable,
                autocast=False,
            )
            setattr(self, name, weight)
        self.add_seen()

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        # As Keras's does, in float32 under half-precision policies.
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        image = ops.cast(inputs, dtype)
        if training and self.trainable:
            mean, variance = self._moments(image, mask)
            self.remember(mean, variance)
        else:
            mean = ops.cast(self.moving_mean, dtype)
            variance = ops.cast(self.moving_variance, dtype)
        scale = ops.cast(self.gamma, dtype) / ops.sqrt(variance + self.epsilon)
        offset = ops.cast(self.beta, dtype) - mean * scale
        outputs = image * self._to_rows(scale) + self._to_rows(offset)
        return ops.cast(outputs, self.compute_dtype)

    def compute_mask(self, inputs, previous_mask):
        return previous_mask

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "groups": self.groups,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }

    def _moments(self, image, mask):
        """Means and variances of the groups, (groups, channels) each."""
        mean = self._to_groups(_mean(image, mask))
        deviation = image - self._to_rows(mean)
        return mean, self._to_groups(_mean(ops.square(deviation), mask))

    def _to_groups(self, values):
        """Means over the rows of each group: (rows, channels) -> (groups, ...)."""
        weights = self._in_group / np.sum(self._in_group, axis=0)
        weights = ops.cast(weights[:, :, None], values.dtype)
        return ops.sum(weights * values[:, None, :], axis=0)

    def _to_rows(self, values):
        """Each row has its group's: (groups, channels) -> (rows, channels)."""
        in_group = ops.cast(self._in_group[:, :, None], values.dtype)
        return ops.sum(in_group * values[None, :, :], axis=1)


def _mean(image, mask):
    """Mean over batch and frames: (rows, channels)."""
    if mask is None:
        return ops.mean(image, axis=(0, 1))
    count = ops.maximum(ops.sum(ops.cast(mask, image.dtype)), 1)
    return ops.sum(zero_after(image, mask), axis=(0, 1)) / count


@keras.saving.register_keras_serializable("leaf_tf")
class FoldRows(layers.Layer):
    """A depthwise convolution that keeps the frames, and takes rows without padding.

    Args:
        frames: Taps along the frames, odd.
        rows: Taps along the rows; of an image of fewer, as many as it has.

    Weights:
        kernel: (frames, min(rows, those of the image), channels, 1).

    Input shape: (batch, frames, rows, channels).
    Output shape: (batch, frames, rows - taps + 1, channels).
    """

    def __init__(self, frames, rows, **kwargs):
        super().__init__(**kwargs)
        self.frames = frames
        self.rows = rows

    def build(self, input_shape):
        taps = min(self.rows, input_shape[2])
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.frames, taps, input_shape[3], 1),
            initializer="glorot_uniform",
        )

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        ends = (self.frames - 1) // 2
        image = ops.pad(
            zero_after(inputs, mask), ((0, 0), (ends, ends), (0, 0), (0, 0))
        )
        return ops.depthwise_conv(image, self.kernel, strides=1, padding="valid")

    def compute_mask(self, inputs, previous_mask):
        return previous_mask

    def compute_output_shape(self, input_shape):
        batch, frames, rows, channels = input_shape
        return (batch, frames, max(rows - self.rows, 0) + 1, channels)

    def get_config(self):
        return {**super().get_config(), "frames": self.frames, "rows": self.rows}
