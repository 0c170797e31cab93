"""TFLite Micro, the interpreter of microcontrollers, on this machine's processor."""

from pathlib import Path

import numpy as np

from export.contract.probes import Run
from export.runtimes.ports import failures_named, run_of, tflite_ports
from leaf_files.quiet import native_logs_kept


def load(path: Path) -> Run:
    """Opens a `.tflite` file.

    Args:
        path: The file.

    Raises:
        UserError: It has an operator, or a type of one, that microcontrollers lack.
    """
    ports = tflite_ports(path)
    with failures_named(path), native_logs_kept() as log:
        from tflite_micro.python.tflite_micro import runtime

        try:
            interpreter = runtime.Interpreter.from_file(str(path))
        except RuntimeError as error:
            # The error says that it failed, the log why.
            raise RuntimeError(f"{error}: {' '.join(log().split())}") from error

    def call(values):
        for index, name in enumerate(ports.inputs):
            value = np.ascontiguousarray(values[name], np.float32)
            interpreter.set_input(value, index)
        interpreter.invoke()
        return {
            name: interpreter.get_output(index).copy()
            for index, name in enumerate(ports.outputs)
        }

    return run_of(path, ports, call)
