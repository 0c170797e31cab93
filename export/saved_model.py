"""Writes a SavedModel that plain TensorFlow and TF Serving load."""

import collections
import os

from export.layout import PADDED_SIGNATURE, SIGNATURE
from export.serving import padded_serving_function, serving_function
from files.quiet import import_tensorflow, native_logs_hidden

_PLUMBING = ("Const", "Identity", "NoOp", "Placeholder")


def write_saved_model(source, folder, labels_folder):
    """Writes `folder` with the signature `serving_default`.

    Batch and length are free; a model of a fixed length keeps it. Models that honour
    masks get `serving_padded`, too, which takes `lengths` beside the waveform. The
    labels travel along as an asset.

    Args:
        source: `export.sources.Source`.
        folder: To write.
        labels_folder: Holds the files of labels, to take along.
    """
    tf = import_tensorflow()
    serve = serving_function(source, batch=None, samples=source.model.input_shape[1])
    signatures = {SIGNATURE: serve}
    padded = padded_serving_function(source)
    if padded is not None:
        signatures[PADDED_SIGNATURE] = padded
    # The weights alone: a Keras model would be saved as an object of Keras.
    module = tf.Module()
    module.weights = [variable.value for variable in source.model.variables]
    module.labels = [
        tf.saved_model.Asset(labels_folder / head.labels_file) for head in source.heads
    ]
    with native_logs_hidden():
        tf.saved_model.save(module, folder, signatures=signatures)


def saved_model_ops(signature):
    """What a loaded signature computes, the functions it calls included.

    Returns:
        {TensorFlow op: count}, without those that only hold or pass values.
    """
    graph = signature.graph.as_graph_def()
    bodies = {
        function.signature.name: function.node_def
        for function in graph.library.function
    }
    ops = collections.Counter()

    def count(nodes):
        for node in nodes:
            called = [
                value.func.name
                for value in node.attr.values()
                if value.func.name in bodies
            ]
            if not called and node.op not in _PLUMBING:
                ops[node.op] += 1
            for name in called:
                count(bodies[name])

    count(graph.node)
    return dict(sorted(ops.items()))


def folder_bytes(folder):
    """Bytes of all files below `folder`."""
    return sum(
        os.path.getsize(os.path.join(place, name))
        for place, _, names in os.walk(folder)
        for name in names
    )
