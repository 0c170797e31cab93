import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers
from tests.reference import mel as reference


@pytest.mark.parametrize("samples", [1, 160, 401, 12345])
def test_equals_reference(samples, rng):
    waveform = rng.uniform(-1, 1, (2, samples)).astype("float32")
    triangles = reference.mel_triangles(40, 512, 16000, 60.0, 7800.0)
    outputs = numbers(leaf_tf.MelFilterbanks()(waveform))
    for clip in range(2):
        expected = reference.log_mel(waveform[clip], triangles)
        np.testing.assert_allclose(outputs[clip], expected, rtol=1e-4, atol=1e-4)


def test_equals_reference_with_an_even_window_at_a_high_rate(rng):
    waveform = rng.uniform(-1, 1, (1, 9000)).astype("float32")
    # 25 ms at 44.1 kHz: 1103 samples; 20.02 ms: 883; 20 ms gives 883 too.
    layer = leaf_tf.MelFilterbanks(
        n_filters=64, sample_rate=44100, window_len=19.98, max_freq=20000.0
    )
    assert layer.kernel_size == 882 and layer.n_fft == 1024
    triangles = reference.mel_triangles(64, 1024, 44100, 60.0, 20000.0)
    expected = reference.log_mel(waveform[0], triangles, 882, 441, 1024)
    np.testing.assert_allclose(
        numbers(layer(waveform))[0], expected, rtol=1e-4, atol=1e-4
    )


def test_nothing_is_learned():
    layer = leaf_tf.MelFilterbanks()
    layer.build((None, None))
    assert layer.weights == []
