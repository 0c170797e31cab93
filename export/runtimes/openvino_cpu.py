"""OpenVINO, on the CPU."""

import functools
from pathlib import Path

from export.contract.heads import heads_of_outputs, output_name
from export.contract.layout import INPUT
from export.contract.probes import Run
from export.runtimes.ports import Ports, failures_named, run_of, tflite_ports
from leaf_files.quiet import native_logs_hidden


def load(path: Path, precision: str | None = None) -> Run:
    """Opens a `.tflite` or `.onnx` file or a SavedModel, on one thread.

    Args:
        path: The artifact.
        precision: "f32" computes in float32. By default OpenVINO computes in what it
            takes for fastest: in bfloat16 where the processor has it.

    Raises:
        UserError: It doesn't load.
    """
    settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    if precision is not None:
        settings["INFERENCE_PRECISION_HINT"] = precision
    with native_logs_hidden(), failures_named(path):
        model = _Model(path, settings)
    return run_of(path, model.ports, model.call)


class _Model:
    """A model, compiled for a shape of the waveform when that comes first.

    Of a free shape it computes shapes at each run, and takes five times as long.
    """

    def __init__(self, path, settings):
        import openvino

        self._core = openvino.Core()
        self._model = self._core.read_model(str(path))
        self._settings = settings
        outputs = self._model.outputs
        if path.suffix == ".tflite":
            # Which is read without the names of its signature.
            self.ports = tflite_ports(path)
            self._places = dict(zip(self.ports.outputs, range(len(outputs))))
        else:
            self._places = _probabilities(outputs)
            self.ports = Ports({INPUT: ()}, dict.fromkeys(self._places, ()))
        self._request = functools.cache(self._compiled)

    def _compiled(self, shape):
        if self._model.inputs[0].partial_shape.is_dynamic:
            self._model.reshape(shape)
        compiled = self._core.compile_model(self._model, "CPU", self._settings)
        return compiled.create_infer_request()

    def call(self, values):
        request = self._request(values[INPUT].shape)
        answers = request.infer([values[name] for name in self.ports.inputs])
        return {name: answers[place].copy() for name, place in self._places.items()}


def _probabilities(outputs):
    """{name: place} of the heads' probabilities, of all that a SavedModel gives."""
    places = {output.any_name: place for place, output in enumerate(outputs)}
    names = map(output_name, heads_of_outputs(places))
    return {name: places[name] for name in names}
