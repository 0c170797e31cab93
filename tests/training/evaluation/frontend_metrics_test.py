"""What a run says of its frontend, over all names that `--frontend` takes."""

import json

import numpy as np
import pytest
from keras import ops

from tests.training.runs import SAMPLE_RATE, small_config
from training.evaluation.frontend_metrics import frontend_metrics
from training.run.models import FRONTENDS

# Names of what a frontend that learned nothing of the kind hasn't drifted in.
UNMEASURED = {"wavegram", "mel"}
FAST = {"leaf", "leaf_paper", "leaf_fixed_pcen"}


class Clips:
    """A `ClipSet` of two clips of noise."""

    def dataset(self, sample_rate):
        random = np.random.default_rng(0)
        clips = [{"waveform": random.uniform(-0.5, 0.5, 2500)} for _ in range(2)]
        return _Dataset(clips)


class _Dataset(list):
    def take(self, n):
        return _Dataset(self[:n])

    def as_numpy_iterator(self):
        return iter(self)


@pytest.mark.parametrize("name", FRONTENDS)
def test_metrics_of_all_frontends(name, rng):
    frontend = FRONTENDS[name](n_filters=4, sample_rate=SAMPLE_RATE)
    frontend.build((None, None))
    config = small_config("clips", frontend=name, n_filters=4)
    metrics = frontend_metrics(frontend, [Clips()], config, n_replans=0)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert ("frontend_error" in metrics) == (name in FAST)
    if name in FAST:
        error = metrics["frontend_error"]
        assert 0 < error["mean"] < error["max"] < 0.01 and error["clips"] == 2
    assert ("filter_drift" in metrics) == (name not in UNMEASURED)
    if name in UNMEASURED:
        return
    assert set(metrics["filter_drift"].values()) <= {0.0, None}
    for weight in frontend.trainable_weights:
        values = ops.convert_to_numpy(weight)  # a gain for all taps would be none
        weight.assign(values * rng.uniform(0.5, 0.9, values.shape))
    drift = frontend_metrics(frontend, [Clips()], config, 0)["filter_drift"]
    assert max(change for change in drift.values() if change is not None) > 0.05
