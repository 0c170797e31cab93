"""Frames at the ends of a clip, part of whose window is outside of it.

Energies outside a clip are zero by definition, but those computed are not, nor would it
do to set them to zero: their neighbours are interpolated from them. Interpolation is
linear, so the part of a frame that is outside can be pooled apart and subtracted.
"""

import numpy as np
from keras import ops

from leaf_tf.dsp import units
from leaf_tf.dsp.slices import cut


class BatchEnds:
    """The ends of a batch, all of whose clips fill it.

    Args:
        frames: `multirate_energies.Frames` of the waveform.
        plan: The `multirate.Plan`.
    """

    def __init__(self, frames, plan):
        self._frames = frames
        self._plan = plan
        right = [frames.computed - i for i in range(frames.n_right, 0, -1)]
        self._places = [*range(frames.n_left), *right]
        times = np.arange(plan.pool_size) - frames.left
        masks = [np.ones(plan.pool_size)]
        for place in self._places[: frames.n_left]:
            masks.append(times + place * plan.strides < 0)
        for place in self._places[frames.n_left :]:
            masks.append(times + place * plan.strides >= frames.samples)
        if isinstance(frames.samples, int):
            self._windows = np.stack(masks)[:, None].astype("float32")
        else:
            masks = [ops.cast(mask, "float32") for mask in masks]
            self._windows = ops.stack(masks)[:, None]

    def weights(self, interpolation, lowpass):
        """Weights of energies, for the whole window, then for its part outside.

        Args:
            interpolation: (energies, pool_size), NumPy.
            lowpass: (pool_size, filters).

        Returns:
            List of (1, energies, 1, filters), the first for the whole window, one
            more for each frame at the ends.
        """
        if isinstance(self._windows, np.ndarray):
            matrices = self._windows * interpolation
            matrices = ops.convert_to_tensor(matrices, dtype=lowpass.dtype)
        else:
            matrices = ops.convert_to_tensor(interpolation, dtype=lowpass.dtype)
            matrices = ops.cast(self._windows, lowpass.dtype) * matrices
        n_windows = len(self._places) + 1
        weights = ops.matmul(ops.reshape(matrices, (-1, lowpass.shape[0])), lowpass)
        weights = ops.reshape(weights, (n_windows, -1, 1, lowpass.shape[1]))
        return [cut(weights, 0, i, 1) for i in range(n_windows)]

    def squares(self, squares):
        """The hops (batch, plan.hops, any) of each frame at the ends, a list."""
        return [cut(squares, 1, place, self._plan.hops) for place in self._places]

    def place(self, parts):
        """Parts (batch, frames at the ends, filters) in place, zeros between them."""
        n_left, n_right = self._frames.n_left, self._frames.n_right
        left = cut(parts, 1, 0, n_left)
        right = cut(parts, 1, n_left, n_right)
        later = self._frames.computed
        left = ops.pad(left, ((0, 0), (0, later - n_left), (0, 0)))
        return left + ops.pad(right, ((0, 0), (later - n_right, 0), (0, 0)))


class ClipEnds:
    """The ends of each clip of an aligned batch, whose lengths differ.

    Args:
        bounds: `alignment.Bounds`.
        frames: `multirate_energies.Frames` of the waveform.
        plan: The `multirate.Plan`.
    """

    def __init__(self, bounds, frames, plan):
        self._frames = frames
        self._plan = plan
        # The furthest that a clip starts after its batch is half a stride.
        n_left = -(-(frames.left + plan.strides // 2) // plan.strides)
        n_right = -(-(plan.pool_size - 1) // plan.strides)
        n_frames = units.n_frames(bounds.stops - bounds.starts, plan.strides)
        left = [ops.full_like(n_frames, place) for place in range(n_left)]
        right = [n_frames - i for i in range(n_right, 0, -1)]
        self._places = [*left, *right]
        self._outside = []
        times = ops.arange(plan.pool_size, dtype="int32") - frames.left
        for place in left:
            times_there = times + place[:, None] * plan.strides
            self._outside.append(times_there < bounds.starts[:, None])
        for place in right:
            times_there = times + place[:, None] * plan.strides
            self._outside.append(times_there >= bounds.stops[:, None])

    def weights(self, interpolation, lowpass):
        """As `BatchEnds.weights`; for the ends (batch, energies, 1, filters)."""
        matrix = ops.convert_to_tensor(interpolation, dtype=lowpass.dtype)
        shape = (-1, matrix.shape[0], 1, lowpass.shape[1])
        weights = [ops.reshape(ops.matmul(matrix, lowpass), shape)]
        for outside in self._outside:
            window = ops.cast(outside, lowpass.dtype)[:, None]  # (batch, 1, pool_size)
            matrices = ops.reshape(window * matrix, (-1, lowpass.shape[0]))
            weights.append(ops.reshape(ops.matmul(matrices, lowpass), shape))
        return weights

    def squares(self, squares):
        """As `BatchEnds.squares`. A frame before the first has none."""
        taken = []
        for place in self._places:
            hops = place[:, None] + ops.arange(self._plan.hops, dtype="int32")
            n_hops = self._frames.computed + self._plan.hops - 1
            is_taken = self._are(hops, n_hops, squares.dtype)
            # Nor has one that starts before the clip's first frame.
            is_frame = ops.cast(place >= 0, squares.dtype)[:, None, None]
            taken.append(ops.matmul(is_taken * is_frame, squares))
        return taken

    def place(self, parts):
        """As `BatchEnds.place`."""
        places = ops.stack(self._places, axis=1)  # (batch, frames at the ends)
        are_there = self._are(places, self._frames.computed, parts.dtype)
        return ops.matmul(ops.transpose(are_there, (0, 2, 1)), parts)

    def _are(self, indices, number, dtype):
        """One-hot (batch, n, number) of (batch, n); zeros for those out of range."""
        numbers = ops.arange(number, dtype="int32")
        return ops.cast(ops.equal(indices[:, :, None], numbers), dtype)
