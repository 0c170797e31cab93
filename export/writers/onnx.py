"""Writes an ONNX file, by Keras's own export."""

import collections
import importlib.util
import json
from pathlib import Path

from export.contract.layout import INPUT
from export.source.opening import Source
from export.source.stages import as_input
from export.writers.onnx_ops import add_spectra
from export.writers.serving import LOUDEST
from export.writers.words import words_of_source
from leaf_files.errors import UserError, first_line
from leaf_files.quiet import import_keras, native_logs_hidden

_PACKAGES = ("onnx", "onnxruntime", "tf2onnx")
_OPSET = 17  # version of ONNX's operators; runtimes of 2022 have it
_BATCH = "batch"  # the name of the free size


def require_onnx() -> None:
    """Checks that the packages which write and run ONNX files are installed.

    Raises:
        UserError: They aren't; the message says how to install them.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"the format onnx needs {', '.join(missing)}; install leaf_tf with its "
            'extra: pip install "leaf_tf[onnx]"'
        )


def write_onnx(source: Source, path: Path) -> None:
    """Writes the model of one window, (batch, window_samples), of any batch.

    The length is fixed: tf2onnx, by which Keras writes the file, makes graphs of a free
    length that ONNX Runtime fails on. The file's metadata hold `made_by`,
    `sample_rate` and `window_samples`, and each head's `labels` and `activation`, as
    JSON.

    Args:
        source: The model.
        path: File to write.

    Raises:
        UserError: The model holds an operation that ONNX lacks.
    """
    keras = import_keras()
    from leaf_tf.frontends.live_plan import weights_stay

    model = _with_probabilities(keras, source)
    spec = keras.InputSpec(
        shape=(None, source.window_samples), dtype="float32", name=INPUT
    )
    with native_logs_hidden(), weights_stay():
        add_spectra()
        try:
            model.export(
                str(path),
                format="onnx",
                verbose=False,
                input_signature=[spec],
                opset_version=_OPSET,
            )
        # Keras and tf2onnx raise many kinds of errors.
        except Exception as error:
            raise UserError(
                f"Keras can't write the model as ONNX: {first_line(error)}; leave onnx "
                "out of --formats"
            ) from error
    _require_onnx_ops(path)
    _name_and_describe(source, path)


def _require_onnx_ops(path):
    """Refuses a file with operations of TensorFlow, which tf2onnx may leave in."""
    import onnx

    nodes = onnx.load(str(path)).graph.node
    unknown = {
        node.op_type
        for node in nodes
        if not node.domain and not onnx.defs.has(node.op_type)
    }
    if unknown:
        raise UserError(
            "tf2onnx can't write the model as ONNX: it knows no "
            f"{', '.join(sorted(unknown))}; leave onnx out of --formats"
        )


def onnx_ops(path: Path) -> dict[str, int]:
    """{ONNX operator: count} of a file."""
    import onnx

    graph = onnx.load(str(path)).graph
    counts = collections.Counter(node.op_type for node in graph.node)
    return dict(sorted(counts.items()))


def _with_probabilities(keras, source):
    """The model from (batch, window_samples) to the heads' probabilities, by name."""
    ops = keras.ops
    waveform = keras.Input((source.window_samples,), name=INPUT)
    outputs = source.model(as_input(source.model, waveform))
    # Zero, or NaN for a waveform that is no sound, as in `graph_edits.guard_outputs`.
    power = ops.mean(ops.square(waveform), axis=1, keepdims=True)
    mark = ops.where(power < LOUDEST**2, 0.0, float("nan"))
    model = keras.Model(
        waveform,
        {
            head.output: keras.layers.Activation(
                head.activation if head.gives_logits else "linear",
                dtype="float32",
                name=head.output,
            )(outputs[head.name])
            + mark
            for head in source.heads
        },
    )
    model(keras.ops.zeros((1, source.window_samples)))  # Keras wants it called once
    return model


def _name_and_describe(source, path):
    """Names outputs and batch, which are numbered, and writes the file's metadata."""
    import onnx

    file = onnx.load(str(path))
    graph = file.graph
    # TensorFlow flattens a dict in the order of its keys.
    names = dict(
        zip(
            [output.name for output in graph.output],
            sorted(head.output for head in source.heads),
        )
    )
    for entry in (*graph.input, *graph.output):
        entry.type.tensor_type.shape.dim[0].dim_param = _BATCH
    for output in graph.output:
        output.name = names[output.name]
    for node in graph.node:
        for kept in (node.input, node.output):
            kept[:] = [names.get(name, name) for name in kept]
    words = words_of_source(source)
    heads = {
        head.name: {
            "labels": head.labels,
            "activation": head.activation,
            **head.decisions_entry,
        }
        for head in words.heads
    }
    onnx.helper.set_model_props(
        file,
        {
            "made_by": words.made_by,
            "sample_rate": str(words.sample_rate),
            "window_samples": str(words.window_samples),
            "heads": json.dumps(heads),
        },
    )
    onnx.save(file, str(path))
