"""Writes a SavedModel that plain TensorFlow and TF Serving load."""

import collections
import os
from pathlib import Path
from typing import Any

import numpy as np

from export.contract.layout import ABOUT, INPUT, LENGTHS, PADDED_SIGNATURE
from export.source.opening import Source
from export.writers.signatures import make_signatures
from export.writers.warmup import write_warmup
from leaf_files.quiet import import_tensorflow, native_logs_hidden

_PLUMBING = ("Const", "Identity", "NoOp", "Placeholder")


def write_saved_model(
    source: Source, folder: Path, labels_folder: Path, trainable: bool = False
) -> None:
    """Writes `folder` with the signatures of `export.writers.signatures`.

    It holds the labels as assets, and the requests that TF Serving warms up with.

    Args:
        source: The model.
        folder: Folder to write.
        labels_folder: Folder of the files of labels.
        trainable: Whether the weights stay variables: `trainable_weights` of what
            `tf.saved_model.load` returns.
    """
    tf = import_tensorflow()
    signatures = make_signatures(source, trainable)
    module = tf.Module()
    if trainable:
        model = source.model
        module.trainable_weights = [w.value for w in model.trainable_weights]
        module.other_weights = [w.value for w in model.non_trainable_weights]
    module.labels = [
        tf.saved_model.Asset(labels_folder / head.labels_file) for head in source.heads
    ]
    with native_logs_hidden():
        save_module(module, folder, signatures=signatures)
    write_warmup(folder, _warmup_requests(signatures, source.window_samples))


def _warmup_requests(signatures, window_samples):
    window = {INPUT: np.zeros((1, window_samples), np.float32)}
    requests = {name: window for name in signatures if name != ABOUT}
    if PADDED_SIGNATURE in requests:
        lengths = np.array([window_samples], np.int32)
        requests[PADDED_SIGNATURE] = {**window, LENGTHS: lengths}
    return requests


def save_module(module: Any, folder: str | Path, **options: Any) -> None:
    """`tf.saved_model.save`, with an OSError for a full disk.

    Raises:
        OSError: The folder can't be written.
    """
    tf = import_tensorflow()
    try:
        tf.saved_model.save(module, folder, **options)
    except tf.errors.OpError as error:
        reason = error.message.rpartition("; ")[2].partition(" [")[0]
        raise OSError(f"cannot write the SavedModel {folder}: {reason}") from error


def saved_model_ops(signature: Any) -> dict[str, int]:
    """The operations of a loaded signature and of the functions it calls.

    Returns:
        {TensorFlow op: count}, without those that only hold or pass values.
    """
    graph = signature.graph.as_graph_def()
    bodies = {
        function.signature.name: function.node_def
        for function in graph.library.function
    }
    ops: collections.Counter[str] = collections.Counter()

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


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder.

    Example:

    >>> _ = Path("model").mkdir()
    >>> _ = Path("model/saved_model.pb").write_bytes(b"1234")
    >>> folder_bytes(Path("model"))
    4
    """
    return sum(
        os.path.getsize(os.path.join(place, name))
        for place, _, names in os.walk(folder)
        for name in names
    )
