import numpy as np
import pytest
import tensorflow as tf

from benchmarks.suite.conditions import Gain
from training.tasks.clip_sets import ClipSet


@pytest.mark.parametrize("db, factor", [(20, 10.0), (-20, 0.1), (0, 1.0)])
def test_a_gain_scales_and_clips_nothing(db, factor):
    waveforms = np.array([[0.5, -1.0, 0.0], [0.25, 0.75, 1.0]], np.float32)

    def at(sample_rate):
        return lambda n: {"waveform": tf.constant(waveforms)[n], "label": n, "clip": ""}

    clips = Gain(db).added_to(ClipSet.by_index(2, at)).dataset(8000)
    found = np.stack([clip["waveform"] for clip in clips.as_numpy_iterator()])
    np.testing.assert_allclose(found, factor * waveforms, rtol=1e-6)
