"""Joins frames and encoder to the model that a microcontroller runs."""

from typing import Any

from export.contract.layout import FEATURES, INPUT, STATE
from export.tflite_format.building import Builder
from export.tflite_format.joining import append_graph
from export.tflite_format.model import operator_name, outputs_of
from export.writers.micro.frames import FRAMES

RING = f"{STATE}{FEATURES}"


def joined_model(front: Any, encoder: Any, outputs: list[str]) -> Any:
    """One model of a frontend's frames and the encoder of the trailing window.

    Args:
        front: `ModelT`, waveform and states -> "frames" (1, hops, channels) and
            states.
        encoder: `ModelT`, features (1, window_frames, channels) -> probabilities.
        outputs: Names of the probabilities.

    Returns:
        `ModelT`, waveform and states, among them the window's frames -> probabilities
        and states.
    """
    frames = outputs_of(front)[FRAMES]
    entry = _entry(encoder)
    window = encoder.subgraphs[0].tensors[entry]
    n_frames, channels = (int(n) for n in window.shape[1:])
    builder = Builder(front)
    values = Builder(encoder).values_of(entry)
    hops = builder.shape_of(frames)[1]
    if values != builder.values_of(frames):
        frames = builder.operator("QUANTIZE", [frames], (1, hops, channels), values)
    ring = builder.tensor((1, n_frames, channels), values, RING)
    kept = max(n_frames - hops, 0)
    newest = builder.cut(frames, 1, hops - (n_frames - kept), n_frames - kept)
    parts = [builder.cut(ring, 1, n_frames - kept, kept), newest] if kept else [newest]
    after = builder.joined(parts, axis=1)
    ends = outputs_of(encoder)
    places = append_graph(front, encoder, {entry: after})
    _name_ends(front, ring, after, {name: places[ends[name]] for name in outputs})
    return front


def _entry(encoder):
    """The tensor that the encoder works on: its input, as integers where it has them.

    Drops the operator that makes integers of the input.
    """
    graph = encoder.subgraphs[0]
    (features,) = graph.inputs
    takers = [op for op in graph.operators if features in op.inputs]
    if len(takers) == 1 and operator_name(encoder, takers[0]) == "QUANTIZE":
        graph.operators.remove(takers[0])
        return takers[0].outputs[0]
    return features


def _name_ends(model, ring, after, answers):
    """Inputs and outputs of the joined model, and their names."""
    from ai_edge_litert import schema_py_generated as schema

    graph, (signature,) = model.subgraphs[0], model.signatureDefs

    def entry(name, index):
        tensor = schema.TensorMapT()
        tensor.name, tensor.tensorIndex = name.encode(), index
        return tensor

    states = [e for e in signature.outputs if e.name.decode() != FRAMES]
    by_name = {e.name.decode(): e for e in states}
    order = [e.name.decode() for e in signature.inputs if e.name.decode() != INPUT]
    signature.inputs = [*signature.inputs, entry(RING, ring)]
    signature.outputs = [
        *(entry(name, index) for name, index in answers.items()),
        *(by_name[name] for name in order),
        entry(RING, after),
    ]
    graph.inputs = [e.tensorIndex for e in signature.inputs]
    graph.outputs = [e.tensorIndex for e in signature.outputs]
    for end in signature.outputs:
        tensor = graph.tensors[end.tensorIndex]
        tensor.name = end.name
