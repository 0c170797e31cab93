"""The compressions a frontend knows by name."""

import inspect

import keras

from leaf_tf.layers.log import LogCompression
from leaf_tf.layers.log1p import Log1pCompression
from leaf_tf.layers.multi_rate_pcen import MultiRatePCEN
from leaf_tf.layers.pcen import PCEN
from leaf_tf.layers.simplified_pcen import SimplifiedPCEN

# Name -> function from a dtype to a new layer, or to None.
COMPRESSIONS = {
    "pcen": lambda dtype: PCEN(dtype=dtype, name="pcen"),
    "log": lambda dtype: LogCompression(dtype=dtype, name="log"),
    "log1p": lambda dtype: Log1pCompression(dtype=dtype, name="log1p"),
    "simplified_pcen": lambda dtype: SimplifiedPCEN(
        dtype=dtype, name="simplified_pcen"
    ),
    "multi_rate_pcen": lambda dtype: MultiRatePCEN(dtype=dtype, name="multi_rate_pcen"),
    "none": lambda dtype: None,
}


def compression_layer(compression, dtype):
    """The layer that a frontend's argument `compression` asks for, or None.

    Raises:
        ValueError: `compression` is none of `COMPRESSIONS` and no layer.
    """
    if isinstance(compression, keras.layers.Layer):
        return compression
    if isinstance(compression, str) and compression in COMPRESSIONS:
        return COMPRESSIONS[compression](dtype)
    raise ValueError(
        f"`compression` must be one of {tuple(COMPRESSIONS)} or a Keras layer. "
        f"Received: {compression!r}"
    )


def build_compression(layer, shape):
    """Builds a compression for (batch, frames, channels), unless it is built.

    Returns:
        The shape of its output, as `compressed_shape` has it.
    """
    if not layer.built:
        if type(layer).build is keras.layers.Layer.build:
            layer(keras.KerasTensor(shape))  # Keras finds what there is to build
        else:
            layer.build(shape)
    return compressed_shape(layer, shape)


def compressed_shape(layer, shape):
    """The shape of a compression's output for energies (batch, frames, channels).

    A layer that doesn't tell it, by `compute_output_shape`, is traced.

    Raises:
        ValueError: It has other than three axes, or the layer gives no tensor.
    """
    try:
        outputs = layer.compute_output_shape(shape)
    except NotImplementedError:
        call = layer.compute_output_spec if layer.built else layer
        traced = call(keras.KerasTensor(shape))
        if not hasattr(traced, "shape"):
            raise _refusal(layer, shape, type(traced).__name__) from None
        outputs = traced.shape
    if len(outputs) != 3:
        raise _refusal(layer, shape, tuple(outputs))
    return tuple(outputs)


def _refusal(layer, shape, given):
    return ValueError(
        "`compression` must be a layer from energies (batch, frames, channels) to "
        f"features (batch, frames, channels). Received: the layer {layer.name!r}, "
        f"from {tuple(shape)} to {given}"
    )


def compress(layer, energies, mask):
    """Calls a compression, with the mask of the frames if it takes one.

    Args:
        layer: Keras layer.
        energies: (batch, frames, channels).
        mask: (batch, frames), True where the frame is the clip's, or None.
    """
    takes_mask = "mask" in inspect.signature(layer.call).parameters
    if layer.supports_masking and takes_mask:
        return layer(energies, mask=mask)
    return layer(energies)
