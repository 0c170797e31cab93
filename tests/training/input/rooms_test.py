import numpy as np
import pytest
import tensorflow as tf

from training.input.rooms import aligned, in_room, synthetic_responses


def test_a_response_begins_with_its_direct_sound():
    """Where it first is within 20 dB of its peak, which is the second sound here."""
    response = np.array([0, 0, 0.01, 0.4, 0, -0.8, 0.2, 0.1])
    np.testing.assert_allclose(aligned(response, 4), [0.5, 0, -1, 0.25])


def decay(response, rate):
    """RT60 of the reverberation, by Schroeder's integration from -5 to -25 dB."""
    energy = np.cumsum(response[:0:-1].astype(float) ** 2)[::-1]
    level = 10 * np.log10(energy / energy[0])
    first, last = np.argmax(level < -5), np.argmax(level < -25)
    return 60 / (level[first] - level[last]) * (last - first) / rate


def test_made_up_rooms_have_the_reverberation_asked_for():
    rate = 8000
    responses = synthetic_responses(30, (0.4, 0.4), rate, 10 * rate, seed=0)
    times = [decay(response, rate) for response in responses]
    np.testing.assert_allclose(np.mean(times), 0.4, rtol=0.03)
    assert {len(response) for response in responses} == {round(0.4 * rate)}
    direct = [-10 * np.log10(np.sum(response[1:] ** 2)) for response in responses]
    assert -6 <= min(direct) < -2 and 8 < max(direct) <= 12
    assert all(response[0] == 1 for response in responses)


def test_made_up_rooms_are_those_of_the_seed():
    found, again, other = (
        synthetic_responses(3, (0.1, 0.3), 8000, 500, seed) for seed in (1, 1, 2)
    )
    for response, same, different in zip(found, again, other):
        np.testing.assert_array_equal(response, same)
        assert not np.array_equal(response[1:], different[1:])
        assert len(response) == 500


@pytest.fixture
def window(rng):
    return rng.normal(size=600).astype("float32")


def test_a_delta_changes_nothing(window):
    for response in ([1.0], [1.0] + [0.0] * 599, [-3.0, 0.0]):
        sound = in_room(tf.constant(window), tf.constant(response))
        sign = np.sign(response[0])
        np.testing.assert_allclose(sound, sign * window, rtol=1e-5, atol=1e-6)


def test_the_sound_in_a_room_is_the_convolution_of_the_same_energy(window, rng):
    response = rng.normal(size=400).astype("float32")
    sound = in_room(tf.constant(window), tf.constant(response)).numpy()
    expected = np.convolve(window.astype(float), response)[:600]
    expected *= np.sqrt(np.sum(window**2.0) / np.sum(expected**2))
    np.testing.assert_allclose(sound, expected, rtol=1e-4, atol=1e-5)


def test_silence_stays_silent():
    silence = tf.zeros(600)
    np.testing.assert_array_equal(in_room(silence, tf.constant([1.0, 0.5])), silence)
