"""Which stages make a frontend's energies on a stream."""

import numpy as np
from keras import ops

from leaf_tf.dsp import impulse_responses
from leaf_tf.frontends import (
    EfficientLeaf,
    Leaf,
    MelFilterbanks,
    SincNet,
    SincNetPlus,
    TimeDomainFilterbanks,
)
from leaf_tf.frontends.base import MIN_ENERGY
from leaf_tf.frontends.sincnet import NEGATIVE_SLOPE
from leaf_tf.streaming.banks import Bank, BankEnergies, BankMaxima
from leaf_tf.streaming.planned import PlannedEnergies
from leaf_tf.streaming.spectra import SpectralEnergies


def energies_of(frontend, lag):
    """What makes the energies of a frontend.

    Args:
        frontend: A `Frontend`, built.
        lag: Samples that its waveform comes late.

    Returns:
        A stage as `PlannedEnergies`, and a function from its frames to those that
        are compressed.

    Raises:
        ValueError: It can't be streamed.
    """
    for kind, make in _MAKERS.items():
        if isinstance(frontend, kind):
            return make(frontend, lag)
    names = ", ".join(kind.__name__ for kind in _MAKERS)
    raise ValueError(
        f"the frontend {type(frontend).__name__} can't be streamed; those that can: "
        f"{names}"
    )


def _leaf(leaf, lag):
    if leaf.method == "fast":
        return PlannedEnergies(leaf, lag), leaf.completed
    center_freqs, sigmas, widths = leaf.bounded_weights()
    taps = _joined(impulse_responses.gabor(center_freqs, sigmas, leaf.kernel_size))
    lowpass = _numpy(impulse_responses.gaussian_lowpass(widths, leaf.kernel_size))
    left = None if leaf.pooling_padding == "same" else (leaf.kernel_size - 1) // 2
    return _stage(leaf, taps, lowpass, _squared_modulus, lag, left), leaf.completed


def _efficient_leaf(leaf, lag):
    bank = leaf.filterbank
    size = leaf.kernel_size
    left = _same_left(leaf)
    weights = (bank.center_freqs, bank.sigmas, bank.widths)
    center_freqs, sigmas, widths = map(bank.bounded, weights)
    lowpass = _numpy(impulse_responses.gaussian_lowpass(widths, size))
    middle = (size - 1) // 2
    banks = []
    for group in bank.groups:
        own = slice(group.start, group.stop)
        n_taps = 2 * group.half_length + 1
        taps = impulse_responses.gabor(center_freqs[own], sigmas[own], n_taps)
        first = middle % group.stride  # of the window's taps that are used
        windows = group.stride * lowpass[first :: group.stride, own]
        first_output = first - left
        taps = _joined(taps)
        banks.append(
            Bank(taps, -group.half_length, group.stride, first_output, windows)
        )
    center = (size - 1) / 2 - left
    stage = BankEnergies(banks, _squared_modulus, leaf.strides, lag, center)
    return stage, lambda pooled: ops.maximum(pooled, leaf.least_energy)


def _time_domain(filterbanks, lag):
    kernel = _numpy(filterbanks.filtering.kernel)[:, 0]
    taps = np.concatenate([kernel[:, ::2], kernel[:, 1::2]], axis=1)
    lowpass = _numpy(filterbanks.pooling.lowpass)[:, None]
    lowpass = np.tile(lowpass, (1, filterbanks.n_filters))
    stage = _stage(filterbanks, taps, lowpass, _squared_modulus, lag, left=0)
    return stage, _floored


def _sincnet(sincnet, lag):
    windows = np.ones((sincnet.kernel_size, sincnet.n_filters), "float32")
    taps = _numpy(sincnet.filtering.taps())
    stage = _stage(sincnet, taps, windows, _leaky, lag, kind=BankMaxima)
    return stage, sincnet.layer_norm


def _sincnet_plus(sincnet, lag):
    widths = sincnet.pooling.bounded(sincnet.pooling.widths)
    lowpass = _numpy(impulse_responses.gaussian_lowpass(widths, sincnet.kernel_size))
    taps = _numpy(sincnet.filtering.taps())
    return _stage(sincnet, taps, lowpass, _leaky, lag), _floored


def _mel(mel, lag):
    return SpectralEnergies(mel), lambda energies: energies


_MAKERS = {
    Leaf: _leaf,
    EfficientLeaf: _efficient_leaf,
    MelFilterbanks: _mel,
    SincNetPlus: _sincnet_plus,
    SincNet: _sincnet,
    TimeDomainFilterbanks: _time_domain,
}


def _stage(frontend, taps, windows, rectify, lag, left=None, kind=BankEnergies):
    """A bank at every sample, SAME, and windows that start `left` before a hop."""
    size = frontend.kernel_size
    if left is None:
        left = _same_left(frontend)
    bank = Bank(taps, -((size - 1) // 2), 1, -left, windows)
    center = (size - 1) / 2 - left
    # Of a clip of whole hops.
    n_missing = -frontend.n_frames(-(-size // frontend.strides) * frontend.strides)
    n_missing += -(-size // frontend.strides)
    return kind([bank], rectify, frontend.strides, lag, center, n_missing)


def _same_left(frontend):
    """Zeros before a clip of whole hops by SAME padding."""
    return max(frontend.kernel_size - frontend.strides, 0) // 2


def _joined(parts):
    """Real parts, then imaginary parts, (taps, 2 * n_filters), NumPy."""
    return np.concatenate([_numpy(part) for part in parts], axis=1)


def _squared_modulus(outputs):
    real, imaginary = ops.split(outputs, 2, axis=-1)
    return ops.square(real) + ops.square(imaginary)


def _leaky(outputs):
    return ops.leaky_relu(outputs, negative_slope=NEGATIVE_SLOPE)


def _floored(pooled):
    return ops.maximum(pooled, MIN_ENERGY)


def _numpy(values):
    return ops.convert_to_numpy(values)
