"""Rooms for windows: impulse responses, recorded or made up, and their sound."""

import numpy as np
import tensorflow as tf

# The direct sound begins where a response first comes within 20 dB of its peak:
# ISO 3382-1:2009, Sec. 5.3.3.
_ONSET = 0.1
# Direct sound to reverberation, dB: a far and a near microphone.
_DIRECT_DB = (-6.0, 12.0)
N_SYNTHETIC = 200
_SYNTHETIC = 0x5245564552  # distinguishes their seed from others


def aligned(response, samples):
    """A recorded response from its direct sound on.

    Args:
        response: (samples,), NumPy, not silent.
        samples: Most samples that are kept.

    Returns:
        (at most `samples`,), float32, of peak 1.

    >>> aligned(np.array([0, 0.01, 0.4, 0, -0.8, 0.2]), samples=4)
    array([ 0.5 ,  0.  , -1.  ,  0.25], dtype=float32)
    """
    response = response / np.abs(response).max()
    onset = np.argmax(np.abs(response) >= _ONSET)
    return response[onset : onset + samples].astype(np.float32)


def synthetic_responses(n_responses, rt60, sample_rate, samples, seed):
    """Responses of rooms that are made up: direct sound, then decaying noise.

        h[0] = 1,  h[t] = g n[t] 10^(-3 t / (RT60 sample_rate)),  t = 1, 2, ...

    n is Gaussian noise; g gives a ratio of direct sound to reverberation that is drawn
    evenly from -6 to 12 dB, RT60 is drawn evenly from its range.

    Args:
        n_responses: Number of responses.
        rt60: (shortest, longest) reverberation time, in which the energy falls by 60
            dB, seconds.
        sample_rate: Rate of the responses, Hz.
        samples: Most samples of a response; it ends at -60 dB.
        seed: An int; the same gives the same responses.

    Returns:
        A list of (samples,), float32.

    Source: J.-D. Polack, La transmission de l'énergie sonore dans les salles, thesis,
        Université du Maine, 1988.

    >>> [response] = synthetic_responses(1, (0.1, 0.1), 8000, 8000, seed=0)
    >>> response.shape, float(response[0])
    ((800,), 1.0)
    """
    random = np.random.default_rng([seed, _SYNTHETIC])
    responses = []
    for _ in range(n_responses):
        decay = random.uniform(*rt60) * sample_rate  # samples
        direct_db = random.uniform(*_DIRECT_DB)
        times = np.arange(1, max(2, int(decay)))
        tail = random.standard_normal(len(times)) * 10.0 ** (-3.0 * times / decay)
        tail *= 10.0 ** (-direct_db / 20) / np.sqrt(np.sum(tail**2))
        response = np.concatenate([[1.0], tail])[:samples]
        responses.append(response.astype(np.float32))
    return responses


def in_room(window, response):
    """A window as it sounds in a room: of the same length and of the same energy.

    Args:
        window, response: (samples,); the response isn't longer than the window.

    Returns:
        (samples,). Silence stays silent; the response [1, 0, 0, ...] changes nothing.

    >>> echo = tf.constant([1.0, 0.0, 1.0])
    >>> sound = in_room(tf.constant([1.0, 0.0, 0.0, 0.0]), echo)
    >>> f"{sound[0]:.3f}, {sound[2]:.3f}"
    '0.707, 0.707'
    """
    samples = window.shape[0]
    n_fft = 2 ** int(np.ceil(np.log2(2 * samples)))
    spectrum = tf.signal.rfft(window, [n_fft]) * tf.signal.rfft(response, [n_fft])
    reverberant = tf.signal.irfft(spectrum, [n_fft])[:samples]
    energy, new_energy = (tf.reduce_sum(tf.square(w)) for w in (window, reverberant))
    return reverberant * tf.sqrt(tf.math.divide_no_nan(energy, new_energy))
