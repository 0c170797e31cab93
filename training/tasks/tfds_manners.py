"""Keeps TFDS from printing, and from waiting for a network that isn't there."""

import contextlib
import io
import logging
import sys
import warnings

# Loggers that warn of what no user can fix; "" is the root.
_LOGGERS = ("", "absl", "apache_beam", "urllib3")


@contextlib.contextmanager
def quiet():
    """Limits TFDS's output to a progress bar, on a terminal only.

    >>> with quiet():
    ...     print("from TFDS")
    >>> print("from us")
    from us
    """
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # pydub looks for ffmpeg
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        yield


@contextlib.contextmanager
def quick_to_fail():
    """Limits TFDS to 3 attempts at a download: without a network its 10 take minutes.

    >>> from tensorflow_datasets.core.download import downloader
    >>> with quick_to_fail():
    ...     downloader.MAX_RETRIES
    3
    """
    from tensorflow_datasets.core.download import downloader

    usual, downloader.MAX_RETRIES = downloader.MAX_RETRIES, 3
    try:
        yield
    finally:
        downloader.MAX_RETRIES = usual
