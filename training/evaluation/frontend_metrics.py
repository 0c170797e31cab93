"""Metrics of the learned frontend of a run."""

import dataclasses
import itertools

import numpy as np
from keras import ops

from leaf_files.arithmetic import ceil_div
from leaf_files.windows import cut_windows
from leaf_tf import visualize

_CLIPS = 20


def frontend_metrics(frontend, clip_sets, config, n_replans):
    """Drift of the frontend in training, and the error of the fast method.

    The error compares the features with those of the definition, on one window each
    of at most 20 test clips (one a task where there are more tasks).

    Args:
        frontend: The trained frontend.
        clip_sets: The test `ClipSet` of each task.
        config: The run's `FitConfig`.
        n_replans: Number of times that the run planned the frontend anew.

    Returns:
        A dict with those of these that apply.
        "filter_drift": the numbers of `visualize.Drift`, of a frontend that learns
            any of what it measures.
        "frontend_error": {"max", "mean", "predicted", "replans", "clips"}, of a fast
            `Leaf`: differences of the features, and the relative error of the worst
            filter's energy on white noise that the plan predicts.

    >>> import leaf_tf
    >>> from training.settings.config import FitConfig
    >>> frontend = leaf_tf.MelFilterbanks(8)  # learns nothing
    >>> features = frontend(np.zeros((1, 1600)))
    >>> frontend_metrics(frontend, [], FitConfig("drums"), n_replans=0)
    {}
    """
    return {
        **_filter_drift(frontend),
        **_frontend_error(frontend, clip_sets, config, n_replans),
    }


def _filter_drift(frontend):
    drift = visualize.drift(frontend, visualize.untrained(frontend))
    if drift == visualize.Drift():
        return {}
    return {"filter_drift": dataclasses.asdict(drift)}


def _frontend_error(frontend, clip_sets, config, n_replans):
    exact = frontend.exact_twin()
    if exact is None:
        return {}
    clips_per_task = ceil_div(_CLIPS, len(clip_sets))
    clips = itertools.chain.from_iterable(
        clip_set.dataset(config.sample_rate).take(clips_per_task).as_numpy_iterator()
        for clip_set in clip_sets
    )
    largest, means = 0.0, []
    for clip in clips:
        window = cut_windows(clip["waveform"], config.window_samples)[:1]
        difference = np.abs(
            ops.convert_to_numpy(frontend(window)) - ops.convert_to_numpy(exact(window))
        )
        largest = max(largest, float(difference.max()))
        means.append(float(difference.mean()))
    return {
        "frontend_error": {
            "max": largest,
            "mean": float(np.mean(means)),
            "predicted": float(frontend.predicted_errors()[0].max()),
            "replans": n_replans,
            "clips": len(means),
        }
    }
