"""TensorFlow's C API on a SavedModel, by the code of `examples/c`."""

import contextlib
import importlib.metadata
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.runtimes.measuring import Opened
from export.contract.heads import heads_of_outputs
from export.contract.layout import OUTPUT
from leaf_files.errors import UserError
from leaf_files.quiet import import_tensorflow

SOURCE = Path(__file__).with_name("saved_model_in_c.c")


@contextlib.contextmanager
def open_program(folder):
    """Builds the program and starts it on a SavedModel of one head.

    Args:
        folder: Folder of a `saved_model.pb`, a Path.

    Yields:
        An `Opened`.

    Raises:
        UserError: There is no compiler, or the program does not run.
    """
    if shutil.which("cc") is None:
        raise UserError("no C compiler is installed: there is no cc")
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch, "answer")
        build(program)
        one_thread = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
        child = subprocess.Popen(
            [program, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **one_thread, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        try:
            yield Opened(
                importlib.metadata.version("tensorflow"),
                lambda windows: {
                    head: np.stack([_asked(child, window, 1)[1] for window in windows])
                    for head in heads_of_outputs([OUTPUT])
                },
                lambda windows, repeats: _asked(child, windows[0], repeats)[0],
            )
        finally:
            child.communicate()  # the end of its input ends it


def build(program):
    """Compiles the program against the libraries in TensorFlow's Python package."""
    libraries = import_tensorflow().sysconfig.get_lib()
    command = ["cc", "-O2", SOURCE, "-I", f"{libraries}/include", "-L", libraries]
    command += ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    command += [f"-Wl,-rpath,{libraries}", "-o", program]
    if shutil.which("ld.gold"):  # reads these libraries in a second, not in six
        command.append("-fuse-ld=gold")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"the C program does not build: {done.stderr[-300:]}")


def _asked(child, window, repeats):
    """(seconds a call, probabilities)."""
    window = np.asarray(window, "<f4")
    try:
        child.stdin.write(struct.pack("<ii", repeats, window.size) + window.tobytes())
        child.stdin.flush()
        seconds, n_classes = struct.unpack("<di", child.stdout.read(12))
        return seconds, np.frombuffer(child.stdout.read(4 * n_classes), "<f4")
    except (OSError, struct.error) as error:
        raise UserError("the C program ended before it answered") from error
