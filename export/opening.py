"""Opens an artifact to run it, with what lies beside it."""

import dataclasses
from pathlib import Path

from export.averaging import SIGMOID, SOFTMAX
from export.heads import Head, heads_of_outputs, output_name
from export.intact import parsing, require_intact
from export.layout import REPORT_JSON, SAVED_MODEL, TFLITE, artifact_folder
from files.errors import UserError
from files.json_files import read_json
from files.labels import read_labels

_PB = "saved_model.pb"
_MOST = 2**30  # Hz or samples: more is a mistake


@dataclasses.dataclass(frozen=True)
class OpenArtifact:
    """A model that is ready to run.

    Attributes:
        path: The `.tflite` or `.onnx` file or the SavedModel's folder.
        runner: `LiteRTRunner`, `OnnxRunner` or `SavedModelRunner`.
        sample_rate: In Hz.
        window_samples: Length of a window.
        heads: tuple of `export.heads.Head`; labels are class_0, ... where nothing
            tells them.
    """

    path: Path
    runner: object
    sample_rate: int
    window_samples: int
    heads: tuple


def open_artifact(path, sample_rate=None):
    """Opens an artifact; rate, window and labels come from itself, else its report.

    Args:
        path: `.tflite` or `.onnx` file, SavedModel folder or its parent, or
            artifact folder, whose `model.tflite` is preferred.
        sample_rate: In Hz, where nothing tells it.

    Returns:
        `OpenArtifact`.

    Raises:
        UserError: No artifact lies there, it is damaged or doesn't load, its sample
            rate is not known, or the labels beside it are another model's.
    """
    path = _resolve(Path(path))
    require_intact(path)
    place = artifact_folder(path)
    runner = _runner(path)
    told = _own_words(path, runner.n_classes) or _report(place / REPORT_JSON)
    sample_rate = _sample_rate(path, sample_rate, told)
    # One second, as `python -m export` has it, where nothing tells the window.
    window = told.get("window_samples", sample_rate)
    return OpenArtifact(
        path=path,
        runner=runner,
        sample_rate=sample_rate,
        window_samples=runner.window_samples or window,
        heads=_heads(path, place, told, runner.n_classes),
    )


def open_run(path):
    """Opens an artifact of any kind, a classifier or a part of one.

    Args:
        path: `.tflite` or `.onnx` file, or folder of a `saved_model.pb`.

    Returns:
        Function, (n, window_samples) -> {name of a head or part: (n, ...)}; of a
        streaming model as `StreamRunner.run`.

    Raises:
        UserError: It doesn't load.
    """
    if path.is_file() and path.suffix != ".onnx":
        from export.litert_runner import LiteRTFile, LiteRTModel
        from export.stream_runner import StreamRunner

        if LiteRTFile(path).is_stream:
            return StreamRunner(path).run
        model = LiteRTModel(path)
        if not heads_of_outputs(model.outputs):
            return model.run
    return _runner(path).probabilities


def _resolve(path):
    """The `.tflite` file or the folder of `saved_model.pb` that is meant."""
    path = path.resolve()
    if path.is_file():
        return path
    versions = [
        version
        for parent in (path, path / SAVED_MODEL)
        for version in sorted(_numbered(parent), key=lambda p: int(p.name))
    ]
    candidates = [path / TFLITE, path, *reversed(versions)]
    for candidate in candidates:
        if candidate.is_file() or (candidate / _PB).is_file():
            return candidate
    raise UserError(
        f"there is no artifact at {path}; name a .tflite or .onnx file, a SavedModel "
        "folder, or the --output of python -m export"
    )


def _numbered(folder):
    if not folder.is_dir():
        return []
    return [entry for entry in folder.iterdir() if entry.name.isdecimal()]


def _runner(path):
    # Imported here: a .tflite file is run where TensorFlow is not installed.
    if path.suffix == ".onnx":
        from export.onnx_runner import OnnxRunner

        return OnnxRunner(path)
    if path.is_file():
        from export.litert_runner import LiteRTRunner

        return LiteRTRunner(path)
    from export.saved_model_runner import SavedModelRunner

    return SavedModelRunner(path)


def _own_words(path, n_classes):
    """What a `.tflite` file of ours says about itself; {} of any other artifact."""
    if path.suffix != ".tflite":
        return {}
    from export.flatbuffer import read_activations
    from export.metadata import read_metadata

    content = path.read_bytes()
    with parsing(path):
        metadata = read_metadata(content)
        outputs = {o.name: o for o in metadata.outputs} if metadata else {}
        if set(outputs) != {output_name(head) for head in n_classes}:
            return {}
        activations = read_activations(content)
    return {
        "sample_rate": metadata.sample_rate,
        "heads": tuple(
            Head(
                name=head,
                labels=outputs[output_name(head)].labels,
                activation=activations[output_name(head)],
            )
            for head in n_classes
        ),
    }


def _report(path):
    if not path.is_file():
        return {}
    try:
        report = read_json(path)
        return {
            "sample_rate": _size(report["sample_rate"]),
            "window_samples": _size(report["window_samples"]),
            "heads": tuple(
                Head(
                    name=str(head["name"]),
                    labels=tuple(map(str, head["labels"])),
                    activation=_activation(head["activation"]),
                )
                for head in report["heads"]
            ),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not a report of python -m export "
            f"({type(error).__name__}: {error}); move it away and pass "
            "--sample-rate"
        ) from error


def _size(value):
    if not isinstance(value, int) or not 0 < value <= _MOST:
        raise ValueError(f"{value!r:.50} is no rate or length")
    return value


def _activation(value):
    if value not in (SOFTMAX, SIGMOID):
        raise ValueError(f"activation {value!r:.50}")
    return value


def _sample_rate(path, given, told):
    told = told.get("sample_rate")
    if told is None and given is None:
        raise UserError(
            f"{path} doesn't say what rate of waveforms it takes, and no "
            f"{REPORT_JSON} lies beside it; pass --sample-rate HZ"
        )
    if told is not None and given not in (None, told):
        raise UserError(
            f"{path} takes {told} Hz; received --sample-rate {given}, leave it out"
        )
    return told or given


def _heads(path, place, told, n_classes):
    heads = told.get("heads") or tuple(
        Head(name, _labels(path, place, name, n), SOFTMAX)
        for name, n in n_classes.items()
    )
    known = {head.name: len(head.labels) for head in heads}
    if known != n_classes:
        raise UserError(
            f"{path} tells {_counts(n_classes)} apart, but the labels beside it "
            f"are {_counts(known)}, another model's; put it beside its own report"
        )
    return heads


def _labels(path, place, name, n_classes):
    file_name = Head(name, (), SOFTMAX).labels_file
    for file in (path / "assets" / file_name, place / file_name):
        if file.is_file():
            return read_labels(file)
    return tuple(f"class_{index}" for index in range(n_classes))


def _counts(n_classes):
    return ", ".join(
        f"{n} classes{' of ' * bool(name)}{name}" for name, n in n_classes.items()
    )
