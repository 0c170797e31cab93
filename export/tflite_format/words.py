"""A `.tflite` file's own words: an entry of ours, and the metadata of MediaPipe."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from export.contract.failures import parsing
from export.contract.heads import Head, output_name
from export.contract.own_words import OwnWords, size, words_of
from export.tflite_format.entries import add_entry, read_entry
from export.tflite_format.graph import read_activations
from export.tflite_format.metadata import read_metadata

_ENTRY = b"LEAF_TF_MODEL"  # name in the model's own list of metadata


def add_words(model: Any, words: OwnWords) -> None:
    """Puts words into a model, `ModelT` of the TFLite schema.

    Example:

    >>> from export.tflite_format.model import read_model, write_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> add_words(model, OwnWords(8000, 4000, ()))
    >>> read_entry(write_model(model), _ENTRY)[:12]
    b'{"heads": []'
    """
    add_entry(model, _ENTRY, words.text.encode())


def read_words(path: Path, outputs: Iterable[str]) -> OwnWords | None:
    """The `OwnWords` in a file; None in one that isn't ours.

    The labels are those behind the model, which MediaPipe reads and people change;
    where a tool cut them off, those of the entry. Older files, which have no entry,
    have their activation in their last operator.

    Args:
        path: The file.
        outputs: Names of its answers, without the states of a stream.

    Raises:
        UserError: The words can't be read.

    Example:

    >>> words = read_words(Path("artifacts/model.tflite"), ["probabilities"])
    >>> words.sample_rate, words.window_samples, words.n_classes
    (8000, 4000, {'': 4})
    """
    content = path.read_bytes()
    with parsing(path):
        metadata = read_metadata(content)
        entry = read_entry(content, _ENTRY)
        if entry is not None:
            words = words_of(json.loads(entry))
        elif _is_ours(metadata, outputs):
            words = _words_of_metadata(metadata, content)
        else:
            return None
        return dataclasses.replace(words, heads=_relabelled(words.heads, metadata))


def _is_ours(metadata, outputs):
    names = {output.name for output in metadata.outputs} if metadata else set()
    return bool(names) and names == set(outputs) and metadata.sample_rate > 0


def _words_of_metadata(metadata, content):
    activations = read_activations(content)
    return OwnWords(
        sample_rate=size(metadata.sample_rate),
        window_samples=None,
        heads=tuple(
            Head(_head_name(o.name), o.labels, activations[o.name])
            for o in metadata.outputs
            if o.labels_file is not None
        ),
    )


def _head_name(output):
    return output.removesuffix(output_name("")).removesuffix("_")


def _relabelled(heads, metadata):
    """The heads with the labels behind the model, where there are any."""
    labels = {o.name: o.labels for o in metadata.outputs} if metadata else {}
    return tuple(
        dataclasses.replace(
            head,
            labels=new,
            decisions=head.decisions.relabelled(head.labels, new),
        )
        for head in heads
        for new in [labels.get(head.output) or head.labels]
    )
