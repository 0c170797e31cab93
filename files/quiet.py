"""Keeps the native libraries' logs out of a command's output."""

import contextlib
import importlib.util
import os
import sys
import tempfile

from files.errors import UserError


@contextlib.contextmanager
def native_logs_hidden():
    """Drops what is written to stderr inside the block.

    TensorFlow, the TFLite converter and LiteRT write to the file descriptor
    itself, much of it before any of their log levels applies. What goes wrong
    still arrives as an exception.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as sink:
            os.dup2(sink.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
    finally:
        os.close(kept)


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
