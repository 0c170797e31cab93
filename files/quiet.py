"""Keeps the native libraries' logs out of a command's output."""

import contextlib
import importlib.util
import os
import sys
import threading

from files.errors import UserError

_lock = threading.Lock()
_depth = 0
_kept = -1


@contextlib.contextmanager
def native_logs_hidden():
    """Drops what is written to stderr inside the block.

    TensorFlow, the TFLite converter, LiteRT and the MP3 decoder write to the file
    descriptor itself, much of it before any of their log levels applies. What goes
    wrong still arrives as an exception. Threads may be inside at once: the last one
    that leaves brings stderr back.
    """
    _hide()
    try:
        yield
    finally:
        _show()


def _hide():
    global _depth, _kept
    with _lock:
        if _depth == 0:
            sys.stderr.flush()
            kept = os.dup(2)
            try:
                sink = os.open(os.devnull, os.O_WRONLY)
            except BaseException:
                os.close(kept)
                raise
            os.dup2(sink, 2)
            os.close(sink)
            _kept = kept
        _depth += 1


def _show():
    global _depth
    with _lock:
        _depth -= 1
        if _depth == 0:
            sys.stderr.flush()
            os.dup2(_kept, 2)
            os.close(_kept)


def import_tensorflow():
    """TensorFlow, without its greeting."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_logs_hidden():
        import tensorflow as tf
    return tf


def import_keras(backend="tensorflow"):
    """Keras on TensorFlow, the backend that exports, or on another.

    A `.keras` file of another backend loads just as well, so a user's own
    KERAS_BACKEND does not matter here.

    Raises:
        UserError: The backend is not installed.
    """
    if backend != "tensorflow" and not importlib.util.find_spec(backend):
        raise UserError(
            f"{backend} is not installed; install it with: "
            f'pip install "leaf_tf[{backend}]"'
        )
    os.environ["KERAS_BACKEND"] = backend
    import_tensorflow()
    with native_logs_hidden():
        import keras
    return keras
