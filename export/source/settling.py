"""Whether the moving averages of a model fit the sound that it is for."""

import contextlib

import numpy as np

from export.source.stages import as_input
from files.quiet import import_keras

# Batches, and clips, differ by less; averages that still hold their start by more.
MOST = 4.0
_MAX_WINDOWS = 32


def unsettled_norms(model, windows):
    """Batch normalisations that bring these windows to anything but a variance of 1.

    Of a layer's channels the median counts: some may be silent in a few clips.

    Args:
        model: keras.Model, waveform (batch, samples) or (batch, samples, 1) -> any.
        windows: (n, window_samples), such as the model was trained on.

    Returns:
        list of (name of the layer, mean square of what it makes before `gamma` and
        `beta`), of those where that is not within a factor of 4 of 1, in the order in
        which they are called.
    """
    found = {}
    with contextlib.ExitStack() as hooks:
        for layer in model._flatten_layers():
            if hasattr(layer, "moving_variance") and not layer._layers:
                hooks.enter_context(_heard(layer, found))
        model(as_input(model, windows[:_MAX_WINDOWS]), training=False)
    return [
        (name, square)
        for name, square in found.items()
        if not 1 / MOST <= square <= MOST
    ]


def unsettled_line(norms):
    """What a report says of `unsettled_norms`; "" of none."""
    if not norms:
        return ""
    (name, square), *others = norms
    more = f" (and {len(others)} more)" if others else ""
    return (
        f"the moving averages of the batch normalisation {name}{more} don't fit these "
        f"clips: it brings them to a mean square of {square:.2g}, 1 would be right. "
        "It was trained for too few steps for its momentum, or on other sound"
    )


@contextlib.contextmanager
def _heard(layer, found):
    """Keeps the mean square of what a layer makes of its inputs, while inside."""
    call = layer.call

    def heard(inputs, *args, **options):
        with contextlib.suppress(NotImplementedError):  # in a graph of its own
            found.setdefault(layer.name, _mean_square(layer, inputs))
        return call(inputs, *args, **options)

    layer.call = heard
    try:
        yield
    finally:
        del layer.call


def _mean_square(layer, inputs):
    """Of the inputs less their moving mean, by the moving variance: a median."""
    numpy = import_keras().ops.convert_to_numpy
    mean, variance = numpy(layer.moving_mean), numpy(layer.moving_variance)
    epsilon = getattr(layer, "epsilon", 1e-5)
    values = np.asarray(numpy(inputs), np.float64)
    if mean.ndim > 1:  # of groups of rows
        ops = import_keras().ops
        own = [numpy(m) for m in layer._moments(ops.cast(inputs, "float32"), None)]
        squares = own[1] + np.square(own[0] - mean)
    else:
        values = np.moveaxis(values, getattr(layer, "axis", -1), -1)
        squares = np.square(values - mean).mean(axis=tuple(range(values.ndim - 1)))
    return float(np.median((squares + epsilon) / (variance + epsilon)))
