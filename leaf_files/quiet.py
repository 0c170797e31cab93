"""Keeps the native libraries' logs out of a command's output."""

import contextlib
import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

from leaf_files.errors import UserError


class _Silencer:
    """Drops what is written to a file descriptor while any thread is inside.

    Args:
        descriptor: Descriptor of a standard stream.
        name: Name in `sys` of Python's stream on top of it.
    """

    def __init__(self, descriptor, name):
        self._descriptor = descriptor
        self._name = name
        self._lock = threading.Lock()
        self._depth = 0
        self._kept = -1

    def __enter__(self):
        with self._lock:
            if self._depth == 0:
                getattr(sys, self._name).flush()
                copy = os.dup(self._descriptor)
                try:
                    sink = os.open(os.devnull, os.O_WRONLY)
                except BaseException:
                    os.close(copy)
                    raise
                os.dup2(sink, self._descriptor)
                os.close(sink)
                self._kept = copy
            self._depth += 1

    def __exit__(self, *_):
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                getattr(sys, self._name).flush()
                os.dup2(self._kept, self._descriptor)
                os.close(self._kept)


_stdout = _Silencer(1, "stdout")
_stderr = _Silencer(2, "stderr")


@contextlib.contextmanager
def native_logs_hidden() -> Iterator[None]:
    """Drops what is written to stderr inside the block.

    TensorFlow, the TFLite converter, LiteRT and the MP3 decoder write to the file
    descriptor itself, much of it before any of their log levels applies. Failures
    still arrive as exceptions. Threads may be inside at once: the last one that leaves
    restores stderr.

    >>> with native_logs_hidden():
    ...     n_dropped = os.write(2, b"a greeting of a library")
    """
    with _stderr:
        yield


@contextlib.contextmanager
def native_logs_kept() -> Iterator[Callable[[], str]]:
    """Keeps what is written to stderr inside the block, instead of showing it.

    For a library whose exceptions say less than its log. Not for threads.

    Yields:
        A function that returns what was written so far.

    >>> with native_logs_kept() as log:
    ...     _ = os.write(2, b"operator 7 is unknown")
    ...     print(log())
    operator 7 is unknown
    """
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as kept:

        def log():
            kept.seek(0)
            return kept.read().decode(errors="replace")

        os.dup2(kept.fileno(), 2)
        try:
            yield log
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)


@contextlib.contextmanager
def native_output_hidden() -> Iterator[None]:
    """Drops what is written to stdout and stderr inside the block.

    Like `native_logs_hidden`, for what writes its log to stdout, such as gloo.

    >>> with native_output_hidden():
    ...     n_dropped = os.write(1, b"a log of a library")
    """
    with _stdout, _stderr:
        yield


def import_tensorflow() -> Any:
    """TensorFlow, without its greeting."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_logs_hidden():
        import tensorflow as tf
    return tf


def import_keras(backend: str = "tensorflow") -> Any:
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
