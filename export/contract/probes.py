"""Waveforms that anyone can make again, and what artifacts answered to them."""

import numpy as np

EXACT_TOLERANCE = 1e-3  # of what an answer's largest value is: other CPUs round so
ROUNDED_TOLERANCE = 0.1  # a step more or less somewhere in a network of 256 of them

_DIGITS = 7


class Probes:
    """Asks artifacts, and keeps their answers as `probes.json` holds them.

    Args:
        sample_rate, window_samples: Of the artifacts.

    Attributes:
        content: {path of the artifact: {"tolerance", "answers": {name of a head or
            part: nested lists}}}.
    """

    def __init__(self, sample_rate, window_samples):
        self._windows = probe_windows(sample_rate, window_samples)
        self.content = {}

    def ask(self, path, run, is_exact):
        """Keeps what an artifact answers.

        Args:
            path: Of the artifact.
            run: (n, window_samples) -> {name: (n, ...)}.
            is_exact: False for one of rounded numbers, int8 and the like.
        """
        self.content[path] = {
            "tolerance": EXACT_TOLERANCE if is_exact else ROUNDED_TOLERANCE,
            "answers": {
                name: np.round(answer.astype(float), _DIGITS).tolist()
                for name, answer in _answers(run, self._windows).items()
            },
        }

    def difference(self, told, run):
        """How far an artifact's answers are from what is `told` of them.

        Args:
            told: Its entry in a `content`.
            run: As in `ask`.

        Returns:
            The largest difference, as a share of the largest value of the answer (of
            1 at least). Infinite, if its answers have other names or shapes.
        """
        answers = _answers(run, self._windows)
        told = {name: np.array(answer) for name, answer in told["answers"].items()}
        if {k: v.shape for k, v in answers.items()} != {
            k: v.shape for k, v in told.items()
        }:
            return float("inf")
        differences = [
            np.max(np.abs(answers[name] - told[name]), initial=0.0)
            / max(1.0, np.max(np.abs(told[name]), initial=0.0))
            for name in told
        ]
        return float(np.max(differences))  # NaN stays NaN


def probe_windows(sample_rate, window_samples):
    """A chirp, loud and quiet, two tones with a click, and silence.

    Returns:
        (4, window_samples), float32.
    """
    t = np.arange(window_samples) / sample_rate
    seconds = window_samples / sample_rate
    chirp = np.sin(np.pi * sample_rate / 2 * t**2 / seconds)
    tones = 0.2 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 1330 * t)
    tones[window_samples // 3] = 1.0
    windows = [0.9 * chirp, 0.01 * chirp[::-1], tones, 0.0 * t]
    return np.stack(windows).astype(np.float32)


def _answers(run, windows):
    """{name: (n, values)}; of features their mean over the frames."""
    return {
        name: np.mean(answer, axis=tuple(range(1, answer.ndim - 1)))
        for name, answer in run(windows).items()
    }
