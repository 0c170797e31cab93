"""Frontends on sound that doesn't end: chunk by chunk, equal to the whole at once."""

from leaf_tf.streaming.stream import Stream
from leaf_tf.streaming.trailing import TrailingWindow

__all__ = ["Stream", "TrailingWindow"]
