"""OpenVINO, on the CPU."""

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
        import openvino

        core = openvino.Core()
        compiled = core.compile_model(core.read_model(str(path)), "CPU", settings)
        request = compiled.create_infer_request()
        if path.suffix == ".tflite":
            # Which is read without the names of its signature.
            ports = tflite_ports(path)
            results = dict(zip(ports.outputs, compiled.outputs))
        else:
            results = _probabilities(compiled)
            ports = Ports({INPUT: ()}, dict.fromkeys(results, ()))
        places = {name: index for index, name in enumerate(ports.inputs)}

    def call(values):
        answers = request.infer({places[name]: value for name, value in values.items()})
        return {name: answers[result].copy() for name, result in results.items()}

    return run_of(path, ports, call)


def _probabilities(compiled):
    """{name: output} of the heads' probabilities, of all that a SavedModel gives."""
    outputs = {output.any_name: output for output in compiled.outputs}
    names = map(output_name, heads_of_outputs(outputs))
    return {name: outputs[name] for name in names}
