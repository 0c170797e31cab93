"""LiteRT's CompiledModel, the interface that follows its Interpreter."""

import math
from pathlib import Path

import numpy as np

from export.contract.probes import Run
from export.runtimes.ports import failures_named, run_of, tflite_ports
from leaf_files.errors import UserError
from leaf_files.quiet import native_logs_hidden


def load(path: Path) -> Run:
    """Opens a `.tflite` file, on the CPU and one thread.

    Args:
        path: The file.

    Raises:
        UserError: It doesn't load, or this LiteRT has no CompiledModel.

    Example:

    >>> run = load(Path("artifacts/model.tflite"))
    >>> run(np.zeros((2, 4000), np.float32))[""].shape
    (2, 4)
    """
    ports = tflite_ports(path)
    with native_logs_hidden(), failures_named(path):
        model = _Model(path, ports)
        model.call({name: np.zeros(shape) for name, shape in ports.inputs.items()})
    return run_of(path, ports, model.call)


class _Model:
    """A compiled model and its buffers, the end of which LiteRT reports on stderr."""

    def __init__(self, path, ports):
        try:
            from ai_edge_litert.compiled_model import CompiledModel
        except ImportError as error:
            raise UserError(
                "this LiteRT has no CompiledModel; install ai-edge-litert 2.1 or newer"
            ) from error
        self._model = CompiledModel.from_file(str(path))
        (self._signature,) = self._model.get_signature_list()
        self._inputs = {
            name: self._model.create_input_buffer_by_name(self._signature, name)
            for name in ports.inputs
        }
        self._outputs = {
            name: self._model.create_output_buffer_by_name(self._signature, name)
            for name in ports.outputs
        }
        self._shapes = ports.outputs

    def call(self, values):
        for name, value in values.items():
            self._inputs[name].write(np.ascontiguousarray(value, np.float32))
        self._model.run_by_name(self._signature, self._inputs, self._outputs)
        return {
            name: self._outputs[name].read(math.prod(shape), np.float32).reshape(shape)
            for name, shape in self._shapes.items()
        }

    def __del__(self):
        with native_logs_hidden():
            vars(self).clear()
