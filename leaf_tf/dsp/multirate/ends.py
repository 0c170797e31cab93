"""Frames of a clip, and those at its ends, whose windows are partly outside of it.

Energies outside a clip are zero by definition. Those that are computed there are not:
filters reach into the clip. Setting them to zero would not do either, as the energies
between those that are computed are interpolated from their neighbours on both sides.
But interpolation is linear: the part of a frame that is outside is pooled apart, and
subtracted.

    clip                        |-----------------------------------
    energies         x   x   x   x   x   x   x   x   x   x   x   x
    window of frame 0     |------------------|
    outside               |-----|              pooled apart, subtracted
"""

import dataclasses

import numpy as np
from keras import ops

from leaf_tf.dsp import units
from leaf_tf.dsp.alignment import Bounds
from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.multirate import kernels
from leaf_tf.dsp.multirate.errors import interpolation
from leaf_tf.dsp.multirate.plan import Plan
from leaf_tf.dsp.multirate.windows import Windows
from leaf_tf.dsp.slices import cut, longer
from leaf_tf.dsp.types import Size, Tensor


@dataclasses.dataclass(frozen=True)
class Frames:
    """Frames of a waveform. Sizes are integers; tensors where the length is unknown.

    Attributes:
        samples: Samples in the waveform.
        kept: Frames to return.
        computed: `kept`, or more where that is less than the frames at the ends.
        left: Samples by which the first pooling window precedes the waveform.
        n_left, n_right: Frames whose window may reach beyond the waveform.
    """

    samples: Size
    kept: Size
    computed: Size
    left: Size
    n_left: int
    n_right: int


def frames_of(
    samples: Size, plan: Plan, is_aligned: bool = False, is_symmetric: bool = False
) -> Frames:
    """The `Frames` of so many samples.

    Args:
        samples: Integer, or a tensor where it is unknown.
        plan: `Plan`.
        is_aligned: Whether clips are located as `alignment.align` puts them.
        is_symmetric: Whether pooling pads symmetrically.

    Example:
        >>> from leaf_tf.dsp.multirate import exact_plan
        >>> plan = exact_plan([0.5], [20.0], [0.4], 401, 401, 160)
        >>> frames_of(16000, plan)
        Frames(samples=16000, kept=100, computed=100, left=120, n_left=1, n_right=1)
    """
    known = isinstance(samples, int)
    kept = units.n_frames(samples, plan.strides)
    # SAME: as many zeros as the last window needs, half of them left, rounded down.
    if is_aligned:  # whole strides
        zeros = max(plan.pool_size - plan.strides, 0)
    else:
        zeros = longer((kept - 1) * plan.strides + plan.pool_size - samples, 0)
    left = zeros // 2
    if is_symmetric:  # half a window left, and right what the last one needs
        left = (plan.pool_size - 1) // 2
        zeros = longer(zeros, left)
    # Of an unknown length the most frames that can reach beyond an end.
    is_known = isinstance(zeros, int)
    left_reach = left if is_known else (plan.pool_size - 1) // 2
    right_reach = zeros - left if is_known else plan.pool_size // 2
    n_left = ceil_div(left_reach, plan.strides)
    n_right = ceil_div(right_reach, plan.strides)
    # A clip of fewer frames than that is computed as if longer, so that the frames at
    # the ends can be cut and padded; the rest is dropped.
    at_ends = max(n_left, n_right)
    computed = kept if known and kept >= at_ends else longer(kept, at_ends)
    if computed is not kept:  # Frames after the last are at the right end, too.
        n_right = at_ends
    return Frames(samples, kept, computed, left, n_left, n_right)


class BatchEnds:
    """The ends of a batch, all of whose clips fill it.

    Args:
        frames: `Frames` of the waveform.
        plan: `Plan`.

    Example:
        >>> from leaf_tf.dsp.multirate import exact_plan
        >>> plan = exact_plan([0.5], [20.0], [0.4], 401, 401, 160)
        >>> ends = BatchEnds(frames_of(1600, plan), plan)
        >>> ends.place(ops.ones((8, 2, 1)))[0, :, 0].numpy()
        array([1., 0., 0., 0., 0., 0., 0., 0., 0., 1.], dtype=float32)
    """

    def __init__(self, frames: Frames, plan: Plan):
        self._frames = frames
        self._plan = plan
        from_end = range(frames.n_right, 0, -1)
        self._places = [*range(frames.n_left), *(frames.computed - i for i in from_end)]
        # Samples of the clip under each window at the ends.
        times = np.arange(plan.pool_size) - frames.left
        times = [times + place * plan.strides for place in self._places]
        # Which samples of a window are outside, (frames at the ends, pool_size).
        left = [each < 0 for each in times[: frames.n_left]]
        right = [each >= frames.samples for each in times[frames.n_left :]]
        if not self._places:
            self._outside = None
        elif isinstance(frames.samples, int):
            # Counted from the outer end both ends have them first. The rest of the
            # windows is inside for all frames, and not computed with.
            outside = np.stack([*left, *(each[::-1] for each in right)])
            most = np.max(np.sum(outside, axis=1))
            self._outside = outside[:, :most].astype("float32")
        else:
            self._outside = ops.cast(ops.stack([*left, *right]), "float32")

    def weights(self, windows: Windows) -> list[Tensor | None]:
        """Weights of squares for the parts of windows that are outside.

        Args:
            windows: `Windows`, in the plan's order.

        Returns:
            For each group (1, frames at the ends, hops * energies a hop * 2, filters);
            None if no part is outside.
        """
        groups = self._plan.groups
        if self._outside is None:
            return [None for _ in groups]
        # A window is symmetric: counted from either end, it is the same.
        lowpass_ends = windows.first(self._outside.shape[1])
        lowpass_ends = kernels.by_group(lowpass_ends, self._plan)
        is_known = isinstance(self._outside, np.ndarray)
        make = self._known_weights if is_known else self._unknown_weights
        return [make(self._outside, *each) for each in zip(groups, lowpass_ends)]

    def _known_weights(self, outside, group, lowpass_end):
        """Weights of a group, as `weights` has them.

        Args:
            outside: (frames at the ends, samples), which of these are outside.
            group: `Group`.
            lowpass_end: Ends (samples, filters) of its windows.
        """
        n_left, n_right = self._frames.n_left, self._frames.n_right
        matrix = interpolation(self._plan, group)
        # At the right end windows run backwards, so the matrix does, too.
        sides = np.stack([matrix] * n_left + [matrix[:, ::-1]] * n_right)
        n_samples, n_filters = lowpass_end.shape
        # Which samples are outside is known, and part of a constant: one product for
        # all frames at the ends.
        matrices = outside[:, None] * sides[..., :n_samples]
        matrices = _tensor(matrices.reshape(-1, n_samples), lowpass_end.dtype)
        weights = ops.matmul(matrices, lowpass_end)
        weights = ops.reshape(weights, (1, n_left + n_right, -1, n_filters))
        return kernels.of_squares(weights)

    def _unknown_weights(self, outside, group, lowpass):
        """The same for a length that isn't known: which samples are outside isn't."""
        n_samples, n_filters = lowpass.shape
        # (samples, frames at the ends, filters): one product with a small constant.
        outside = ops.transpose(ops.cast(outside, lowpass.dtype))
        windows = ops.expand_dims(outside, -1) * ops.expand_dims(lowpass, 1)
        matrix = _tensor(interpolation(self._plan, group), lowpass.dtype)
        weights = ops.matmul(matrix, ops.reshape(windows, (n_samples, -1)))
        weights = ops.reshape(weights, (-1, len(self._places), n_filters))
        return kernels.of_squares(ops.transpose(weights, (1, 0, 2)))[None]

    def pooled(self, squares: Tensor, weights: Tensor | None) -> Tensor | None:
        """Parts of the frames at the ends that are outside of the clip.

        Args:
            squares: (batch, hops, squares a hop) of a group.
            weights: Those of the group, by `weights`.

        Returns:
            (batch, frames at the ends, filters); None if no part is outside.
        """
        if weights is None:
            return None
        hops = [cut(squares, 1, place, self._plan.hops) for place in self._places]
        return kernels.pooled(kernels.join(hops, axis=1), weights)

    def place(self, parts: Tensor) -> Tensor:
        """Parts of frames at the ends among all frames, zeros between them.

        Args:
            parts: (batch, frames at the ends, filters).

        Returns:
            (batch, frames, filters).
        """
        n_left, n_right = self._frames.n_left, self._frames.n_right
        left = cut(parts, 1, 0, n_left)
        right = cut(parts, 1, n_left, n_right)
        # Padded and added, as in short clips a frame may be at both ends.
        later = self._frames.computed
        left = ops.pad(left, ((0, 0), (0, later - n_left), (0, 0)))
        return left + ops.pad(right, ((0, 0), (later - n_right, 0), (0, 0)))


class ClipEnds:
    """The ends of each clip of a batch whose clips differ in length.

    Args:
        bounds: `alignment.Bounds`.
        frames: `Frames` of the waveform.
        plan: `Plan`.

    Example:
        >>> from leaf_tf.dsp.alignment import Bounds
        >>> from leaf_tf.dsp.multirate import exact_plan
        >>> plan = exact_plan([0.5], [20.0], [0.4], 401, 401, 160)
        >>> bounds = Bounds(ops.array([0, 0]), ops.array([1600, 960]))
        >>> ends = ClipEnds(bounds, frames_of(1600, plan, is_aligned=True), plan)
        >>> ends.place(ops.ones((2, 5, 1)))[..., 0].numpy()
        array([[1., 1., 0., 0., 0., 0., 0., 1., 1., 1.],
               [1., 1., 0., 1., 1., 1., 0., 0., 0., 0.]], dtype=float32)
    """

    def __init__(self, bounds: Bounds, frames: Frames, plan: Plan):
        self._frames = frames
        self._plan = plan
        # Clips of an aligned batch start at most half a stride after it.
        n_left = ceil_div(frames.left + plan.strides // 2, plan.strides)
        n_right = ceil_div(plan.pool_size - 1, plan.strides)
        n_frames = units.n_frames(bounds.stops - bounds.starts, plan.strides)
        # The last frames are elsewhere in each clip: tensors (batch,).
        left = [ops.full_like(n_frames, place) for place in range(n_left)]
        right = [n_frames - i for i in range(n_right, 0, -1)]
        self._places = [*left, *right]
        self._outside = []
        times = ops.arange(plan.pool_size, dtype="int32") - frames.left
        for place in left:
            frame_times = times + place[:, None] * plan.strides
            self._outside.append(frame_times < bounds.starts[:, None])
        for place in right:
            frame_times = times + place[:, None] * plan.strides
            self._outside.append(frame_times >= bounds.stops[:, None])

    def weights(self, windows: Windows) -> list[Tensor | None]:
        """Weights of squares for the parts of windows that are outside.

        Args:
            windows: `Windows`, in the plan's order.

        Returns:
            For each group (batch, frames at the ends, hops * energies a hop * 2,
            filters); None if there are no such frames.
        """
        plan = self._plan
        if not self._places:
            return [None for _ in plan.groups]
        lowpass = windows.first(plan.pool_size)
        outside = ops.cast(ops.stack(self._outside, axis=1), lowpass.dtype)
        outside = ops.expand_dims(outside, axis=-1)
        return [
            kernels.of_squares(
                ops.matmul(
                    _tensor(interpolation(plan, group), lowpass.dtype),
                    outside * group_lowpass,
                )
            )
            for group, group_lowpass in zip(
                plan.groups, kernels.by_group(lowpass, plan)
            )
        ]

    def pooled(self, squares: Tensor, weights: Tensor | None) -> Tensor | None:
        """Parts of the frames at the ends that are outside of their clip.

        Args:
            squares: (batch, hops, squares a hop) of a group.
            weights: Those of the group, by `weights`.

        Returns:
            (batch, frames at the ends, filters), zeros for a frame before the first;
            None if there are no such frames.
        """
        if weights is None:
            return None
        n_hops = self._frames.computed + self._plan.hops - 1
        places = ops.stack(self._places, axis=1)  # (batch, frames at the ends)
        hops = ops.arange(self._plan.hops, dtype="int32")
        hops = ops.expand_dims(places, axis=-1) + hops
        # Clips shorter than a window have fewer frames than ends: the places of those
        # missing are negative, and count nothing.
        is_frame = ops.cast(places >= 0, squares.dtype)
        # One-hot rows and a product, not a gather, which TFLite and XLA are slow at.
        is_taken = self._one_hot(hops, n_hops, squares.dtype)
        is_taken = is_taken * ops.expand_dims(is_frame, axis=(2, 3))
        shape = (-1, len(self._places) * self._plan.hops, n_hops)
        taken = ops.matmul(ops.reshape(is_taken, shape), squares)
        return kernels.pooled(taken, weights)

    def place(self, parts: Tensor) -> Tensor:
        """Parts of frames at the ends among all frames, zeros between them.

        Args:
            parts: (batch, frames at the ends, filters).

        Returns:
            (batch, frames, filters).
        """
        places = ops.stack(self._places, axis=1)  # (batch, frames at the ends)
        is_place = self._one_hot(places, self._frames.computed, parts.dtype)
        return ops.matmul(ops.transpose(is_place, (0, 2, 1)), parts)

    def _one_hot(self, indices, number, dtype):
        """One-hot (..., number) of indices (...); zeros for those out of range."""
        numbers = ops.arange(number, dtype="int32")
        return ops.cast(ops.equal(ops.expand_dims(indices, axis=-1), numbers), dtype)


def _tensor(array, dtype):
    return ops.convert_to_tensor(array, dtype=dtype)
