"""Names of the files in an artifact folder, and of inputs and outputs."""

import fnmatch
import os
from pathlib import Path

from export.contract.checksums import checksum
from leaf_files.command_line import a_few
from leaf_files.errors import UserError
from leaf_files.json_files import read_json

SAVED_MODEL = "saved_model"
SAVED_MODEL_PB = "saved_model.pb"  # the file that makes a folder a SavedModel
ASSETS = "assets"  # folder of the labels in a SavedModel
VERSION = "1"  # TF Serving takes the highest-numbered folder of `SAVED_MODEL`
TFLITE = "model.tflite"
STREAMING = "model_streaming.tflite"
FRONTEND = "frontend.tflite"
EMBEDDING = "embeddings.tflite"
ONNX = "model.onnx"
README = "README.md"  # the model card
LISTEN = "listen.py"
MICRO = "micro.tflite"
MICRO_INT8 = "micro_int8.tflite"
C_SOURCE, C_HEADER = ".c", ".h"  # a microcontroller's model as C, beside the file
REPORT_JSON = "report.json"
REPORT_MD = "report.md"
REPORT_PNG = "report.png"
# Answers of the artifacts to waveforms of `export.contract.probes`.
PROBES = "probes.json"

INPUT = "waveform"
LENGTHS = "lengths"
OUTPUT = "probabilities"
SIGNATURE = "serving_default"
PADDED_SIGNATURE = "serving_padded"
ABOUT = "about"
QUESTION = "question"
STATE = "state_"  # prefix of the names of a streaming model's states
FEATURES, EMBEDDINGS = "features", "embeddings"


# Kinds of quantization.
FLOAT16, DYNAMIC, INT8, INT4 = "float16", "dynamic", "int8", "int4"


def quantized_file(kind: str) -> str:
    """Name of the TFLite file of a kind of quantization, "model_int8.tflite".

    Example:

    >>> quantized_file(INT8)
    'model_int8.tflite'
    """
    return f"model_{kind}.tflite"


# Patterns of the names that an export writes.
_OURS = (
    SAVED_MODEL,
    TFLITE,
    quantized_file("*"),  # `STREAMING`, too
    FRONTEND,
    EMBEDDING,
    ONNX,
    *(
        Path(micro).with_suffix(ending).name
        for micro in (MICRO, MICRO_INT8)
        for ending in (".tflite", C_SOURCE, C_HEADER)
    ),
    "labels*.txt",  # `leaf_files.run_folder.labels_file` of any head
    REPORT_JSON,
    REPORT_MD,
    REPORT_PNG,
    PROBES,
    README,
    LISTEN,
)
# Those of them that people may write, or go on writing, by hand.
_EDITABLE = (README, LISTEN)


def as_reported(path: str | Path) -> Path:
    """A path without `..`; the target of a link where the report is beside that alone.

    Args:
        path: The artifact.

    Example:

    >>> as_reported("artifacts/../artifacts/model.tflite").name
    'model.tflite'
    """
    absolute = Path(os.path.abspath(path))
    if not (artifact_folder(absolute) / REPORT_JSON).is_file():
        target = absolute.resolve()
        if (artifact_folder(target) / REPORT_JSON).is_file():
            return target
    return absolute


def is_onnx(path: Path) -> bool:
    """Whether a file is an ONNX file: by its name, or by how it starts.

    Example:

    >>> is_onnx(Path("model.onnx")), is_onnx(Path("model.tflite"))
    (True, False)
    """
    if path.suffix.lower() in (".onnx", ".tflite"):
        return path.suffix.lower() == ".onnx"
    with open(path, "rb") as file:
        start = file.read(8)
    # The first field of an ONNX file is the version of its format.
    return start[:1] == b"\x08" and start[4:] != b"TFL3"


def artifact_folder(path: Path) -> Path:
    """The folder in which the report of an artifact is located, if it has one.

    Args:
        path: File, or folder of a `saved_model.pb`.

    Example:

    >>> artifact_folder(Path("phone/saved_model/1")).as_posix()
    'phone'
    """
    if path.is_file():
        return path.parent
    return path.parents[1] if path.parent.name == SAVED_MODEL else path


def refuse_foreign_files(folder: str | Path) -> None:
    """Guards files that no export wrote: the folder is replaced as a whole.

    Args:
        folder: The folder to replace; it may be missing.

    Raises:
        UserError: It holds anything but the files of an export, or a README.md or
            listen.py that somebody wrote or changed.

    Example:

    >>> _ = Path("mine").mkdir()
    >>> _ = Path("mine/thesis.tex").write_text("")
    >>> refuse_foreign_files("mine")
    Traceback (most recent call last):
    leaf_files.errors.UserError: will not replace the folder mine: it holds what no ...
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
        raise UserError(
            f"will not replace the folder {folder}: it holds what no export "
            f"wrote ({a_few(foreign)}); name a new or an empty folder"
        )
    for name in _EDITABLE:
        path = folder / name
        if path.exists() and not _is_as_written(path):
            raise UserError(
                f"will not replace the folder {folder}: the {name} in it is not as an "
                "export wrote it; move it elsewhere, or name a new folder"
            )


def _is_as_written(path):
    """Whether a file has the checksum that the report beside it has of it."""
    try:
        known = read_json(path.parent / REPORT_JSON)["files"][path.name]
        return checksum(path) == known
    except (OSError, ValueError, KeyError, TypeError):
        return False
