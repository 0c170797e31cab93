"""Whether the moving averages of a model fit the sound that it is for."""

import contextlib
from typing import Any

import numpy as np

from export.source.stages import as_input
from leaf_files.quiet import import_keras

# Factor of a variance: batches and clips differ by less, averages that still hold
# their initial values by more.
MOST = 4.0
_MAX_WINDOWS = 32


def unsettled_norms(model: Any, windows: np.ndarray) -> list[tuple[str, float]]:
    """Batch normalisations that don't bring these windows to a variance of 1.

    A layer's variance is the median over its channels: some may be silent in a few
    clips.

    Args:
        model: keras.Model, waveform (batch, samples) or (batch, samples, 1) -> any.
        windows: (n, window_samples), such as the model was trained on.

    Returns:
        (name of the layer, mean square of its values before `gamma` and `beta`) of
        each layer where that is not within a factor of 4 of 1, in the order in which
        they are called.

    Example:

    >>> unsettled_norms(source.model, np.zeros((1, 4000), np.float32))  # it has none
    []
    """
    squares: dict[str, float] = {}
    with contextlib.ExitStack() as hooks:
        for layer in model._flatten_layers():
            if hasattr(layer, "moving_variance") and not layer._layers:
                hooks.enter_context(_measured(layer, squares))
        model(as_input(model, windows[:_MAX_WINDOWS]), training=False)
    return [
        (name, square)
        for name, square in squares.items()
        if not 1 / MOST <= square <= MOST
    ]


def unsettled_line(norms: list[tuple[str, float]]) -> str:
    """A sentence for the report on `unsettled_norms`; "" for none.

    Example:

    >>> unsettled_line([("batch_normalization", 30.0)])
    "the moving averages of the batch normalisation batch_normalization don't fit ...
    """
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
def _measured(layer, squares):
    """Keeps the mean square of a layer's normalised inputs, while inside."""
    call = layer.call

    def measured_call(inputs, *args, **options):
        with contextlib.suppress(NotImplementedError):  # in a graph of its own
            squares.setdefault(layer.name, _mean_square(layer, inputs))
        return call(inputs, *args, **options)

    layer.call = measured_call
    try:
        yield
    finally:
        del layer.call


def _mean_square(layer, inputs):
    """The median over channels of (inputs - moving mean)^2 / moving variance."""
    numpy = import_keras().ops.convert_to_numpy
    mean, variance = numpy(layer.moving_mean), numpy(layer.moving_variance)
    epsilon = getattr(layer, "epsilon", 1e-5)
    values = np.asarray(numpy(inputs), np.float64)
    if mean.ndim > 1:  # one for each group of rows
        ops = import_keras().ops
        moments = layer._moments(ops.cast(inputs, "float32"), None)
        inputs_mean, inputs_variance = map(numpy, moments)
        squares = inputs_variance + np.square(inputs_mean - mean)
    else:
        values = np.moveaxis(values, getattr(layer, "axis", -1), -1)
        squares = np.square(values - mean).mean(axis=tuple(range(values.ndim - 1)))
    return float(np.median((squares + epsilon) / (variance + epsilon)))
