"""Named bytes in a `.tflite` file's own list of metadata."""

from typing import Any

import numpy as np


def add_entry(model: Any, name: bytes, content: bytes) -> None:
    """Puts bytes into a model, in place of those of the same name.

    Args:
        model: `ModelT` of the TFLite schema; is changed.
        name: Name of the entry.
        content: Its bytes.

    Example:

    >>> from export.tflite_format.model import read_model, write_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> add_entry(model, b"NOTE", b"of mine")
    >>> read_entry(write_model(model), b"NOTE")
    b'of mine'
    """
    from ai_edge_litert import schema_py_generated as schema

    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [m for m in model.metadata or [] if m.name != name] + [entry]


def read_entry(content: bytes, name: bytes) -> bytes | None:
    """The bytes of a name in a `.tflite` file; None if it has none of that name.

    Args:
        content: The file.
        name: Name of the entry.

    Example:

    >>> read_entry(Path("artifacts/model.tflite").read_bytes(), b"NOTE") is None
    True
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    entry = next((e for e in entries if e.Name() == name), None)
    if entry is None:
        return None
    return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
