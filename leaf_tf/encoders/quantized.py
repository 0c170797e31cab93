"""An encoder and its head that round in training as their int8 file will."""

from typing import Any

import keras
from keras import layers, ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.encoders.masked import (
    AddChannel,
    AveragePool2x2,
    Encoder,
    MaskedConv2D,
    MaxPool2x2,
    MeanOfRows,
    MeanPlusMaxPool,
    MeanPool,
    mean_of_frames,
    zero_after,
)
from leaf_tf.layers.fake_quantize import FakeQuantize, fake_quantize_weights

# Layers that give values which they take, so that integers stay as they are.
_PASSING = (
    *(AddChannel, MaxPool2x2, layers.Dropout, layers.Reshape, layers.Flatten),
    *(layers.MaxPooling2D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling1D),
)
_AVERAGING = (
    *(AveragePool2x2, MeanOfRows, MeanPool, layers.AveragePooling2D),
    *(layers.GlobalAveragePooling2D, layers.GlobalAveragePooling1D),
)
_KNOWN = (
    "a chain of convolutions, their batch norms and ReLUs, pooling, dropout and dense "
    "layers, such as small, cnn6, cnn10 or cnn14"
)


def fake_quantized(
    encoder: keras.Model,
    head: keras.layers.Dense,
    weight_bits: int = 8,
    activation_bits: int = 8,
) -> keras.Model:
    """A model of the same weights that rounds, for quantisation-aware training.

    It rounds what `model_int8.tflite` rounds: the weights of each channel, batch norms
    folded into them, and the values behind each layer, by a `FakeQuantize`. What learns
    in it are the layers of `encoder` and `head` themselves, which stay float and are
    used and exported as before. Batch norms compute by their moving averages, which
    stay as they are; `gamma` and `beta` learn.

    Args:
        encoder: A chain of layers such as `small`, `cnn6`, `cnn10` and `cnn14`.
        head: The layer behind it, to logits.
        weight_bits: Bits of weights, from 2 to 16.
        activation_bits: Bits of values, from 2 to 16.

    Returns:
        A model (batch, frames, n_filters) -> (batch, classes), not to be saved. Until
        it was called with `training=True` it rounds weights alone.

    Raises:
        ValueError: The encoder is no chain, or has a layer that isn't known here.

    Example:
        >>> encoder = leaf_tf.encoders.small(n_filters=40)
        >>> head = keras.layers.Dense(5)
        >>> leaf_tf.encoders.fake_quantized(encoder, head).output_shape
        (None, 5)

    Source: arXiv:1712.05877, Sec. 3.
    """
    features = keras.Input(encoder.input_shape[1:], name="features")
    outputs = features
    for stage in [*_stages(encoder), [head]]:
        for layer in _rounding(stage, weight_bits, activation_bits):
            outputs = layer(outputs)
    return Encoder(features, outputs, name="fake_quantized")


def _stages(encoder):
    """The layers of a chain, in lists: a convolution with its norm and ReLU is one."""
    stages: list[list[Any]] = []
    for layer in _chain(encoder):
        before = stages[-1] if stages else []
        if before and _goes_on(before, layer):
            before.append(layer)
        else:
            stages.append([layer])
    return stages


def _chain(encoder):
    """The layers from the features to the embedding, each behind the one before."""
    layers_behind: list[Any] = []
    given = encoder.outputs
    while given[0] is not encoder.inputs[0]:
        layer, node, _ = given[0]._keras_history
        given = layer._inbound_nodes[node].input_tensors
        if len(given) != 1:
            raise ValueError(
                f"`encoder` must be {_KNOWN}. Received: {encoder.name}, whose layer "
                f"{layer.name} takes {len(given)} inputs"
            )
        layers_behind.insert(0, layer)
    return layers_behind


def _goes_on(stage, layer):
    """Whether a layer is the norm or the ReLU of a convolution."""
    conv = stage[0]
    if type(conv) not in (layers.Conv2D, MaskedConv2D):
        return False
    if isinstance(layer, layers.BatchNormalization):
        return len(stage) == 1 and conv.activation is keras.activations.linear
    return isinstance(layer, layers.ReLU) and not isinstance(stage[-1], layers.ReLU)


def _rounding(stage, weight_bits, activation_bits):
    """The layers that compute a stage in training, a list."""
    first = stage[0]
    quantize = FakeQuantize(activation_bits)
    if type(first) in (layers.Conv2D, MaskedConv2D):
        return [_Convolution(stage, weight_bits), quantize]
    if isinstance(first, layers.BatchNormalization):
        return [_Norm(first), quantize]
    if isinstance(first, layers.Dense):
        return [_Product(first, weight_bits), quantize]
    if isinstance(first, MeanPlusMaxPool):
        return [_MeanPlusMax(activation_bits), quantize]
    if isinstance(first, _AVERAGING):
        return [_again(first), quantize]
    if isinstance(first, _PASSING):
        return [_again(first)]
    raise ValueError(
        f"`encoder` must be {_KNOWN}. Received: a {type(first).__name__}, {first.name}"
    )


def _again(layer):
    """A layer without weights once more: in the encoder it stays where it is."""
    return type(layer).from_config(layer.get_config())


class _Rounding(layers.Layer):
    """A layer in the place of others, whose weights it has; its shapes are theirs."""

    def build(self, input_shape):
        pass

    def compute_mask(self, inputs, previous_mask):
        return previous_mask


class _Convolution(_Rounding):
    """A convolution, its norm and its ReLU, with rounded weights.

    conv(x, round(kernel * s)) + (bias - mean) * s + beta,
    s = gamma / sqrt(variance + epsilon)
    """

    def __init__(self, stage, bits):
        super().__init__(name=f"{stage[0].name}_rounded")
        self.stage = stage
        self.bits = bits

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        conv, *others = self.stage
        kernel, offset = conv.kernel, conv.bias if conv.use_bias else 0.0
        for norm in others:
            if isinstance(norm, layers.BatchNormalization):
                scale, shift = _scale_and_shift(norm)
                kernel, offset = kernel * scale, offset * scale + shift
        outputs = ops.conv(
            zero_after(inputs, mask),
            fake_quantize_weights(kernel, self.bits),
            strides=conv.strides,
            padding=conv.padding,
            dilation_rate=conv.dilation_rate,
        )
        outputs = conv.activation(outputs + offset)
        if isinstance(others[-1] if others else None, layers.ReLU):
            outputs = others[-1](outputs)
        return outputs

    def compute_output_shape(self, input_shape):
        return self.stage[0].compute_output_shape(input_shape)


class _Norm(_Rounding):
    """A batch norm by its moving averages, also in training."""

    def __init__(self, norm):
        super().__init__(name=f"{norm.name}_fixed")
        self.norm = norm

    def call(self, inputs: Tensor) -> Tensor:
        scale, shift = _scale_and_shift(self.norm)
        return inputs * scale + shift

    def compute_output_shape(self, input_shape):
        return input_shape


class _Product(_Rounding):
    """A dense layer with rounded weights."""

    def __init__(self, dense, bits):
        super().__init__(name=f"{dense.name}_rounded")
        self.dense = dense
        self.bits = bits

    def build(self, input_shape):
        if not self.dense.built:
            self.dense.build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        dense = self.dense
        kernel = fake_quantize_weights(dense.kernel, self.bits)
        outputs = ops.matmul(inputs, kernel)
        return dense.activation(outputs + dense.bias if dense.use_bias else outputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.dense.units)


class _MeanPlusMax(_Rounding):
    """`MeanPlusMaxPool` with a rounded mean."""

    def __init__(self, bits):
        super().__init__()
        self.quantize = FakeQuantize(bits)

    def build(self, input_shape):
        self.quantize.build((input_shape[0], input_shape[-1]))

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        mean = self.quantize(mean_of_frames(inputs, mask), training=training)
        return mean + ops.max(zero_after(inputs, mask), axis=(1, 2))

    def compute_mask(self, inputs, previous_mask):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


def _scale_and_shift(norm):
    """A batch norm by its moving averages as x * scale + shift."""
    scale = 1.0 / ops.sqrt(norm.moving_variance + norm.epsilon)
    if norm.scale:
        scale = scale * norm.gamma
    shift = -norm.moving_mean * scale
    return scale, shift + norm.beta if norm.center else shift
