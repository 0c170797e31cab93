"""Keras models of users as encoders."""

import os

import keras

from leaf_tf.encoders.images import UnmaskedImage
from leaf_tf.encoders.masked import Encoder


def own(encoder, n_filters, known):
    """A user's model as an encoder; see `leaf_tf.encoders.get`.

    Args:
        encoder: Keras model or layer, or path of a `.keras` file.
        n_filters: Channels of the features.
        known: Names of our own encoders, for the message.
    """
    if isinstance(encoder, keras.layers.Layer):
        return _fitted(encoder, n_filters, f"the encoder {encoder.name!r}")
    is_path = isinstance(encoder, (str, os.PathLike))
    if not is_path or not os.fspath(encoder).endswith(".keras"):
        raise ValueError(
            f"`encoder` must be one of {known}, a Keras model or layer, or the path "
            f"of a .keras file. Received: {encoder!r}"
        )
    path = os.fspath(encoder)
    return _fitted(_loaded(path), n_filters, f"the encoder in {path}")


def _loaded(path):
    if not os.path.isfile(path):
        raise ValueError(f"`encoder` must be a file that exists. Received: {path}")
    try:
        return keras.saving.load_model(path, compile=False)
    # Keras raises many kinds, depending on what is broken.
    except Exception as error:
        raise ValueError(
            f"the encoder in {path} doesn't load as a Keras model: {_reason(error)}"
        ) from error


def _fitted(network, n_filters, what):
    """The network as a model (batch, frames, n_filters) -> (batch, dims)."""
    shape = _input_shape(network, what)
    if shape is not None:
        is_image = len(shape) == 4 and shape[3] in (1, None)
        if not (len(shape) == 3 or is_image) or shape[2] not in (n_filters, None):
            raise ValueError(
                f"{what} must take features (batch, frames, {n_filters}) or (batch, "
                f"frames, {n_filters}, 1), but takes {_written(shape)}"
            )
        if shape[1] is not None:
            raise ValueError(
                f"{what} must take any number of frames, but takes {shape[1]} only: "
                f"build it on keras.Input({(None, *shape[2:])}), with a pooling over "
                "the frames instead of a Flatten"
            )
    features = keras.Input((None, n_filters), name="features")
    model = _wrapped(network, features, shape, what)
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[-1] is None:
        raise ValueError(
            f"{what} must give one embedding a clip, (batch, dims), as a global "
            f"pooling at its end does, but gives {_written(shape)}"
        )
    return model


def _input_shape(network, what):
    """Input shape of a built model; None for a layer, or a model without a shape."""
    inputs = getattr(network, "inputs", None)
    if not inputs:
        return None
    if len(inputs) > 1:
        raise ValueError(
            f"{what} must have one input, the features, but has {len(inputs)}"
        )
    return tuple(inputs[0].shape)


def _wrapped(network, features, shape, what):
    if shape is not None and len(shape) == 3 and shape[2] is not None:
        # Not nested, so that masks reach its layers without a warning.
        outputs = network.outputs
        if len(outputs) == 1:
            outputs = outputs[0]
        return Encoder(network.inputs[0], outputs, name="encoder")
    inputs = features
    if shape is not None and len(shape) == 4:
        inputs = UnmaskedImage(what, name="image")(inputs)
    try:
        return Encoder(features, network(inputs), name="encoder")
    except Exception as error:
        raise ValueError(
            f"{what} doesn't take features {_written(features.shape)}: {_reason(error)}"
        ) from error


def _written(shape):
    if not isinstance(shape, tuple):
        return f"{len(shape)} outputs"
    return "(" + ", ".join("any" if side is None else str(side) for side in shape) + ")"


def _reason(error):
    text = str(error).strip() or type(error).__name__
    return f"{text.splitlines()[0]:.200}"
