"""Reading and setting a Leaf's parameters in tests."""

import numpy as np
from keras import ops

numbers = ops.convert_to_numpy


def weights_by_name(layer):
    """The layer's weights by their own names: center_freqs, sigmas, ..."""
    return {weight.name: weight for weight in layer.weights}


def parameters_of(layer):
    """The layer's weights as NumPy arrays by name."""
    return {name: numbers(weight) for name, weight in weights_by_name(layer).items()}


def perturb(layer, rng):
    """Moves all parameters to random values; a Leaf's, some outside their bounds."""
    ranges = {
        "center_freqs": (-0.2, 3.4),
        "sigmas": (0.5, 200.0),
        "widths": (0.001, 0.7),
        "alpha": (0.5, 1.2),
        "delta": (0.5, 4.0),
        "root": (0.8, 4.0),
        "smooth_coef": (-0.1, 1.1),
    }
    for weight in layer.trainable_weights:
        if weight.name in ranges:
            values = rng.uniform(*ranges[weight.name], weight.shape)
        else:
            values = numbers(weight) * rng.uniform(0.8, 1.2, weight.shape)
        weight.assign(values.astype(np.float32))
