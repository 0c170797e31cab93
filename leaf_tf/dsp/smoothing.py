"""Exponential moving averages, parallel in time and without control flow."""

import numpy as np
from keras import ops

from leaf_tf.dsp.slices import cut, last_frame
from leaf_tf.dsp.types import Tensor

# Frames a block; a power of 2. One block holds the 100 frames of a second.
_BLOCK = 128
# Levels of blocks when the number of frames is unknown: 128^4 frames, a month.
_DYNAMIC_LEVELS = 4
# Below any energy: so that silence isn't divided by 0.
_NOTHING = 1e-30


def exponential_moving_average(energies: Tensor, smooth_coef: Tensor) -> Tensor:
    """Exponential moving average along axis 1.

    M_0 = E_0, M_t = s E_t + (1 - s) M_(t - 1).

    Log-step doubling inside blocks of 128 frames, m_t += a^(2^k) m_(t - 2^k)
    with a = 1 - s, then the same over the blocks' last values: 7 steps on all
    frames however long the clip, and exact.

    Args:
        energies: (batch, frames, n_filters), float.
        smooth_coef: (n_filters,) or (1,), s in [0, 1].

    Returns:
        M, (batch, frames, n_filters).

    Example:
        >>> energies = ops.array([[[1.0], [0.0], [0.0]]])
        >>> exponential_moving_average(energies, ops.array([0.5]))[0, :, 0].numpy()
        array([1.  , 0.5 , 0.25], dtype=float32)
    """
    decay = 1.0 - smooth_coef
    is_first = ops.equal(ops.arange(ops.shape(energies)[1])[:, None], 0)
    weights = smooth_coef + decay * ops.cast(is_first, decay.dtype)
    return _recurrence(energies * weights, decay, _DYNAMIC_LEVELS)


def continued_average(
    energies: Tensor,
    smooth_coef: Tensor,
    carried: Tensor,
    is_frame: Tensor,
    is_first: Tensor,
) -> Tensor:
    """The `exponential_moving_average` of a stream that comes in parts.

    Args:
        energies: (batch, frames, n_filters), float, frames of this part.
        smooth_coef: (n_filters,) or (1,), s in [0, 1].
        carried: (batch, n_filters), M of the frame before; zeros at the start.
        is_frame: (batch, frames, 1), 1 where the stream has begun, else 0.
        is_first: (batch, frames, 1), 1 at the stream's first frame, else 0.

    Returns:
        M, (batch, frames, n_filters); its last frame is `carried` in the next part.

    Example:
        >>> energies, ones = ops.zeros((1, 2, 1)), ops.ones((1, 2, 1))
        >>> carried, smooth_coef = ops.array([[1.0]]), ops.array([0.5])
        >>> means = continued_average(energies, smooth_coef, carried, ones, 0 * ones)
        >>> means[0, :, 0].numpy()
        array([0.5 , 0.25], dtype=float32)
    """
    decay = 1.0 - smooth_coef
    inputs = energies * (smooth_coef * is_frame + decay * is_first)
    inputs = ops.concatenate([ops.expand_dims(carried, axis=1), inputs], axis=1)
    outputs = _recurrence(inputs, decay, _DYNAMIC_LEVELS)
    return cut(outputs, 1, 1, energies.shape[1])


def loudness(energies: Tensor, smooth_coef: Tensor) -> Tensor:
    """How loud a sound has been so far, pauses left out.

        L_t = sum_k a^(t - k) m_k^2 / sum_k a^(t - k) m_k,  k = 0 ... t,  a = 1 - s

    with m_k the mean of frame k over the channels: the mean of m over the frames so
    far, weighted by m itself (Lehmer's mean) and by how recent they are. A sound of one
    level has that level from its first frame on, and silence before it or within
    changes nothing, where an average over time would sink.

    Args:
        energies: (batch, frames, n_filters), float, >= 0.
        smooth_coef: (1,), s in (0, 1].

    Returns:
        L, (batch, frames, 1); 0 where all was silent so far.

    Example:
        >>> energies = ops.array([[[0.0], [2.0], [0.0], [2.0]]])
        >>> loudness(energies, ops.array([0.01]))[0, :, 0].numpy()
        array([0., 2., 2., 2.], dtype=float32)
    """
    decay = 1.0 - smooth_coef
    return _ratio(_recurrence(_powers(energies), decay, _DYNAMIC_LEVELS))


def continued_loudness(
    energies: Tensor, smooth_coef: Tensor, carried: Tensor, is_frame: Tensor
) -> tuple[Tensor, Tensor]:
    """The `loudness` of a stream that comes in parts.

    Args:
        energies: (batch, frames, n_filters), float, frames of this part.
        smooth_coef: (1,), s in (0, 1].
        carried: (batch, 2), what the part before returned; zeros at the start.
        is_frame: (batch, frames, 1), 1 where the stream has begun, else 0.

    Returns:
        L, (batch, frames, 1); `carried` of the next part.

    Example:
        >>> energies, ones = ops.array([[[0.0], [2.0]]]), ops.ones((1, 2, 1))
        >>> carried, smooth_coef = ops.zeros((1, 2)), ops.array([0.01])
        >>> level, carried = continued_loudness(energies, smooth_coef, carried, ones)
        >>> level[0, :, 0].numpy(), carried.numpy()
        (array([0., 2.], dtype=float32), array([[2., 4.]], dtype=float32))
    """
    inputs = _powers(energies) * is_frame
    inputs = ops.concatenate([ops.expand_dims(carried, axis=1), inputs], axis=1)
    outputs = _recurrence(inputs, 1.0 - smooth_coef, _DYNAMIC_LEVELS)
    outputs = cut(outputs, 1, 1, energies.shape[1])
    return _ratio(outputs), last_frame(outputs)


def _powers(energies):
    """m and m^2, (batch, frames, 2)."""
    # Not by `ops.mean`, which Keras computes in float32 on torch, float64 or not.
    means = ops.sum(energies, axis=-1, keepdims=True) / energies.shape[-1]
    return ops.concatenate([means, ops.square(means)], axis=-1)


def _ratio(sums):
    """The second of two channels by the first, (batch, frames, 1); 0 where both are."""
    means, squares = ops.split(sums, 2, axis=-1)
    return squares / (means + _NOTHING)


def _recurrence(inputs, decay, levels):
    """y_t = x_t + a y_(t - 1) along axis 1."""
    frames = inputs.shape[1]
    if frames is not None and frames <= _BLOCK:
        return _doubling(inputs, decay, frames, axis=1)
    known = frames is not None
    channels = inputs.shape[2]
    if not known:
        frames = ops.shape(inputs)[1]
    blocks = (frames + _BLOCK - 1) // _BLOCK
    padded = ops.pad(inputs, ((0, 0), (0, blocks * _BLOCK - frames), (0, 0)))
    shape = (ops.shape(inputs)[0], blocks, _BLOCK, channels)
    outputs = _doubling(ops.reshape(padded, shape), decay, _BLOCK, axis=2)
    if known or levels > 1:
        # A block's average starts from nothing; the value before the block, decayed,
        # is added. These values are a recurrence themselves, 128 times shorter.
        steps = np.arange(1, _BLOCK + 1)[:, None]
        powers = ops.power(decay, ops.convert_to_tensor(steps, dtype=decay.dtype))
        lasts = cut(outputs, 2, _BLOCK - 1, 1)
        lasts = ops.reshape(lasts, (shape[0], blocks, channels))
        lasts = _recurrence(lasts, powers[-1], levels - 1)
        carried = ops.pad(cut(lasts, 1, 0, blocks - 1), ((0, 0), (1, 0), (0, 0)))
        outputs = outputs + powers * ops.expand_dims(carried, axis=2)
    outputs = ops.reshape(outputs, (shape[0], blocks * _BLOCK, channels))
    return cut(outputs, 1, 0, frames)


def _doubling(inputs, decay, size, axis):
    """y_t = x_t + a y_(t - 1) along `axis`, which has `size` entries."""
    outputs = inputs
    shift = 1
    # After each step an output is the sum over twice as many inputs.
    while shift < size:
        padding = [(0, 0)] * len(inputs.shape)
        padding[axis] = (shift, 0)
        earlier = cut(outputs, axis, 0, size - shift)
        outputs = outputs + decay * ops.pad(earlier, padding)
        decay = decay * decay
        shift *= 2
    return outputs
