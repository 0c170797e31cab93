"""A compression that may be any Keras layer: how it is built and called."""

import inspect

import keras


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
