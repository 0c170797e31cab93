"""How far an artifact's answers are from Keras's."""

import statistics
import time

import numpy as np

from export.averaging import clip_probabilities
from files.errors import UserError

TOLERANCE = 1e-4  # in probability

_KERAS_BATCH = 8
_LATENCY_RUNS = 15


def keras_probabilities(source, windows):
    """The probabilities by Keras alone: `predict`, then NumPy.

    Nothing of the exported function takes part, so that a mistake in it shows.

    Returns:
        (n, classes).
    """
    if len(source.model.input_shape) == 3:
        windows = windows[..., None]
    output = source.model.predict(windows, batch_size=_KERAS_BATCH, verbose=0)
    output = output.astype(np.float32)
    if not source.gives_logits:
        return output
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


def accuracy(probabilities, clips, activation):
    """The share of clips whose top label is right; None without labels.

    Args:
        probabilities: (n_windows, classes), of `clips.windows`.
        clips: `export.clips.Clips`.
        activation: As in `export.averaging`.
    """
    if clips.true_classes is None:
        return None
    top = [
        np.argmax(
            clip_probabilities(probabilities[clips.clip_of_window == clip], activation)
        )
        for clip in range(clips.n_clips)
    ]
    return float(np.mean(top == clips.true_classes))


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
