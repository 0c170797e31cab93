"""Functions that the stages of a stream share: reading ahead, adding up, delays."""

from keras import ops

from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.slices import cut, last


def read(signal, start, length):
    """Samples start ... start + length of (batch, samples), zeros after its end."""
    missing = start + length - signal.shape[1]
    if missing > 0:
        signal = ops.pad(signal, ((0, 0), (0, missing)))
    return cut(signal, 1, start, length)


def overlap_add(parts, carried):
    """Frames from what each hop adds to them.

    Args:
        parts: (batch, hops, places, channels): of each hop, what it adds to the frame
            that it is the first hop of, the second, ...
        carried: (batch, places - 1, channels): what earlier hops added to the first
            frames that are not complete.

    Returns:
        (batch, hops, channels), the frames that the hops complete: the last of them
        by the last hop; what to carry to the next hops.
    """
    _, hops, places, channels = parts.shape
    frames = ops.pad(carried, ((0, 0), (0, hops), (0, 0)))
    for place in range(places):
        part = ops.reshape(cut(parts, 2, place, 1), (-1, hops, channels))
        frames = frames + ops.pad(part, ((0, 0), (places - 1 - place, place), (0, 0)))
    return cut(frames, 1, 0, hops), last(frames, places - 1)


def hops_of_delay(last_sample, strides, lag):
    """Number of hops after its own that a frame needs.

    Args:
        last_sample: Last sample that frame 0 depends on.
        strides: Samples a hop.
        lag: Samples that the signal comes late.
    """
    return ceil_div(last_sample + 1 + lag - strides, strides)
