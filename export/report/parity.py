"""Differences between an artifact's answers and Keras's, and latencies."""

import statistics
import time
from collections.abc import Mapping, Sequence

import numpy as np

from export.contract.probes import Run
from export.report.scores import ACCURACY, MEAN_AVERAGE_PRECISION
from export.source.opening import Source
from export.source.stages import as_input, as_numpy, behind_features, frontend_of, inner
from export.tflite_format.stream_facts import StreamFacts
from leaf_files.errors import UserError
from leaf_files.quiet import import_keras
from leaf_files.run_folder import SIGMOID

TOLERANCE = 1e-4  # in probability

_KERAS_BATCH = 8
_LATENCY_RUNS = 15


def keras_probabilities(source: Source, windows: np.ndarray) -> dict[str, np.ndarray]:
    """The probabilities by Keras alone: `predict`, then NumPy.

    Nothing of the exported function takes part, so that a mistake in it shows.

    Args:
        source: The model.
        windows: (n, window_samples).

    Returns:
        {head's name: (n, classes)}.

    Example:

    >>> keras_probabilities(source, np.zeros((2, 4000), np.float32))[""].shape
    (2, 4)
    """
    return _of_heads(source, _predict(source.model, windows))


def keras_part(source: Source, name: str, windows: np.ndarray) -> np.ndarray:
    """The features or embeddings by Keras alone.

    Args:
        source: The model.
        name: Name of an inner tensor, see `export.source.stages.inner`.
        windows: (n, window_samples).

    Returns:
        (n, ...), float32.

    Example:

    >>> keras_part(source, "features", np.zeros((2, 4000), np.float32)).shape
    (2, 50, 6)
    """
    keras = import_keras()
    part = keras.Model(source.model.input, inner(source.model)[name])
    return _predict(part, windows).astype(np.float32)


def keras_stream(
    source: Source, facts: StreamFacts, waveform: np.ndarray
) -> dict[str, np.ndarray]:
    """The probabilities that a streaming model gives, by Keras alone.

    The frontend takes the whole waveform at once. For each chunk the last frames that
    are known by then, with frames of silence before the first, go into the layers
    behind.

    Args:
        source: The model.
        facts: Facts of the streaming model.
        waveform: (samples,), whole chunks.

    Returns:
        {head's name: (chunks, classes)}.

    Example:

    >>> facts = StreamFacts(8000, 800, 80, 2, 32.5, 50, 4000, {"": "softmax"})
    >>> keras_stream(source, facts, np.zeros(1600, np.float32))[""].shape
    (2, 4)
    """
    frontend = frontend_of(source.model)
    frames = _frames(frontend, waveform)
    silence = _frames(frontend, np.zeros_like(waveform[: facts.chunk_samples]))[:1]
    before = np.repeat(silence, facts.window_frames, axis=0)
    windows = []
    for end in range(facts.chunk_samples, waveform.size + 1, facts.chunk_samples):
        known = max(end // facts.hop_samples - facts.delay_hops, 0)
        window = np.concatenate([before, frames[:known]])[-facts.window_frames :]
        windows.append(window)
    model = behind_features(source.model)
    batches = [
        model(np.stack(windows[start : start + _KERAS_BATCH]), training=False)
        for start in range(0, len(windows), _KERAS_BATCH)
    ]
    outputs = {
        name: np.concatenate([as_numpy(batch[name]) for batch in batches])
        for name in batches[0]
    }
    return _of_heads(source, outputs)


def keras_windows_on_stream(
    source: Source, facts: StreamFacts, windows: np.ndarray
) -> dict[str, np.ndarray]:
    """The probabilities that a microcontroller's model should give, by Keras alone.

    Of each window with silence behind it, the frames that are the trailing window
    when all of its own frames are there.

    Args:
        source: The model.
        facts: Facts of the model.
        windows: (n, window_samples).

    Returns:
        {head's name: (n, classes)}.

    Example:

    >>> facts = StreamFacts(8000, 800, 80, 2, 32.5, 50, 4000, {"": "softmax"}, True)
    >>> windows = np.zeros((3, 4000), np.float32)
    >>> keras_windows_on_stream(source, facts, windows)[""].shape
    (3, 4)
    """
    frontend, behind = frontend_of(source.model), behind_features(source.model)
    needed = windows.shape[1] + facts.delay_hops * facts.hop_samples
    samples = -(-needed // facts.chunk_samples) * facts.chunk_samples
    end = samples // facts.hop_samples - facts.delay_hops
    padded = np.pad(windows, ((0, 0), (0, samples - windows.shape[1])))
    outputs: dict[str, list] = {head.name: [] for head in source.heads}
    for start in range(0, len(padded), _KERAS_BATCH):
        frames = frontend(padded[start : start + _KERAS_BATCH], training=False)
        answers = behind(frames[:, end - facts.window_frames : end], training=False)
        for name, answer in answers.items():
            outputs[name].append(as_numpy(answer))
    return _of_heads(source, {k: np.concatenate(v) for k, v in outputs.items()})


def _frames(frontend, waveform):
    """(frames, channels), float32."""
    return as_numpy(frontend(waveform[None], training=False))[0]


def _of_heads(source, outputs):
    return {
        head.name: _probabilities(head, outputs[head.name].astype(np.float32))
        for head in source.heads
    }


def _predict(model, windows):
    windows = as_input(model, windows)
    return model.predict(windows, batch_size=_KERAS_BATCH, verbose=0)


def _probabilities(head, output):
    if not head.gives_logits:
        return output
    if head.activation == SIGMOID:
        # exp(-|x|) doesn't overflow.
        odds = np.exp(-np.abs(output))
        return np.where(output < 0, odds, 1) / (1 + odds)
    odds = np.exp(output - np.max(output, axis=-1, keepdims=True))
    return odds / np.sum(odds, axis=-1, keepdims=True)


def differences(probabilities: np.ndarray, keras: np.ndarray) -> dict:
    """Compares two arrays (n_windows, classes).

    Returns:
        dict: `max_difference` and `mean_difference` in probability,
        `windows_with_another_label`.

    Example:

    >>> differences(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]]))
    {'max_difference': 0.25, 'mean_difference': 0.25, 'windows_with_another_label': 1}
    """
    difference = np.abs(probabilities - keras)
    is_other = _top(probabilities) != _top(keras)
    return {
        "max_difference": float(np.max(difference)),
        "mean_difference": float(np.mean(difference)),
        "windows_with_another_label": int(np.sum(is_other)),
    }


def _top(probabilities):
    """The index of each window's top label; of a single label, whether it is there."""
    if probabilities.shape[-1] == 1:
        return probabilities[..., 0] >= 0.5
    return np.argmax(probabilities, -1)


def check_tolerance(
    name: str,
    measured: Mapping,
    n_windows: int,
    unit: str = " in probability",
    windows: str = "windows",
) -> None:
    """Refuses an artifact whose answers differ from Keras's.

    Args:
        name: Name of the artifact.
        measured: Measurements, `max_difference` among them.
        n_windows: Number of windows that were compared.
        unit: Unit of the difference, for the message.
        windows: Word for the windows, for the message.

    Raises:
        UserError: The difference is above `TOLERANCE`, or no number.

    Example:

    >>> check_tolerance("model.tflite", {"max_difference": 0.5}, n_windows=9)
    Traceback (most recent call last):
    leaf_files.errors.UserError: model.tflite differs from Keras by 5.0e-01 ...
    """
    worst = measured["max_difference"]
    if not worst <= TOLERANCE:  # `not`, since NaN compares false
        raise UserError(
            f"{name} differs from Keras by {worst:.1e}{unit} on "
            f"{n_windows} {windows}; at most {TOLERANCE:.0e} is allowed"
        )


def part_differences(values: np.ndarray, keras: np.ndarray) -> dict:
    """Compares two arrays of features or embeddings.

    Returns:
        dict: `max_difference` and `mean_difference`, shares of Keras's largest value.

    Example:

    >>> part_differences(np.array([1.0, 3.0]), np.array([1.0, 4.0]))
    {'max_difference': 0.25, 'mean_difference': 0.125}
    """
    difference = np.abs(values - keras) / max(np.max(np.abs(keras)), 1e-6)
    return {
        "max_difference": float(np.max(difference)),
        "mean_difference": float(np.mean(difference)),
    }


def points_lost(measured: Sequence[Mapping], keras: Sequence[Mapping]) -> float | None:
    """The points by which the score of the worst head is below Keras's.

    Args:
        measured, keras: Results of `export.report.scores.score`, one per head.

    Returns:
        Points, below 0 if every head gains; None if no head's clips have labels.

    Example:

    >>> points_lost([{"accuracy": 0.75}], [{"accuracy": 0.8125}])
    6.25
    """
    losses = [
        100.0 * (theirs[name] - ours[name])
        for ours, theirs in zip(measured, keras)
        for name in (ACCURACY, MEAN_AVERAGE_PRECISION)
        if theirs.get(name) is not None
    ]
    return max(losses, default=None)


def over_heads(measured: Sequence[dict]) -> dict:
    """The differences of a model from those of its heads.

    Args:
        measured: `differences` and more, one dict per head.

    Returns:
        dict: the only head's; of several heads, their `differences` together.

    Example:

    >>> one = differences(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]]))
    >>> over_heads([one, {**one, "max_difference": 0.5}])
    {'max_difference': 0.5, 'mean_difference': 0.25, 'windows_with_another_label': 2}
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


def latency_ms(run: Run, window: np.ndarray) -> float:
    """The median time that one window takes, in ms, after a first run.

    Args:
        run: Function that answers windows.
        window: (1, window_samples).

    Example:

    >>> latency_ms(lambda windows: {"": windows}, np.zeros((1, 4000))) < 1000
    True
    """
    run(window)
    times = []
    for _ in range(_LATENCY_RUNS):
        start = time.perf_counter()
        run(window)
        times.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(times)
