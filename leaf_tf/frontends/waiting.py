"""A line for those who wait."""

import contextlib
import sys
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def said_if_slow(message: str, seconds: float = 1.0) -> Iterator[None]:
    """Prints a line on stderr if the block is still at work after some time.

    Args:
        message: The line.
        seconds: How long to wait for the block to end.

    Example:
        >>> with said_if_slow("planning 40 filters"):
        ...     pass  # done before anyone waits
    """
    timer = threading.Timer(seconds, print, (message,), {"file": sys.stderr})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
