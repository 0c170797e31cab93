"""Probe waveforms, which can be made again, and the answers of artifacts to them."""

from collections.abc import Callable, Mapping

import numpy as np

# Shares of an answer's largest value.
EXACT_TOLERANCE = 1e-3  # CPUs differ in rounding by less
ROUNDED_TOLERANCE = 0.1  # a step of int8 more or less somewhere in a network

_DIGITS = 7

# (n, window_samples) -> {name of a head or part: (n, ...)}.
Run = Callable[[np.ndarray], Mapping[str, np.ndarray]]


class Probes:
    """Asks artifacts, and keeps their answers as `probes.json` holds them.

    Args:
        sample_rate: Rate of the artifacts' waveform, Hz.
        window_samples: Length of their window.

    Attributes:
        content: {path of the artifact: {"tolerance", "answers": {name of a head or
            part: nested lists}}}.

    Example:

    >>> probes = Probes(sample_rate=8000, window_samples=8000)
    >>> probes.ask("one.tflite", lambda windows: {"": np.ones((4, 1))}, is_exact=True)
    >>> answers = probes.content["one.tflite"]
    >>> probes.difference(answers, lambda windows: {"": np.full((4, 1), 0.75)})
    0.25
    """

    def __init__(self, sample_rate: int, window_samples: int):
        self._windows = probe_windows(sample_rate, window_samples)
        self.content: dict[str, dict] = {}

    def ask(self, path: str, run: Run, is_exact: bool) -> None:
        """Keeps an artifact's answers.

        Args:
            path: The artifact, as the report names it.
            run: (n, window_samples) -> {name: (n, ...)}.
            is_exact: False for an artifact of rounded numbers, int8 and the like.
        """
        self.content[path] = {
            "tolerance": EXACT_TOLERANCE if is_exact else ROUNDED_TOLERANCE,
            "answers": {
                name: np.round(answer.astype(float), _DIGITS).tolist()
                for name, answer in _answers(run, self._windows).items()
            },
        }

    def difference(self, entry: Mapping, run: Run) -> float:
        """The difference between an artifact's answers and those that were kept.

        Args:
            entry: The artifact's entry in a `content`.
            run: (n, window_samples) -> {name: (n, ...)}.

        Returns:
            The largest difference, as a share of the largest value of the answer (of
            1 at least). Infinite, if the answers have other names or shapes.
        """
        answers = _answers(run, self._windows)
        expected = {name: np.array(value) for name, value in entry["answers"].items()}
        if {k: v.shape for k, v in answers.items()} != {
            k: v.shape for k, v in expected.items()
        }:
            return float("inf")
        differences = [
            np.max(np.abs(answers[name] - value), initial=0.0)
            / max(1.0, np.max(np.abs(value), initial=0.0))
            for name, value in expected.items()
        ]
        return float(np.max(differences))  # NaN stays NaN


def probe_windows(sample_rate: int, window_samples: int) -> np.ndarray:
    """A chirp, loud and quiet, two tones with a click, and silence.

    Args:
        sample_rate: Sample rate, Hz.
        window_samples: Length of each.

    Returns:
        (4, window_samples), float32.

    Example:

    >>> probe_windows(sample_rate=8000, window_samples=4000).shape
    (4, 4000)
    """
    t = np.arange(window_samples) / sample_rate
    seconds = window_samples / sample_rate
    chirp = np.sin(np.pi * sample_rate / 2 * t**2 / seconds)
    tones = 0.2 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 1330 * t)
    tones[window_samples // 3] = 1.0
    windows = [0.9 * chirp, 0.01 * chirp[::-1], tones, 0.0 * t]
    return np.stack(windows).astype(np.float32)


def _answers(run, windows):
    """{name: (n, values)}; features are averaged over the frames."""
    return {
        name: np.mean(answer, axis=tuple(range(1, answer.ndim - 1)))
        for name, answer in run(windows).items()
    }
