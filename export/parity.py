"""How far an artifact's answers are from Keras's."""

import statistics
import time

import numpy as np

from export.averaging import SIGMOID
from files.errors import UserError

TOLERANCE = 1e-4  # in probability

_KERAS_BATCH = 8
_LATENCY_RUNS = 15


def keras_probabilities(source, windows):
    """The probabilities by Keras alone: `predict`, then NumPy.

    Nothing of the exported function takes part, so that a mistake in it shows.

    Returns:
        {head's name: (n, classes)}.
    """
    if len(source.model.input_shape) == 3:
        windows = windows[..., None]
    outputs = source.model.predict(windows, batch_size=_KERAS_BATCH, verbose=0)
    return {
        head.name: _probabilities(head, outputs[head.name].astype(np.float32))
        for head in source.heads
    }


def _probabilities(head, output):
    if not head.gives_logits:
        return output
    if head.activation == SIGMOID:
        # The half that doesn't overflow.
        odds = np.exp(-np.abs(output))
        return np.where(output < 0, odds, 1) / (1 + odds)
    odds = np.exp(output - np.max(output, axis=-1, keepdims=True))
    return odds / np.sum(odds, axis=-1, keepdims=True)


def differences(probabilities, keras):
    """Two arrays (n_windows, classes) compared.

    Returns:
        dict: `max_difference` and `mean_difference` in probability,
        `windows_with_another_label`.
    """
    difference = np.abs(probabilities - keras)
    other = np.argmax(probabilities, -1) != np.argmax(keras, -1)
    return {
        "max_difference": float(np.max(difference)),
        "mean_difference": float(np.mean(difference)),
        "windows_with_another_label": int(np.sum(other)),
    }


def check_tolerance(name, measured, n_windows):
    """Refuses an artifact that answers something else than Keras.

    Raises:
        UserError: `measured["max_difference"]` is above `TOLERANCE`, or no
            number.
    """
    worst = measured["max_difference"]
    if not worst <= TOLERANCE:  # `not`, since NaN compares false
        raise UserError(
            f"{name} differs from Keras by {worst:.1e} in probability on "
            f"{n_windows} windows; at most {TOLERANCE:.0e} is allowed, so "
            "nothing was written"
        )


def over_heads(measured):
    """What was measured on each head as that of the model.

    Args:
        measured: list of dict, `differences` and more, one per head.

    Returns:
        dict: the only head's; of several, their `differences` together.
    """
    if len(measured) == 1:
        return measured[0]
    return {
        "max_difference": max(m["max_difference"] for m in measured),
        "mean_difference": statistics.fmean(m["mean_difference"] for m in measured),
        "windows_with_another_label": sum(
            m["windows_with_another_label"] for m in measured
        ),
    }


def latency_ms(runner, window):
    """The median time that one window takes, in ms, after a first run.

    Args:
        runner: With `probabilities`, on one CPU thread where it can choose.
        window: (1, window_samples).
    """
    runner.probabilities(window)
    times = []
    for _ in range(_LATENCY_RUNS):
        start = time.perf_counter()
        runner.probabilities(window)
        times.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(times)
