"""An hour of sound at once: bounded memory, and as right at its end as at its start."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers
from tests.reference import leaf as reference

HOUR = 3600 * 16000
MOST_BYTES = 4e9  # 230 MB of them are the waveform's

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="measured on TensorFlow"
)

MEASURE = """
import sys
import numpy as np
import leaf_tf

def peak():
    with open("/proc/self/status") as file:
        return next(int(x.split()[1]) for x in file if x.startswith("VmHWM")) * 1024

frontend = leaf_tf.Leaf()
frontend(np.zeros((1, 16000), "float32"))
before = peak()
frontend(np.random.default_rng(0).uniform(-1, 1, (1, int(sys.argv[1]))).astype("f"))
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_memory_that_an_hour_takes():
    command = [sys.executable, "-c", MEASURE, str(HOUR)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    used = int(done.stdout.splitlines()[-1])
    print(f"an hour of sound took {used / 1e9:.1f} GB beside what a second took")
    assert used < MOST_BYTES


@pytest.mark.slow
def test_an_hour_is_right_at_its_end():
    waveform = np.random.default_rng(0).uniform(-1, 1, (1, HOUR)).astype("float32")
    waveform[:, HOUR // 2 : HOUR // 2 + 16000] = 0.0
    layer = leaf_tf.Leaf(compression="none")
    energies = numbers(layer(waveform))[0]
    assert energies.shape == (360_000, 40)
    # Whole frames of the first, the middle and the last minute, heard alone.
    for second in (0, 1790, 3540):
        alone = numbers(layer(waveform[:, 16000 * second : 16000 * (second + 60)]))[0]
        heard = energies[100 * second : 100 * (second + 60)]
        np.testing.assert_allclose(heard[5:-5], alone[5:-5], rtol=1e-3, atol=1e-5)
    features = numbers(leaf_tf.PCEN()(energies[None]))[0]
    parameters = (np.full(40, value) for value in (0.96, 2.0, 2.0, 0.04))
    expected = reference.pcen(energies.astype(np.float64), *parameters)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-4)
