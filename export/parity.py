"""How far an artifact's answers are from Keras's."""

import statistics
import time

import numpy as np

from export.averaging import SIGMOID
from export.scores import ACCURACY, MEAN_AVERAGE_PRECISION
from export.stages import inner
from files.errors import UserError
from files.quiet import import_keras

TOLERANCE = 1e-4  # in probability

_KERAS_BATCH = 8
_LATENCY_RUNS = 15


def keras_probabilities(source, windows):
    """The probabilities by Keras alone: `predict`, then NumPy.

    Nothing of the exported function takes part, so that a mistake in it shows.

    Returns:
        {head's name: (n, classes)}.
    """
    outputs = _predict(source.model, windows)
    return {
        head.name: _probabilities(head, outputs[head.name].astype(np.float32))
        for head in source.heads
    }


def keras_part(source, name, windows):
    """The features or embeddings by Keras alone.

    Args:
        source: `export.sources.Source`.
        name: Of an inner tensor, see `export.stages.inner`.
        windows: (n, window_samples).

    Returns:
        (n, ...), float32.
    """
    keras = import_keras()
    part = keras.Model(source.model.input, inner(source.model)[name])
    return _predict(part, windows).astype(np.float32)


def _predict(model, windows):
    if len(model.input_shape) == 3:
        windows = windows[..., None]
    return model.predict(windows, batch_size=_KERAS_BATCH, verbose=0)


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


def check_tolerance(name, measured, n_windows, unit=" in probability"):
    """Refuses an artifact that answers something else than Keras.

    Args:
        name: Of the artifact.
        measured: dict, `max_difference` among it.
        n_windows: On how many windows.
        unit: Of the difference.

    Raises:
        UserError: The difference is above `TOLERANCE`, or no number.
    """
    worst = measured["max_difference"]
    if not worst <= TOLERANCE:  # `not`, since NaN compares false
        raise UserError(
            f"{name} differs from Keras by {worst:.1e}{unit} on "
            f"{n_windows} windows; at most {TOLERANCE:.0e} is allowed"
        )


def part_differences(values, keras):
    """Two arrays of features or embeddings compared, relative to the largest of them.

    Returns:
        dict: `max_difference` and `mean_difference`, of the largest of Keras's values.
    """
    difference = np.abs(values - keras) / max(np.max(np.abs(keras)), 1e-6)
    return {
        "max_difference": float(np.max(difference)),
        "mean_difference": float(np.mean(difference)),
    }


def points_lost(measured, keras):
    """By how many points the score of the worst head is below Keras's.

    Args:
        measured, keras: Lists of dicts of `export.scores.score`, one per head.

    Returns:
        float, below 0 if every head gains; None if no head's clips have labels.
    """
    lost = [
        100.0 * (theirs[name] - ours[name])
        for ours, theirs in zip(measured, keras)
        for name in (ACCURACY, MEAN_AVERAGE_PRECISION)
        if theirs.get(name) is not None
    ]
    return max(lost, default=None)


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


def latency_ms(run, window):
    """The median time that one window takes, in ms, after a first run.

    Args:
        run: Answers windows.
        window: (1, window_samples).
    """
    run(window)
    times = []
    for _ in range(_LATENCY_RUNS):
        start = time.perf_counter()
        run(window)
        times.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(times)
