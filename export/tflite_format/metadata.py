"""The metadata of a `.tflite` file that MediaPipe's audio tasks read.

TFLite metadata is a FlatBuffer of its own inside the model's, and files packed with it
are a zip archive behind the model's last byte: `unzip model.tflite` lists the labels.
Without it the AudioClassifier of Android and iOS doesn't load a model.

Source: the schema of TFLite metadata, version 1.5.0, whose tables and field numbers
these are (metadata_schema.fbs of MediaPipe; nothing that is installed brings it).
"""

import dataclasses
import io
import zipfile
from typing import Any

from flatbuffers.number_types import Uint8Flags, Uint32Flags

from export.tflite_format.entries import add_entry, read_entry
from export.tflite_format.flat_tables import (
    number,
    packed,
    root_table,
    table_in,
    tables,
    text,
)
from export.tflite_format.score_units import (
    ScoreUnits,
    parameters_text,
    read_units,
    unit_fields,
)
from leaf_files.text import lines_of

_ENTRY = b"TFLITE_METADATA"  # in the model's own list of metadata
_IDENTIFIER = b"M001"
_PARSER_VERSION = "1.3.0"  # the first that knows AudioProperties
_FEATURES, _AUDIO = 1, 4  # kinds of content
_AXIS_LABELS, _AXIS_CALIBRATION = 2, 4  # kinds of associated files
_ZIPPED = b"PK\3\4"  # the start of a file in an archive
_OLDEST = (1980, 1, 1, 0, 0, 0)  # one time, so that equal files have equal bytes

# Numbers of fields.
_MODEL_NAME, _MODEL_DESCRIPTION, _MODEL_SUBGRAPHS, _MODEL_PARSER = 0, 1, 3, 7
_GRAPH_INPUTS, _GRAPH_OUTPUTS = 2, 3
_TENSOR_NAME, _TENSOR_DESCRIPTION, _TENSOR_CONTENT = 0, 1, 3
_TENSOR_UNITS, _TENSOR_FILES = 4, 6
_CONTENT_KIND, _CONTENT = 0, 1
_AUDIO_RATE, _AUDIO_CHANNELS = 0, 1
_FILE_NAME, _FILE_KIND = 0, 2


@dataclasses.dataclass(frozen=True)
class Output:
    """Description of an output.

    Attributes:
        name: Name in the signature.
        description: One line for people.
        labels_file: Name of its file of labels; None if it has none.
        labels: One per class.
        units: What MediaPipe does with its scores; None for nothing.

    Example:

    >>> Output("probabilities", "Birds.", "labels.txt", ("tit", "wren")).labels
    ('tit', 'wren')
    """

    name: str
    description: str
    labels_file: str | None = None
    labels: tuple[str, ...] = ()
    units: ScoreUnits | None = None

    @property
    def files(self) -> dict[str, str]:
        """{name: content} of the files behind the model.

        Example:

        >>> Output("probabilities", "Birds.", "labels.txt", ("tit", "wren")).files
        {'labels.txt': 'tit\\nwren\\n'}
        """
        if self.labels_file is None:
            return {}
        files = {self.labels_file: "".join(f"{label}\n" for label in self.labels)}
        if self.units and self.units.calibrates:
            files[_calibration_file(self.labels_file)] = parameters_text(self.units)
        return files


@dataclasses.dataclass(frozen=True)
class Metadata:
    """Description of a model from a mono waveform.

    Attributes:
        name: Name of the model.
        description: One line for people.
        sample_rate: Rate of the waveform, Hz.
        outputs: Its outputs, in the order of the subgraph's.

    Example:

    >>> outputs = (Output("probabilities", "Birds.", "labels.txt", ("tit", "wren")),)
    >>> Metadata("birds", "1 s of waveform to birds.", 16000, outputs).sample_rate
    16000
    """

    name: str
    description: str
    sample_rate: int
    outputs: tuple[Output, ...]


def add_metadata(model: Any, metadata: Metadata) -> None:
    """Puts all but the files of labels into a model.

    Args:
        model: `ModelT` of the TFLite schema; is changed.
        metadata: The description.

    Example:

    >>> from export.tflite_format.model import read_model, write_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> add_metadata(model, Metadata("birds", "Of birds.", 8000, ()))
    >>> read_metadata(write_model(model)).name
    'birds'
    """
    add_entry(model, _ENTRY, _metadata_bytes(metadata))


def append_labels(content: bytes, metadata: Metadata) -> bytes:
    """The bytes of a `.tflite` file, with the files of its outputs behind them.

    Args:
        content: A model with this metadata.
        metadata: The description.

    Example:

    >>> outputs = (Output("probabilities", "Birds.", "labels.txt", ("tit", "wren")),)
    >>> content = append_labels(b"a model", Metadata("birds", "Birds.", 8000, outputs))
    >>> zipfile.ZipFile(io.BytesIO(content)).read("labels.txt")
    b'tit\\nwren\\n'
    """
    with_labels = io.BytesIO(content)
    with zipfile.ZipFile(with_labels, "a", zipfile.ZIP_STORED) as archive:
        for output in metadata.outputs:
            for name, lines in output.files.items():
                archive.writestr(zipfile.ZipInfo(name, _OLDEST), lines)
    return with_labels.getvalue()


def read_metadata(content: bytes) -> Metadata | None:
    """The `Metadata` in a `.tflite` file of an audio model, or None.

    Args:
        content: The file.

    Example:

    >>> metadata = read_metadata(Path("artifacts/model.tflite").read_bytes())
    >>> metadata.sample_rate, metadata.outputs[0].labels
    (8000, ('north', 'south', 'east', 'west'))
    """
    entry = read_entry(content, _ENTRY)
    if entry is None:
        return None
    root = root_table(entry)
    (graph, *_) = tables(root, _MODEL_SUBGRAPHS)
    (waveform, *_) = tables(graph, _GRAPH_INPUTS)
    content_of = table_in(waveform, _TENSOR_CONTENT)
    if not content_of or number(content_of, _CONTENT_KIND, Uint8Flags) != _AUDIO:
        return None
    audio = table_in(content_of, _CONTENT)
    outputs = tables(graph, _GRAPH_OUTPUTS)
    return Metadata(
        name=text(root, _MODEL_NAME),
        description=text(root, _MODEL_DESCRIPTION),
        sample_rate=number(audio, _AUDIO_RATE, Uint32Flags),
        outputs=tuple(_read_output(output, content) for output in outputs),
    )


def _metadata_bytes(metadata):
    audio = {
        _AUDIO_RATE: ("Uint32", metadata.sample_rate),
        _AUDIO_CHANNELS: ("Uint32", 1),
    }
    waveform = {
        _TENSOR_NAME: "waveform",
        _TENSOR_DESCRIPTION: (
            f"Mono, {metadata.sample_rate} samples a second, full scale is [-1, 1]."
        ),
        _TENSOR_CONTENT: {_CONTENT_KIND: ("Uint8", _AUDIO), _CONTENT: audio},
    }
    outputs = [_output_fields(output) for output in metadata.outputs]
    fields = {
        _MODEL_NAME: metadata.name,
        _MODEL_DESCRIPTION: metadata.description,
        _MODEL_SUBGRAPHS: [{_GRAPH_INPUTS: [waveform], _GRAPH_OUTPUTS: outputs}],
        _MODEL_PARSER: _PARSER_VERSION,
    }
    return packed(fields, _IDENTIFIER)


def _output_fields(output):
    fields = {
        _TENSOR_NAME: output.name,
        _TENSOR_DESCRIPTION: output.description,
        _TENSOR_CONTENT: {_CONTENT_KIND: ("Uint8", _FEATURES), _CONTENT: {}},
    }
    kinds = (_AXIS_LABELS, _AXIS_CALIBRATION)
    files = [
        {_FILE_NAME: name, _FILE_KIND: ("Uint8", kind)}
        for name, kind in zip(output.files, kinds)
    ]
    if files:
        fields[_TENSOR_FILES] = files
    if output.units:
        fields[_TENSOR_UNITS] = unit_fields(output.units)
    return fields


def _calibration_file(labels_file):
    """Name of the file of parameters beside a file of labels."""
    return labels_file.replace("labels", "score_calibration", 1)


def _read_output(output, content):
    name, description = text(output, _TENSOR_NAME), text(output, _TENSOR_DESCRIPTION)
    files = {
        number(file, _FILE_KIND, Uint8Flags): text(file, _FILE_NAME)
        for file in tables(output, _TENSOR_FILES)
    }
    if _AXIS_LABELS not in files:
        return Output(name, description)
    labels_file = files[_AXIS_LABELS]
    units = tables(output, _TENSOR_UNITS)
    parameters = _packed_lines(content, files.get(_AXIS_CALIBRATION)) if units else ()
    return Output(
        name,
        description,
        labels_file,
        _packed_lines(content, labels_file),
        read_units(units, parameters),
    )


def _packed_lines(content, name):
    """The lines of a file behind the model; () where a tool cut all of them off."""
    if name is None or _ZIPPED not in content:
        return ()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return tuple(lines_of(archive.read(name)))
