"""Frames at the ends of a clip, part of whose window is outside of it.

Energies outside a clip are zero by definition, but those computed are not, nor would it
do to set them to zero: their neighbours are interpolated from them. Interpolation is
linear, so the part of a frame that is outside can be pooled apart and subtracted.
"""

import numpy as np
from keras import ops

from leaf_tf.dsp import units
from leaf_tf.dsp.multirate import kernels as multirate_kernels
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
        from_end = range(frames.n_right, 0, -1)
        self._places = [*range(frames.n_left), *(frames.computed - i for i in from_end)]
        times = np.arange(plan.pool_size) - frames.left
        times = [times + place * plan.strides for place in self._places]
        # Which samples of a window are outside, from its outer end on: (frames at the
        # ends, as many as may be).
        outside = [own < 0 for own in times[: frames.n_left]]
        outside += [(own >= frames.samples)[::-1] for own in times[frames.n_left :]]
        if not outside:
            self._outside = None
        elif isinstance(frames.samples, int):
            most = np.max(np.sum(outside, axis=1))
            self._outside = np.stack(outside)[:, :most].astype("float32")
        else:
            self._outside = ops.cast(ops.stack(outside), "float32")

    def weights(self, lowpass):
        """Weights of squares for the parts of windows that are outside.

        Args:
            lowpass: Pooling windows, (pool_size, n_filters), in order.

        Returns:
            For each group (1, frames at the ends, squares, filters), None if no part
            is outside.
        """
        groups = self._plan.groups
        if self._outside is None:
            return [None for _ in groups]
        # A window is symmetric: from either end on, it is the same.
        ends = cut(lowpass, 0, 0, self._outside.shape[1])
        ends = multirate_kernels.by_group(ends, self._plan)
        return [self._group_weights(*each) for each in zip(groups, ends)]

    def _group_weights(self, group, ends):
        """Of a group, from an end of its windows, (samples, filters)."""
        n_left, n_right = self._frames.n_left, self._frames.n_right
        matrix = multirate_kernels.square_weights(self._plan, group)
        sides = np.stack([matrix] * n_left + [matrix[:, ::-1]] * n_right)
        sides = sides[..., : ends.shape[0]]
        if isinstance(self._outside, np.ndarray):
            matrices = _tensor(self._outside[:, None] * sides, ends.dtype)
        else:
            matrices = ops.expand_dims(ops.cast(self._outside, ends.dtype), axis=1)
            matrices = matrices * _tensor(sides, ends.dtype)
        weights = ops.matmul(ops.reshape(matrices, (-1, ends.shape[0])), ends)
        return ops.reshape(weights, (1, n_left + n_right, -1, ends.shape[1]))

    def pooled(self, squares, weights):
        """Parts of the frames at the ends that are outside of the clip.

        Args:
            squares: Of a group, (batch, hops, per_hop).
            weights: Of the group, of `weights`.

        Returns:
            (batch, frames at the ends, filters), None if no part is outside.
        """
        if weights is None:
            return None
        hops = [cut(squares, 1, place, self._plan.hops) for place in self._places]
        return multirate_kernels.pooled(multirate_kernels.join(hops, axis=1), weights)

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

    def weights(self, lowpass):
        """As `BatchEnds.weights`, a clip at a time."""
        plan = self._plan
        if not self._places:
            return [None for _ in plan.groups]
        outside = ops.cast(ops.stack(self._outside, axis=1), lowpass.dtype)
        outside = ops.expand_dims(outside, axis=-1)
        return [
            ops.matmul(
                _tensor(multirate_kernels.square_weights(plan, group), lowpass.dtype),
                outside * windows,
            )
            for group, windows in zip(
                plan.groups, multirate_kernels.by_group(lowpass, plan)
            )
        ]

    def pooled(self, squares, weights):
        """As `BatchEnds.pooled`. Of a frame before the first, zeros."""
        if weights is None:
            return None
        n_hops = self._frames.computed + self._plan.hops - 1
        places = ops.stack(self._places, axis=1)  # (batch, frames at the ends)
        hops = ops.arange(self._plan.hops, dtype="int32")
        hops = ops.expand_dims(places, axis=-1) + hops
        is_frame = ops.cast(places >= 0, squares.dtype)
        is_taken = self._are(hops, n_hops, squares.dtype)
        is_taken = is_taken * ops.expand_dims(is_frame, axis=(2, 3))
        shape = (-1, len(self._places) * self._plan.hops, n_hops)
        own = ops.matmul(ops.reshape(is_taken, shape), squares)
        return multirate_kernels.pooled(own, weights)

    def place(self, parts):
        """As `BatchEnds.place`."""
        places = ops.stack(self._places, axis=1)  # (batch, frames at the ends)
        are_there = self._are(places, self._frames.computed, parts.dtype)
        return ops.matmul(ops.transpose(are_there, (0, 2, 1)), parts)

    def _are(self, indices, number, dtype):
        """One-hot (..., number) of (...); zeros for those out of range."""
        numbers = ops.arange(number, dtype="int32")
        return ops.cast(ops.equal(ops.expand_dims(indices, axis=-1), numbers), dtype)


def _tensor(array, dtype):
    return ops.convert_to_tensor(array, dtype=dtype)
