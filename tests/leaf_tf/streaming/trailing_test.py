import numpy as np
import pytest

import leaf_tf
from leaf_tf.streaming import Stream, TrailingWindow
from tests.leaf_tf.parameters import numbers


@pytest.mark.parametrize(
    "frontend",
    [
        lambda: leaf_tf.Leaf(n_filters=8),
        lambda: leaf_tf.MelFilterbanks(n_filters=8),
        lambda: leaf_tf.TimeDomainFilterbanks(n_filters=8),
        lambda: leaf_tf.SincNet(n_filters=8),
    ],
)
def test_holds_the_last_frames_of_all_sound_so_far(frontend, rng):
    layer = frontend()
    stream = Stream(layer)
    trailing = TrailingWindow(stream, n_frames=7)
    chunks = [rng.uniform(-1, 1, (2, 160 * hops)) for hops in (1, 1, 3, 10, 2, 5, 1)]
    chunks = [chunk.astype("float32") for chunk in chunks]
    silence = numbers(layer(np.zeros((2, 3200), "float32")))[:, 5:6]
    state = trailing.initial_state(2)
    for n_heard in range(1, len(chunks) + 1):
        window, state = trailing.step(chunks[n_heard - 1], state)
        heard = np.concatenate(chunks[:n_heard], axis=1)
        # What comes later changes nothing of the window.
        later = np.pad(heard, ((0, 0), (0, 3200)), constant_values=0.3)
        n_frames = heard.shape[1] // 160 - stream.delay
        frames = numbers(layer(later))[:, : max(n_frames, 0)]
        frames = np.concatenate([np.repeat(silence, 7, axis=1), frames], axis=1)
        np.testing.assert_allclose(
            numbers(window), frames[:, -7:], rtol=1e-5, atol=1e-5
        )


def test_chunks_longer_than_the_window(rng):
    layer = leaf_tf.MelFilterbanks()
    trailing = TrailingWindow(Stream(layer), n_frames=3)
    waveform = rng.uniform(-1, 1, (1, 3200)).astype("float32")
    window, _ = trailing.step(waveform, trailing.initial_state())
    np.testing.assert_allclose(
        numbers(window), numbers(layer(waveform))[:, 15:18], atol=1e-5
    )


def test_a_window_of_no_frames_is_refused():
    with pytest.raises(ValueError, match="`n_frames` must be at least 1. Received: 0"):
        TrailingWindow(Stream(leaf_tf.MelFilterbanks()), n_frames=0)
