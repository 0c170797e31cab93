"""Windows of clips: their place, and the speed at which they are played.

In TensorFlow, for a `tf.data` graph, of one clip at a time.
"""

import tensorflow as tf

# Samples on either side of a window that are resampled with it.
_MARGIN = 256


def random_window(waveform, window_samples, seed, shift=0, speed=None):
    """A random part of a clip; a shorter clip gets zeros on random sides.

    Args:
        waveform: (samples,).
        window_samples: Length of the window.
        seed: Two ints; the same give the same window.
        shift: Most samples by which the window reaches beyond the ends of the clip,
            or a shorter clip beyond the ends of the window; at least half of what
            there is of the clip stays in.
        speed: Speed at which the part is played, see `at_speed`; None as it is.

    Returns:
        (window_samples,).

    >>> window = random_window(tf.range(100.0), 3, seed=(0, 1))
    >>> (window - window[0]).numpy()
    array([0., 1., 2.], dtype=float32)
    """
    n_taken = window_samples
    if speed is not None:
        n_taken = tf.cast(tf.round(window_samples * speed), tf.int32)
    start = _random_start(tf.shape(waveform)[0], n_taken, seed, shift)
    if speed is None:
        window = _part(waveform, start, window_samples)
    else:
        window = at_speed(waveform, start, window_samples, speed)
    return tf.ensure_shape(window, [window_samples])


def _random_start(samples, taken, seed, shift):
    """Place of the first sample of a part in a clip; negative before the clip."""
    spare = samples - taken
    shift = tf.minimum(shift, tf.minimum(samples, taken) // 2)
    n_places = tf.abs(spare) + 2 * shift + 1
    place = tf.random.stateless_uniform([], seed, 0, n_places, dtype=tf.int32)
    return tf.where(spare >= 0, place - shift, shift - place)


def _part(waveform, start, length):
    """`length` samples of a clip from `start` on, zeros where there is no clip."""
    samples = tf.shape(waveform)[0]
    first = tf.clip_by_value(start, 0, samples)
    end = tf.clip_by_value(start + length, 0, samples)
    n_before = tf.clip_by_value(-start, 0, length)
    return tf.pad(waveform[first:end], [[n_before, length - n_before - (end - first)]])


def at_speed(waveform, start, window_samples, speed):
    """A window of a clip that is played faster or slower, and higher or lower.

    The spectrum of the part is cut off, or continued by zeros, at half the sample
    rate: nothing is aliased, and a tone of f Hz becomes one of speed * f Hz of the
    same amplitude. Below 0.9 times the lower Nyquist frequency, more than 256 samples
    from the clip's ends, the difference to soxr is at most 2e-4 of the peak; the
    speed is rounded to a whole number of samples in the part.

    Args:
        waveform: (samples,).
        start: Place of the window's first sample in the clip, int32; may be negative.
        window_samples: Length of the window, an int.
        speed: Speed, above 0, float32; 1.1 is faster by a tenth.

    Returns:
        (window_samples,).

    >>> tone = tf.sin(0.1 * tf.range(2000.0))
    >>> window = at_speed(tone, 500, 3, speed=2.0)  # samples 500, 502, 504
    >>> [f"{value:.3f}" for value in window]  # sin(50), sin(50.2), sin(50.4)
    ['-0.262', '-0.065', '0.134']
    """
    n_out = window_samples + 2 * _MARGIN
    n_in = tf.cast(tf.round(n_out * speed), tf.int32)
    margin = tf.cast(tf.round(_MARGIN * speed), tf.int32)
    part = _part(waveform, start - margin, n_in) * _fades(n_in, margin)
    n_bins = (tf.minimum(n_in, n_out) + 1) // 2  # below the lower Nyquist frequency
    spectrum = tf.signal.rfft(part)[:n_bins]
    spectrum = tf.pad(spectrum, [[0, n_out // 2 + 1 - n_bins]])
    window = tf.signal.irfft(spectrum, [n_out])[_MARGIN : _MARGIN + window_samples]
    return window * (n_out / tf.cast(n_in, tf.float32))


def _fades(samples, margin):
    """1, but for Hann slopes from and to 0 at the ends, so that these agree."""
    places = tf.range(samples)
    from_end = tf.minimum(places, samples - 1 - places)
    share = tf.minimum(tf.cast(from_end, tf.float32) / tf.cast(margin, tf.float32), 1)
    return tf.square(tf.sin(0.5 * 3.141592653589793 * share))
