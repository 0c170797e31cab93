"""Filters that tests plan for."""

import numpy as np

from leaf_tf.dsp import mel


def mel_bank(n_filters=40, kernel_size=401, sample_rate=16000):
    """Center frequencies, sigmas and pooling widths of an untrained Leaf."""
    center_freqs, sigmas = mel.initial_gabor_filters(
        n_filters, kernel_size, sample_rate, 60.0, 0.4875 * sample_rate
    )
    return center_freqs, sigmas, np.full(n_filters, 0.4)
