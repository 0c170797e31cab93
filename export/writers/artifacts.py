"""Each artifact: written, opened as its users do, its contents described."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

from export.contract.layout import (
    DYNAMIC,
    EMBEDDING,
    EMBEDDINGS,
    FEATURES,
    FLOAT16,
    FRONTEND,
    INT4,
    INT8,
    ONNX,
    SAVED_MODEL,
    STREAMING,
    TFLITE,
    VERSION,
    quantized_file,
)
from export.contract.probes import Run
from export.runners.litert import LiteRTModel, LiteRTRunner
from export.runners.micro import MicroRunner
from export.runners.onnx import OnnxRunner
from export.runners.saved_model import SavedModelRunner
from export.runners.stream import StreamRunner
from export.source.calibration import read_calibration_windows
from export.source.opening import Source
from export.source.stages import maker
from export.tflite_format.graph import read_graph
from export.writers.micro.files import MicroFiles, require_micro
from export.writers.onnx import onnx_ops, require_onnx, write_onnx
from export.writers.options import DEFAULT_QUANTIZATIONS, NONE, Options
from export.writers.saved_model import folder_bytes, saved_model_ops, write_saved_model
from export.writers.stream import StreamModel
from export.writers.tflite import TFLiteFiles
from leaf_files.errors import UserError

_NO_PART = {
    FEATURES: "the model has no leaf_tf frontend, or several, as a layer of its own",
    EMBEDDINGS: "the model has no embeddings: its last layers must all take the same "
    "vector, (batch, dims), behind the frontend",
}


@dataclasses.dataclass(frozen=True)
class Artifact:
    """One written artifact.

    Attributes:
        path: Path in the artifact folder, with "/".
        run: (n, window_samples) -> {name of a head or part: (n, ...)}; on one CPU
            thread where the runtime lets choose. A stream takes the windows as one
            sound, and gives an answer for each chunk.
        description: Bytes, operators and more, for the report.
        run_on_two: `run` on two threads; None where the runtime doesn't let choose.

    Example:

    >>> Artifact("model.tflite", run=lambda windows: {}, description={"bytes": 9}).path
    'model.tflite'
    """

    path: str
    run: Run
    description: dict
    run_on_two: Run | None = None


@dataclasses.dataclass(frozen=True)
class Maker:
    """A way to make an artifact, and the rules to judge it by.

    Attributes:
        make: Function from the artifact folder to an `Artifact`.
        part: "features" or "embeddings", where it gives that; None for a classifier.
        is_stream: Whether it takes chunks of a stream.
        is_micro: Whether it is a stream for microcontrollers, of rounded numbers.
        is_exact: Whether it must answer as Keras does; else its score is judged.
        is_wanted: Whether the user asked for it: then a failure is an error, else a
            line in the report.

    Example:

    >>> Maker(make=lambda folder: None).is_exact
    True
    """

    make: Callable[[Path], Artifact]
    part: str | None = None
    is_stream: bool = False
    is_micro: bool = False
    is_exact: bool = True
    is_wanted: bool = True


def makers(source: Source, options: Options) -> dict[str, Maker]:
    """{name: `Maker`} of the artifacts to make, in the order of the report.

    Args:
        source: The model.
        options: The files to make.

    Raises:
        UserError: A wanted one can't be made of this model.

    Example:

    >>> list(makers(source, Options(quantize=("none",))))
    ['saved_model', 'tflite', 'frontend']
    """
    by_name: dict[str, Maker] = {}
    if "saved_model" in options.formats:
        by_name["saved_model"] = Maker(
            functools.partial(_make_saved_model, source, options.trainable)
        )
    if "tflite" in options.formats:
        by_name.update(_tflite_makers(source, options))
    if "onnx" in options.formats:
        require_onnx()
        by_name["onnx"] = Maker(functools.partial(_make_onnx, source))
    if "micro" in options.formats:
        by_name.update(_micro_makers(source, options))
    if options.streaming:
        model = StreamModel(source, options.chunk_ms)
        make = functools.partial(_make_streaming, model)
        by_name["streaming"] = Maker(make, is_stream=True)
    return by_name


def _tflite_makers(source, options):
    files = TFLiteFiles(source)
    calibration = functools.cache(functools.partial(_calibration_windows, source))
    contents = {
        NONE: files.float32,
        FLOAT16: files.float16,
        DYNAMIC: files.dynamic,
        INT8: lambda: files.int8(calibration()),
        INT4: lambda: files.int4(calibration()),
    }
    if not {INT8, INT4}.isdisjoint(options.quantize or ()):
        calibration()  # fails now, not after long work
    by_name = {}
    for kind in options.quantize or DEFAULT_QUANTIZATIONS:
        is_float32 = kind == NONE
        by_name["tflite" if is_float32 else f"tflite_{kind}"] = Maker(
            functools.partial(_make_tflite, kind, contents[kind]),
            is_exact=is_float32,
            is_wanted=is_float32 or options.quantize is not None,
        )
    by_name["frontend"] = Maker(
        functools.partial(_make_frontend, files),
        part=FEATURES,
        is_wanted=False,
    )
    if options.embeddings:
        make = functools.partial(_make_part, EMBEDDING, EMBEDDINGS, files)
        by_name["embeddings"] = Maker(make, part=EMBEDDINGS)
    return by_name


def _micro_makers(source, options):
    require_micro()
    calibration = functools.cache(functools.partial(_calibration_windows, source))
    files = MicroFiles(source, calibration, options.chunk_ms)
    calibration()  # fails now, not after long work
    return {
        "micro": Maker(
            functools.partial(_make_micro, files.write), is_micro=True, is_exact=False
        ),
        "micro_int8": Maker(
            functools.partial(_make_micro, files.write_integers),
            is_micro=True,
            is_exact=False,
            is_wanted=False,
        ),
    }


def _calibration_windows(source):
    if source.calibration_folder is None:
        raise UserError(
            "int8 learns the ranges of activations from clips such as the model was "
            "trained on, and a run keeps some; here there are none: name a folder of "
            "them with --calibration"
        )
    return read_calibration_windows(
        source.calibration_folder, source.sample_rate, source.window_samples
    )


def _make_saved_model(source, trainable, folder):
    """Writes and opens `saved_model/1/`; the labels are in `folder` already."""
    place = folder / SAVED_MODEL / VERSION
    write_saved_model(source, place, folder, trainable)
    runner = SavedModelRunner(place)
    return Artifact(
        path=f"{SAVED_MODEL}/{VERSION}",
        run=runner.probabilities,
        description={
            "bytes": folder_bytes(place),
            "ops": saved_model_ops(runner.signature),
            "signatures": runner.signatures,
        },
    )


def _make_onnx(source, folder):
    """Writes and opens `model.onnx`."""
    place = folder / ONNX
    write_onnx(source, place)
    return Artifact(
        path=ONNX,
        run=OnnxRunner(place).probabilities,
        description={"bytes": place.stat().st_size, "ops": onnx_ops(place)},
        run_on_two=OnnxRunner(place, n_threads=2).probabilities,
    )


def _make_tflite(kind, content, folder):
    """Writes and opens a classifier; `content` makes its bytes."""
    place = folder / (TFLITE if kind == NONE else quantized_file(kind))
    place.write_bytes(content())
    runner = LiteRTRunner(place)
    description = _describe(place, runner)
    if kind in (INT8, INT4):
        description["float_encoder_ops"] = read_graph(place).float_encoder_ops
    return Artifact(
        path=place.name,
        run=runner.probabilities,
        description=description,
        run_on_two=LiteRTRunner(place, n_threads=2).probabilities,
    )


def _make_part(name, part, files, folder):
    """Writes and opens the model as far as its features or embeddings."""
    if part not in files.inner:
        raise UserError(_NO_PART[part])
    place = folder / name
    place.write_bytes(files.part(part))
    model = LiteRTModel(place)
    return Artifact(
        path=name,
        run=model.run,
        description=_describe(place, model),
        run_on_two=LiteRTModel(place, n_threads=2).run,
    )


def _make_frontend(files, folder):
    """Writes and opens `frontend.tflite`; the report says where its channels lie."""
    artifact = _make_part(FRONTEND, FEATURES, files, folder)
    frontend, _ = maker(files.inner[FEATURES])
    centers = frontend.channel_freqs_hz()
    if centers is None:
        return artifact
    rounded = [round(float(hz), 1) for hz in centers]
    description = {**artifact.description, "center_freqs_hz": rounded}
    return dataclasses.replace(artifact, description=description)


def _make_streaming(model, folder):
    """Writes and opens `model_streaming.tflite`."""
    place = folder / STREAMING
    place.write_bytes(model.tflite())
    runner = StreamRunner(place)
    return Artifact(
        path=place.name,
        run=runner.run,
        description={
            **_describe(place, runner),
            "stream": dataclasses.asdict(runner.facts),
            "states": runner.n_states,
            "state_numbers": runner.state_size,
        },
        run_on_two=StreamRunner(place, n_threads=2).run,
    )


def _make_micro(write, folder):
    """Writes a microcontroller's model and its C, and opens it."""
    place, arena_bytes = write(folder)
    runner = MicroRunner(place)
    return Artifact(
        path=place.name,
        run=runner.probabilities,
        description={
            "bytes": place.stat().st_size,
            "ops": read_graph(place).ops,
            "arena_bytes": arena_bytes,
            "stream": dataclasses.asdict(runner.facts),
            "states": runner.n_states,
            "state_numbers": runner.state_size,
        },
    )


def _describe(place, model):
    graph = read_graph(place)
    delegation = model.delegation()
    return {
        "bytes": place.stat().st_size,
        "ops": graph.ops,
        "unfolded_ops": graph.unfolded_ops,
        "subgraphs": graph.n_subgraphs,
        "xnnpack": delegation and dataclasses.asdict(delegation),
    }
