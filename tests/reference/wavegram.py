"""Wavegram: PANN's one-dimensional network. Source: arXiv:1912.10211, Sec. III-C."""

import numpy as np


def wavegram(waveform, kernels, norms, factors):
    """Features (frames, n_filters) of one clip.

    Args:
        kernels: Seven of (taps, channels in, channels out).
        norms: Seven of (gamma, beta, mean, variance), each (channels out,).
        factors: Stride of the first convolution, pooling of the three blocks.
    """
    hop = int(np.prod(factors))
    x = np.zeros((-(-len(waveform) // hop) * hop, 1))
    x[: len(waveform), 0] = waveform
    x = _convolved(x, kernels[0], norms[0], stride=factors[0])
    for block in range(3):
        for i, dilation in enumerate((1, 2)):
            index = 1 + 2 * block + i
            x = _convolved(x, kernels[index], norms[index], dilation=dilation)
        x = x.reshape(-1, factors[1 + block], x.shape[1]).max(axis=1)
    return x


def _convolved(x, kernel, norm, stride=1, dilation=1):
    """Windows centered on every `stride`-th sample, normalised, negative ones zero."""
    kernel = np.asarray(kernel, np.float64)
    reach = len(kernel) // 2 * dilation
    padded = np.pad(x, ((reach, reach), (0, 0)))
    outputs = np.zeros((len(x) // stride, kernel.shape[2]))
    for i, taps in enumerate(kernel):
        outputs += padded[i * dilation :][: len(x) : stride] @ taps
    gamma, beta, mean, variance = (np.asarray(v, np.float64) for v in norm)
    return np.maximum((outputs - mean) / np.sqrt(variance + 1e-5) * gamma + beta, 0)
