"""What tests of encoders share."""

import keras
import numpy as np

from leaf_tf.layers import AttachMask


def perturb(model, rng):
    """Random weights of a size that keeps the signal's, so that all of them count."""
    for weight in model.weights:
        if weight.name in ("gamma", "moving_variance"):
            values = rng.uniform(0.5, 1.5, weight.shape)
        elif weight.name in ("beta", "bias", "moving_mean"):
            values = rng.normal(size=weight.shape) / 3
        elif weight.name == "kernel" and len(weight.shape) > 1:
            fan_in = max(np.prod(weight.shape[:-1]), 1)
            if weight.shape[-1] == 1:  # depthwise
                fan_in = np.prod(weight.shape[:2])
            values = rng.standard_normal(weight.shape, np.float32) * np.sqrt(2 / fan_in)
        else:
            raise AssertionError(f"no values for {weight.path}")
        weight.assign(values.astype("float32"))


def masked(encoder, n_filters):
    """The encoder behind features that come with a mask: a model of both."""
    features = keras.Input((None, n_filters))
    mask = keras.Input((None,), dtype="bool")
    return keras.Model([features, mask], encoder(AttachMask()([features, mask])))


def is_frame(lengths, frames):
    return np.arange(frames)[None, :] < np.array(lengths)[:, None]
