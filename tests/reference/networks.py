"""Float64 NumPy twins of the encoders, for one clip without a mask.

Each takes features (frames, n_filters) and the network's weights, arrays in the order
of `model.weights`.
"""

import numpy as np


def small(features, weights):
    weights = iter(weights)
    image = batch_norm(features[:, :, None], weights, epsilon=1e-3)
    for _ in range(4):
        image = conv(image, next(weights))
        image = relu(batch_norm(image, weights, epsilon=1e-3))
        image = pool(image, np.nanmax)
    return image.mean(axis=(0, 1)) + image.max(axis=(0, 1))


def pann(features, weights, convs_per_block, n_blocks, n_pools):
    weights = iter(weights)
    image = batch_norm(features, weights)[:, :, None]
    for block in range(n_blocks):
        for _ in range(convs_per_block):
            image = conv(image, next(weights))
            image = relu(batch_norm(image, weights))
        if block < n_pools:
            image = pool(image, np.nanmean)
    frames = image.mean(axis=1)
    pooled = frames.mean(axis=0) + frames.max(axis=0)
    return relu(pooled @ next(weights) + next(weights))


def bc_resnet(features, weights):
    """For numbers of filters that 8 divides into at least 5 rows, as 40."""
    weights = iter(weights)
    image = conv(features[:, :, None], next(weights), pad=(2, (1, 2)))[:, ::2]
    image = relu(batch_norm(image, weights))
    for n_blocks, stride, dilation in ((2, 1, 1), (2, 2, 2), (4, 2, 4), (4, 1, 8)):
        for block in range(n_blocks):
            first = block == 0
            image = _bc_block(image, weights, stride if first else 1, dilation, first)
    image = depthwise(image, next(weights), pad=(2, 0))
    image = conv(image, next(weights))
    return relu(batch_norm(image, weights)).mean(axis=(0, 1))


def _bc_block(image, weights, stride, dilation, transition):
    shortcut = 0.0 if transition else image
    if transition:
        image = relu(batch_norm(conv(image, next(weights)), weights))
    rows = depthwise(image, next(weights), pad=(0, 1))[:, ::stride]
    rows = sub_spectral_norm(rows, weights)
    mean = rows.mean(axis=1, keepdims=True)
    taps = next(weights)
    dilated = np.zeros((2 * dilation + 1, *taps.shape[1:]))
    dilated[::dilation] = taps
    frames = batch_norm(depthwise(mean, dilated, pad=(dilation, 0)), weights)
    frames = frames / (1 + np.exp(-frames))
    return relu(shortcut + rows + conv(frames, next(weights)))


def relu(values):
    return np.maximum(values, 0)


def batch_norm(values, weights, epsilon=1e-5):
    gamma, beta, mean, variance = (next(weights) for _ in range(4))
    return (values - mean) / np.sqrt(variance + epsilon) * gamma + beta


def sub_spectral_norm(image, weights, groups=5):
    """Each of the groups of neighbouring rows by numbers of its own."""
    numbers = [next(weights) for _ in range(4)]
    assert image.shape[1] % groups == 0
    parts = np.split(image, groups, axis=1)
    normed = [
        batch_norm(part, iter([n[g] for n in numbers])) for g, part in enumerate(parts)
    ]
    return np.concatenate(normed, axis=1)


def conv(image, kernel, pad=None):
    """2-D convolution at strides of 1, as wide as the image by default."""
    return np.einsum("trhwi,hwio->tro", _patches(image, kernel.shape, pad), kernel)


def depthwise(image, kernel, pad=None):
    patches = _patches(image, kernel.shape, pad)
    return np.einsum("trhwi,hwi->tri", patches, kernel[..., 0])


def _patches(image, kernel_shape, pad):
    height, width = kernel_shape[:2]
    pads = (height // 2, width // 2) if pad is None else pad
    image = np.pad(np.float64(image), [*(np.ravel(p)[[0, -1]] for p in pads), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(image, (height, width), (0, 1))
    return np.moveaxis(windows, 2, -1)  # (frames, rows, height, width, channels)


def pool(image, mean_or_max):
    """Of 2 x 2 values, or of what is left of them at an end."""
    frames, rows, channels = image.shape
    image = np.pad(
        image,
        ((0, frames % 2), (0, rows % 2), (0, 0)),
        constant_values=np.nan,
    )
    quads = image.reshape(-(-frames // 2), 2, -(-rows // 2), 2, channels)
    return mean_or_max(quads, axis=(1, 3))
