"""Probabilities of a clip from those of its windows."""

import numpy as np

from leaf_files.run_folder import SIGMOID


def clip_probabilities(window_probabilities: np.ndarray, activation: str) -> np.ndarray:
    """The probabilities at the mean of the windows' logits.

    The logits are recovered from the probabilities. Softmax hides one constant
    per window; it drops out when the mean passes through softmax again.

    Args:
        window_probabilities: (windows, classes).
        activation: "softmax" or "sigmoid", the model's last step.

    Returns:
        (classes,), float64.

    Example:

    >>> windows = np.array([[0.9, 0.1], [0.5, 0.5]])
    >>> clip_probabilities(windows, "softmax").round(2).tolist()
    [0.75, 0.25]
    """
    # The smallest normal float32: an underflow to 0 must not become -inf.
    p = np.maximum(
        np.asarray(window_probabilities, np.float64), np.finfo(np.float32).tiny
    )
    if activation == SIGMOID:
        complement = np.maximum(1.0 - p, np.finfo(np.float32).tiny)
        return 1.0 / (1.0 + np.exp(-np.mean(np.log(p) - np.log(complement), axis=0)))
    mean_logits = np.mean(np.log(p), axis=0)
    odds = np.exp(mean_logits - np.max(mean_logits))
    return odds / np.sum(odds)
