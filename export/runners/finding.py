"""Finds the artifact that a path means."""

import os
from pathlib import Path

from export.contract.layout import (
    DYNAMIC,
    EMBEDDING,
    FLOAT16,
    FRONTEND,
    INT4,
    INT8,
    MICRO,
    MICRO_INT8,
    ONNX,
    SAVED_MODEL,
    SAVED_MODEL_PB,
    STREAMING,
    TFLITE,
    is_onnx,
    quantized_file,
)
from export.tflite_format.stream_facts import read_facts
from leaf_files.command_line import a_few, program, runner
from leaf_files.errors import UserError
from leaf_files.run_folder import RunPaths

_PARTS = (FRONTEND, EMBEDDING)
_FILES = (".tflite", ".onnx")
_KERAS_FILES = (".keras", ".h5", ".hdf5")


def find_artifact(path: str | Path) -> Path:
    """The classifier that a path means.

    Args:
        path: A file, a folder of a `saved_model.pb`, or a folder that holds
            artifacts: `model.tflite` is preferred, then `model_float16.tflite`, the
            SavedModel of the highest version, `model.onnx`, `model_dynamic.tflite`,
            `model_int8.tflite`, `model_int4.tflite`, those for microcontrollers,
            and the only file or SavedModel of another name.

    Returns:
        Path of a `.tflite` or `.onnx` file, or of the folder of a `saved_model.pb`.

    Raises:
        UserError: There is none, or several of other names.

    Example:

    >>> find_artifact("artifacts").name
    'model.tflite'
    """
    path = Path(os.path.abspath(path))
    if path.is_file():
        _refuse_training_file(path)
        return path.parent if path.name == SAVED_MODEL_PB else path
    preferred = (
        [path / TFLITE, path / quantized_file(FLOAT16)],
        [path, *_versions(path), *_versions(path / SAVED_MODEL), path / SAVED_MODEL],
        [path / ONNX, *(path / quantized_file(kind) for kind in (DYNAMIC, INT8, INT4))],
        [path / MICRO, path / MICRO_INT8],
    )
    for candidate in (candidate for group in preferred for candidate in group):
        if candidate.is_file() or (candidate / SAVED_MODEL_PB).is_file():
            return candidate
    return _only(path, _others(path))


def _versions(folder):
    """The numbered folders in a folder, the highest first."""
    if not folder.is_dir():
        return []
    numbered = [entry for entry in folder.iterdir() if entry.name.isdecimal()]
    return sorted(numbered, key=lambda entry: int(entry.name), reverse=True)


def _others(folder):
    """The artifacts of other names in a folder, a SavedModel's folder among them."""
    if not folder.is_dir():
        return []
    known = (STREAMING, MICRO, MICRO_INT8, *_PARTS)
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.name not in known
        and not entry.name.startswith(".")
        and (_is_artifact_file(entry) or (entry / SAVED_MODEL_PB).is_file())
    )


def _is_artifact_file(path):
    return path.suffix.lower() in _FILES and path.is_file()


def _only(folder, others):
    if len(others) == 1:
        return others[0]
    if others:
        raise _several(folder, others)
    if (folder / STREAMING).is_file():
        raise UserError(
            f"{folder} holds no artifact for clips but {STREAMING}, which takes chunk "
            f"after chunk; run it with {runner('listen')}"
        )
    for name in _PARTS:
        if (folder / name).is_file():
            raise UserError(
                f"{folder} holds no classifier but {name}, a part of one; name the "
                f"--output of {program('export')}"
            )
    _refuse_training_file(RunPaths(folder).model)
    raise UserError(
        f"there is no artifact at {folder}; name a .tflite or .onnx file, a SavedModel "
        f"folder, or the --output of {program('export')}"
    )


def _refuse_training_file(path):
    if path.suffix.lower() in _KERAS_FILES and path.is_file():
        raise UserError(
            f"there is no artifact at {path}, which is a model of Keras; "
            f"{program('export')} writes artifacts of it"
        )


def find_stream(path: str | Path) -> Path:
    """The streaming file that a path means.

    Args:
        path: A file, or a folder that holds `model_streaming.tflite`, a stream for
            microcontrollers, or one streaming file of another name.

    Raises:
        UserError: There is none, or several of other names, or it is no `.tflite`.

    Example:

    >>> find_stream("artifacts").name
    'model_streaming.tflite'
    """
    path = Path(os.path.abspath(path))
    if path.is_dir():
        return _stream_inside(path)
    if not path.is_file():
        raise UserError(
            f"there is no {path}; name a {STREAMING} or the folder that holds it"
        )
    _refuse_training_file(path)
    if is_onnx(path):
        raise UserError(
            f"{path} is an ONNX file, which takes whole windows; "
            f"{runner('predict')} runs it, and listen a {STREAMING}"
        )
    return path


def _stream_inside(folder):
    for name in (STREAMING, MICRO, MICRO_INT8):
        if (folder / name).is_file():
            return folder / name
    streams = [entry for entry in _others(folder) if _is_stream(entry)]
    if len(streams) == 1:
        return streams[0]
    if streams:
        raise _several(folder, streams)
    raise UserError(
        f"{folder} holds no {STREAMING}; {program('export')} RUN --output DIR "
        "--streaming writes one"
    )


def _is_stream(path):
    try:
        return not is_onnx(path) and read_facts(path.read_bytes()) is not None
    except Exception:  # a damaged file may raise anything
        return False


def _several(folder, artifacts):
    names = a_few([entry.name for entry in artifacts], 5)
    return UserError(f"{folder} holds several models, {names}; name one of them")
