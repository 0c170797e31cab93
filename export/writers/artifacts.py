"""Each artifact: write it, open it as its users do, say what is inside."""

import dataclasses
import functools

from export.contract.layout import (
    EMBEDDING,
    EMBEDDINGS,
    FEATURES,
    FRONTEND,
    ONNX,
    SAVED_MODEL,
    STREAMING,
    TFLITE,
    VERSION,
    quantized_file,
)
from export.runners.litert import LiteRTModel, LiteRTRunner
from export.runners.onnx import OnnxRunner
from export.runners.saved_model import SavedModelRunner
from export.runners.stream import StreamRunner
from export.source.calibration import read_calibration_windows
from export.tflite_format.graph import read_graph
from export.writers.onnx import onnx_ops, require_onnx, write_onnx
from export.writers.options import DYNAMIC, FLOAT16, INT8, NONE, QUANTIZATIONS
from export.writers.saved_model import folder_bytes, saved_model_ops, write_saved_model
from export.writers.stream import StreamModel
from export.writers.tflite import TFLiteFiles
from files.errors import UserError

_NO_PART = {
    FEATURES: "the model has no leaf_tf frontend, or several, as a layer of its own",
    EMBEDDINGS: "the model has no embeddings: its last layers must all take the same "
    "vector, (batch, dims), behind the frontend",
}


@dataclasses.dataclass(frozen=True)
class Artifact:
    """One written artifact.

    Attributes:
        path: In the artifact folder, with "/".
        run: (n, window_samples) -> {name of a head or part: (n, ...)}; on one CPU
            thread where it can choose. Of a stream: the windows are the sound, one
            after the other, and there is an answer for each chunk.
        description: dict for the report: its bytes, operators and more.
        run_on_two: As `run` on two threads; None where it can't choose.
    """

    path: str
    run: object
    description: dict
    run_on_two: object = None


@dataclasses.dataclass(frozen=True)
class Maker:
    """How to make an artifact, and how to judge it.

    Attributes:
        make: From the artifact folder to an `Artifact`.
        part: "features" or "embeddings", where it gives that; None for a classifier.
        is_stream: Whether it takes chunks of a stream.
        is_exact: Whether it must answer as Keras does; else its score is judged.
        is_wanted: Whether the user asked for it: then what stands in its way is an
            error, else a line in the report.
    """

    make: object
    part: str | None = None
    is_stream: bool = False
    is_exact: bool = True
    is_wanted: bool = True


def makers(source, options):
    """{name: `Maker`} of the artifacts to make, in the order of the report.

    Args:
        source: `export.source.opening.Source`.
        options: `export.writers.options.Options`.

    Raises:
        UserError: A wanted one can't be made of this model.
    """
    wanted = {}
    if "saved_model" in options.formats:
        wanted["saved_model"] = Maker(functools.partial(_make_saved_model, source))
    if "tflite" in options.formats:
        wanted.update(_tflite_makers(source, options))
    if "onnx" in options.formats:
        require_onnx()
        wanted["onnx"] = Maker(functools.partial(_make_onnx, source))
    if options.streaming:
        model = StreamModel(source, options.chunk_ms)
        make = functools.partial(_make_streaming, model)
        wanted["streaming"] = Maker(make, is_stream=True)
    return wanted


def _tflite_makers(source, options):
    files = TFLiteFiles(source)
    calibration = functools.cache(functools.partial(_calibration_windows, source))
    contents = {
        NONE: files.float32,
        FLOAT16: files.float16,
        DYNAMIC: files.dynamic,
        INT8: lambda: files.int8(calibration()),
    }
    if INT8 in (options.quantize or ()):
        calibration()  # fails now, not after long work
    found = {}
    for kind in options.quantize or QUANTIZATIONS:
        is_float32 = kind == NONE
        found["tflite" if is_float32 else f"tflite_{kind}"] = Maker(
            functools.partial(_make_tflite, kind, contents[kind]),
            is_exact=is_float32,
            is_wanted=is_float32 or options.quantize is not None,
        )
    found["frontend"] = Maker(
        functools.partial(_make_part, FRONTEND, FEATURES, files),
        part=FEATURES,
        is_wanted=False,
    )
    if options.embeddings:
        make = functools.partial(_make_part, EMBEDDING, EMBEDDINGS, files)
        found["embeddings"] = Maker(make, part=EMBEDDINGS)
    return found


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


def _make_saved_model(source, folder):
    """Writes and opens `saved_model/1/`; the labels are in `folder` already."""
    place = folder / SAVED_MODEL / VERSION
    write_saved_model(source, place, folder)
    runner = SavedModelRunner(place)
    return Artifact(
        path=f"{SAVED_MODEL}/{VERSION}",
        run=runner.probabilities,
        description={
            "bytes": folder_bytes(place),
            "ops": saved_model_ops(runner.signature),
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
    if kind == INT8:
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
