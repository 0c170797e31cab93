"""Sums of sounds: with noise at a level, and with one another.

For arrays of Keras, TensorFlow and NumPy alike: `ops` is `keras.ops`, `tensorflow` or
`numpy`. So layers, input pipelines, which run before a model of any backend, and
evaluation mix by the same formulas.
"""

# Least power of noise that a level is measured against.
MIN_NOISE_POWER = 1e-30


def noise_gain(signal_power, noise_power, snr_db, ops):
    """Gain of noise that brings it to a signal-to-noise ratio.

    sqrt(signal_power / noise_power) 10^(-snr_db / 20), 0 for silence.

    Args:
        signal_power, noise_power: Mean squares, of one shape.
        snr_db: Ratio of the powers after the gain, dB.
        ops: Module of the arrays' functions.

    >>> import numpy
    >>> float(noise_gain(4.0, 1.0, 20.0, numpy))
    0.2
    """
    noise_power = ops.maximum(noise_power, MIN_NOISE_POWER)
    return ops.sqrt(signal_power / noise_power) * 10.0 ** (-snr_db / 20.0)


def pink_amplitudes(bins, ops):
    """Amplitudes of a spectrum whose power falls as 1 / frequency, without DC.

    Args:
        bins: Numbers of the spectrum's bins from 0 on, float.
        ops: Module of the arrays' functions.

    >>> import numpy
    >>> pink_amplitudes(numpy.array([0.0, 1.0, 4.0]), numpy)
    array([0. , 1. , 0.5])
    """
    return ops.minimum(bins, 1.0) / ops.sqrt(ops.maximum(bins, 1.0))


def mixture(values, others, shares):
    """Mixup: shares * values + (1 - shares) * others.

    Source: arXiv:1710.09412, Sec. 2.

    >>> mixture(1.0, 3.0, 0.25)
    2.5
    """
    return shares * values + (1.0 - shares) * others
