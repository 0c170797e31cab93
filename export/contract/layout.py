"""The names inside an artifact folder: the contract of writing and running."""

import fnmatch
import os
from pathlib import Path

from files.errors import UserError

SAVED_MODEL = "saved_model"
SAVED_MODEL_PB = "saved_model.pb"  # by which TensorFlow knows such a folder
ASSETS = "assets"  # of a SavedModel: its files of labels
VERSION = "1"  # TF Serving takes the highest-numbered folder of `SAVED_MODEL`
TFLITE = "model.tflite"
STREAMING = "model_streaming.tflite"
FRONTEND = "frontend.tflite"
EMBEDDING = "embeddings.tflite"
ONNX = "model.onnx"
REPORT_JSON = "report.json"
REPORT_MD = "report.md"
REPORT_PNG = "report.png"
# What the artifacts answered to waveforms of `export.contract.probes`.
PROBES = "probes.json"

INPUT = "waveform"
LENGTHS = "lengths"
OUTPUT = "probabilities"
SIGNATURE = "serving_default"
PADDED_SIGNATURE = "serving_padded"
ABOUT = "about"
QUESTION = "question"
STATE = "state_"  # what the names of a streaming model's states start with
FEATURES, EMBEDDINGS = "features", "embeddings"


# Kinds of quantization.
FLOAT16, DYNAMIC, INT8 = "float16", "dynamic", "int8"


def quantized_file(kind):
    """Name of the TFLite file of a kind of quantization, "model_int8.tflite"."""
    return f"model_{kind}.tflite"


def labels_file(head):
    """Name of the file with a head's labels, one a line; `head` "" of the only one."""
    return f"labels_{head}.txt" if head else "labels.txt"


_OURS = (
    SAVED_MODEL,
    TFLITE,
    quantized_file("*"),  # `STREAMING`, too
    FRONTEND,
    EMBEDDING,
    ONNX,
    "labels*.txt",  # `labels_file` of any head
    REPORT_JSON,
    REPORT_MD,
    REPORT_PNG,
    PROBES,
)


def as_reported(path):
    """A path without `..`, as it was given; of a link maybe what it leads to.

    Args:
        path: Of an artifact.

    Returns:
        Path: what the link leads to where a report lies beside that alone.
    """
    given = Path(os.path.abspath(path))
    if not (artifact_folder(given) / REPORT_JSON).is_file():
        meant = given.resolve()
        if (artifact_folder(meant) / REPORT_JSON).is_file():
            return meant
    return given


def is_onnx(path):
    """Whether a file is an ONNX file: by its name, or by how it starts."""
    if path.suffix.lower() in (".onnx", ".tflite"):
        return path.suffix.lower() == ".onnx"
    with open(path, "rb") as file:
        start = file.read(8)
    # The first field of an ONNX file is the version of its format.
    return start[:1] == b"\x08" and start[4:] != b"TFL3"


def artifact_folder(path):
    """Where the report of an artifact lies, if it has one.

    Args:
        path: File, or folder of a `saved_model.pb`.
    """
    if path.is_file():
        return path.parent
    return path.parents[1] if path.parent.name == SAVED_MODEL else path


def refuse_foreign_files(folder):
    """Guards what no export wrote: the folder is replaced as a whole.

    Raises:
        UserError: `folder` holds anything but the files of an export.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return
    foreign = sorted(
        entry.name
        for entry in folder.iterdir()
        if not any(fnmatch.fnmatch(entry.name, ours) for ours in _OURS)
    )
    if foreign:
        shown = ", ".join(foreign[:3]) + (", ..." if foreign[3:] else "")
        raise UserError(
            f"will not replace the folder {folder}: it holds what no export "
            f"wrote ({shown}); name a new or an empty folder"
        )
