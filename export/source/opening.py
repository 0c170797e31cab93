"""Opens the model to export: a run folder or a `.keras` file."""

import dataclasses
import os
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from export.contract.heads import Head
from export.contract.probes import probe_windows
from export.source.inputs import sample_rate_of, with_full_scale
from export.source.losses import read_losses
from export.source.naming import named_outputs, names_of_outputs, read_heads
from export.source.stages import as_input, as_numpy
from export.source.training import training_facts
from leaf_files.command_line import program
from leaf_files.errors import UserError, first_line
from leaf_files.json_files import read_json
from leaf_files.quiet import import_keras, native_logs_hidden
from leaf_files.run_folder import (
    RunPaths,
    notes,
    require_same_labels,
    require_same_rate,
)

DEFAULT_WINDOW_SECONDS = 1.0
_PROBE_SECONDS = 4
_MOST = 1e7  # Hz or seconds: more is a mistake


@dataclasses.dataclass(frozen=True)
class Source:
    """A trained model and the facts that its files must say about it.

    Attributes:
        name: Name of the run folder or the file, without its path.
        model: keras.Model, waveform (batch, samples) or (batch, samples, 1) ->
            {head's name: (batch, classes)}.
        heads: Its heads; a single one has the name "".
        sample_rate: Sample rate, Hz.
        window_samples: Length of the waveform that a fixed-length artifact takes.
        calibration_folder: Folder of clips such as it was trained on, or None.
        notes: Lines on assumptions, and on steps that were left out.
        training: What its run says of its training, see
            `export.source.training.training_facts`; {} of a file.

    Example:

    >>> source = open_source("run")
    >>> source.name, source.sample_rate, source.window_samples, source.heads[0].name
    ('run', 8000, 4000, '')
    """

    name: str
    model: Any
    heads: tuple[Head, ...]
    sample_rate: int
    window_samples: int
    calibration_folder: str | None = None
    notes: tuple[str, ...] = ()
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def open_source(
    path: str,
    window_seconds: float | None = None,
    labels_files: Sequence[str] = (),
    clips_folder: str | None = None,
    calibration_folder: str | None = None,
    activations: Sequence[str] = (),
) -> Source:
    """Loads a model; options that are not given come from the run, then the model.

    Args:
        path: A run folder (`model.keras`, `config.json`, `tasks.json`, labels,
            `evaluation_clips/`, `calibration_clips/`) or a `.keras` file.
        window_seconds: Length of the waveform of fixed-length artifacts.
        labels_files, clips_folder, activations: Arguments of
            `export.source.naming.read_heads`.
        calibration_folder: Folder of clips such as the model was trained on.

    Raises:
        UserError: There is nothing that loads, the model is not one from a waveform to
            classes, or the kind of its outputs is unclear.

    Example:

    >>> open_source("run").heads[0].labels
    ('north', 'south', 'east', 'west')
    >>> open_source("no run")
    Traceback (most recent call last):
    leaf_files.errors.UserError: there is no no run; name a run folder or a .keras file
    """
    run: dict[str, Any] = {"model": path}
    if os.path.isdir(path):
        run = _read_run(path, labels_are_given=bool(labels_files))
    model, losses = _load_model(run["model"])
    sample_rate = sample_rate_of(model, path)
    require_same_rate(path, run.get("sample_rate", sample_rate), sample_rate)
    window_samples = _window_samples(
        model,
        sample_rate,
        window_seconds,
        run.get("window_seconds", DEFAULT_WINDOW_SECONDS),
    )
    model, answers, note = _tried(model, sample_rate, window_samples, path)
    heads, assumed = read_heads(
        model.output,
        run.get("folder"),
        labels_files,
        clips_folder,
        activations,
        losses,
        answers,
        path,
    )
    return Source(
        name=os.path.basename(os.path.abspath(path)),
        model=model,
        heads=heads,
        sample_rate=sample_rate,
        window_samples=window_samples,
        calibration_folder=calibration_folder or run.get("calibration"),
        notes=(*run.get("notes", ()), *([note] if note else []), *assumed),
        training=run.get("training", {}),
    )


def _read_run(folder, labels_are_given=False):
    paths = RunPaths(folder)
    model = str(paths.model)
    if not os.path.isfile(model):
        raise UserError(
            f"{folder} is not a run folder: it holds no {paths.model.name}; name the "
            f"--output of {program('training')} fit, or a .keras file"
        )
    if not labels_are_given:
        require_same_labels(folder)
    run = {"folder": folder, "model": model, "notes": notes(folder)}
    run["training"] = training_facts(folder)
    if os.path.isfile(paths.config):
        try:
            run.update(_numbers(read_json(paths.config)))
        except ValueError as error:
            raise UserError(
                f"{paths.config} holds no settings of a run: {error}"
            ) from error
    if os.path.isdir(paths.calibration_clips):
        run["calibration"] = str(paths.calibration_clips)
    return run


def _numbers(config):
    """The settings of a run that an export needs, if they are there.

    Raises:
        ValueError: They are no numbers above 0.
    """
    if not isinstance(config, dict):
        raise ValueError("it holds no {setting: value}")
    numbers = {k: config[k] for k in ("sample_rate", "window_seconds") if k in config}
    for name, value in numbers.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and 0 < value <= _MOST):
            raise ValueError(f"{name} must be a number above 0, received {value!r:.50}")
    return numbers


def _load_model(path):
    if not os.path.exists(path):
        raise UserError(f"there is no {path}; name a run folder or a .keras file")
    if not str(path).endswith(".keras"):
        raise UserError(f"{path} is neither a run folder nor a .keras file")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is damaged, or no .keras file: those are zip archives")
    keras = import_keras()
    with native_logs_hidden():
        import leaf_tf  # noqa: F401  registers its layers with Keras

        try:
            # Safe mode: nothing that comes with the file is run.
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        # Keras raises many kinds of errors.
        except Exception as error:
            raise UserError(_refusal(path, error)) from error
    return _by_head(keras, model, path)


def _tried(model, sample_rate, window_samples, path):
    """The model for a waveform in [-1, 1], its answers to probe clips, and a note.

    Raises:
        UserError: It fails on them.
    """
    if model.input_shape[1] is None:  # a part of a long window tells as much
        window_samples = min(window_samples, _PROBE_SECONDS * sample_rate)
    windows = probe_windows(sample_rate, window_samples)
    try:
        model, note = with_full_scale(model, sample_rate, window_samples, path)
        outputs = model(as_input(model, windows), training=False)
    except UserError:
        raise
    # TensorFlow and Keras raise many kinds of errors, depending on the layer.
    except Exception as error:
        raise UserError(
            f"{path} fails on a waveform of {window_samples} samples: "
            f"{first_line(error):.300}"
        ) from error
    answers = {name: as_numpy(output) for name, output in outputs.items()}
    return model, answers, note


def _refusal(path, error):
    text = str(error).strip() or type(error).__name__
    if "safe_mode" in text:
        return (
            f"{path} brings code along, in a Lambda layer or a model of another kind, "
            "which would run when it is loaded: it is refused; build the model from "
            "layers of Keras and leaf_tf alone"
        )
    # The innermost of Keras's nested errors tells the cause.
    reason = first_line(text.rpartition("Exception encountered: ")[2])
    return f"{path} does not load as a Keras model: {reason.partition('. ')[0]}"


def _by_head(keras, model, path):
    """The model as functional, from its one input to {head: output}; its losses."""
    try:
        inputs, outputs = model.inputs, model.outputs
    except AttributeError:
        inputs, outputs = None, None
    if not inputs or not outputs:
        raise UserError(
            f"{path} must hold a built functional or Sequential model; received "
            f"{type(model).__name__} without symbolic inputs"
        )
    shapes = f"{[t.shape for t in inputs]} -> {[t.shape for t in outputs]}"
    waveform = len(inputs) == 1 and (
        len(inputs[0].shape) == 2
        or (len(inputs[0].shape) == 3 and inputs[0].shape[-1] == 1)
    )
    classes = all(len(t.shape) == 2 and t.shape[-1] for t in outputs)
    if not waveform or not classes:
        raise UserError(
            f"{path} must hold a model (batch, samples) -> (batch, classes), or to "
            f"several of these; received {shapes}"
        )
    named = named_outputs(model, path)
    losses = read_losses(path, names_of_outputs(model))
    return keras.Model(inputs[0], named), dict(zip(named, losses))


def _window_samples(model, sample_rate, option_seconds, default_seconds):
    fixed = model.input_shape[1]
    seconds = default_seconds if option_seconds is None else option_seconds
    samples = round(seconds * sample_rate)
    if samples < 1:
        raise UserError(
            f"the window must be at least one sample, 1 / {sample_rate} s; "
            f"received {seconds} s"
        )
    if fixed is None:
        return samples
    if option_seconds is not None and samples != fixed:
        raise UserError(
            f"the model takes {fixed / sample_rate:g} s ({fixed} samples) and nothing "
            f"else; received --window {option_seconds:g}, leave it out"
        )
    return fixed
