"""The heads of a model: their names, labels and clips, from its run or its user."""

import os
import re
from pathlib import Path

from export.contract.heads import Head
from export.contract.layout import labels_file
from export.source.activation import meaning_of
from export.source.deciding import Seen, decide
from files.errors import UserError
from files.json_files import read_json
from files.labels import read_labels

_NAME = re.compile(r"\w+", re.ASCII)


def named_outputs(model, where):
    """A model's outputs by head.

    Args:
        model: keras.Model, functional or Sequential.
        where: Its path, for messages.

    Returns:
        {name: KerasTensor}. The name is "" for a single output, else the key of
        the dict, or the name of the layer that it comes from.

    Raises:
        UserError: A name that is no identifier, or given twice.
    """
    if len(model.outputs) == 1:
        return {"": model.outputs[0]}
    names = [own[0] for own in names_of_outputs(model)]
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong or len(set(names)) < len(names):
        raise UserError(
            f"the outputs of {where} must have names of letters, digits and _, each "
            f"another one; received {', '.join(names)}"
        )
    for name in names:
        if f"{name}_top" in names:
            raise UserError(
                f"{where} has the outputs {name} and {name}_top, and {name} has an "
                f"answer {name}_top_probabilities itself; name one of the two otherwise"
            )
    return dict(zip(names, model.outputs))


def names_of_outputs(model):
    """For each output of a model, its key in the dict, if it has one, and its layer."""
    output = getattr(model, "output", None)  # a Sequential may have none
    output = output if isinstance(output, dict) else {}
    keys = {id(tensor): str(key) for key, tensor in output.items()}
    layers = [tensor._keras_history.operation.name for tensor in model.outputs]
    return [
        [*([keys[id(tensor)]] if id(tensor) in keys else []), layer]
        for tensor, layer in zip(model.outputs, layers)
    ]


def read_heads(
    outputs,
    run_folder=None,
    labels_files=(),
    clips_folder=None,
    activations=(),
    losses=None,
    answers=None,
    where=None,
):
    """What each output means; what is not given comes from the run, if there is one.

    Args:
        outputs: {name: KerasTensor}, from `named_outputs`.
        run_folder: With `tasks.json`, labels and `evaluation_clips/`; or None.
        labels_files: One file; HEAD=FILE for each of several heads, or for some.
        clips_folder: Clips for all heads, or with a subfolder per head.
        activations: One of `export.contract.heads.ACTIVATIONS`, for all; or HEAD=one.
        losses: {name: `export.source.losses.Loss` or None}.
        answers: {name: (n, classes)}, the model's outputs for probe clips.
        where: Its path, for messages.

    Returns:
        tuple of `Head`, in the order of the run's tasks; tuple of str, what the user
        should know of them.

    Raises:
        UserError: The run or a given file is about another model, or it is unclear
            what an output is.
    """
    asked = _activations_by_head(activations, list(outputs))
    tasks = _read_tasks(run_folder, outputs)
    given = _labels_by_head(labels_files, list(outputs))
    if clips_folder is None and run_folder is not None:
        clips_folder = _existing(run_folder, "evaluation_clips")
    heads, notes = [], []
    for name in tasks or outputs:
        told = tasks.get(name, {})
        decision = decide(
            meaning_of(outputs[name]),
            losses[name],
            Seen.of(answers[name]),
            asked.get(name),
            told.get("activation"),
            where,
            name,
        )
        notes.append(decision.note)
        heads.append(
            Head(
                name=name,
                labels=_labels(name, given, run_folder, told, outputs[name].shape[-1]),
                activation=decision.activation,
                gives_logits=decision.gives_logits,
                clips_folder=_clips(clips_folder, name),
                activation_from=decision.known_from,
            )
        )
    return tuple(heads), tuple(note for note in notes if note)


def _read_tasks(folder, outputs):
    """{head name: its entry in tasks.json}; {} without that file."""
    path = _existing(folder, "tasks.json") if folder is not None else None
    if path is None:
        return {}
    try:
        tasks = read_json(Path(path))["tasks"]
        told = {
            str(task["head"]): {
                "labels": [str(label) for label in task["labels"]],
                "activation": str(task["activation"]),
            }
            for task in tasks
        }
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} does not list the tasks of a run ({type(error).__name__}: "
            f"{error}); it is written by python -m training fit"
        ) from error
    if list(outputs) == [""] and len(told) == 1:
        return {"": next(iter(told.values()))}
    if set(told) != set(outputs):
        raise UserError(
            f"{path} lists the heads {', '.join(told)}, the model has "
            f"{', '.join(outputs)}; one of the two is from another run"
        )
    return told


def _activations_by_head(activations, names):
    """{head name: what `--activation` says of it}."""
    by_head = {}
    for given in activations:
        name, _, activation = given.rpartition("=")
        if name and (name not in names or names == [""]):
            raise UserError(
                "--activation is given as HEAD=ACTIVATION, HEAD one of "
                f"{', '.join(names)}; received {given}"
                if names != [""]
                else "the model has one head, whose --activation is given without a "
                f"name; received {given}"
            )
        by_head.update(dict.fromkeys([name] if name else names, activation))
    return by_head


def _labels_by_head(files, names):
    """{head name: file}, of `--labels`."""
    if not files:
        return {}
    if names == [""]:
        if len(files) > 1:
            raise UserError(
                f"the model has one head, and takes one file of labels; received "
                f"{', '.join(map(str, files))}"
            )
        return {"": files[0]}
    by_head = {}
    for given in map(str, files):
        name, _, file = given.partition("=")
        if name not in names or not file:
            raise UserError(
                "the labels of a model of several heads are given as HEAD=FILE, HEAD "
                f"one of {', '.join(names)}; received {given}"
            )
        by_head[name] = file
    return by_head


def _labels(name, given, folder, told, n_classes):
    path = given.get(name)
    if path is None and folder is not None:
        path = _existing(folder, labels_file(name))
    if path is None and told:
        path, labels = os.path.join(folder, "tasks.json"), tuple(told["labels"])
    elif path is None:
        return tuple(f"class_{index}" for index in range(n_classes))
    else:
        labels = read_labels(path)
    if len(labels) != n_classes:
        head = f" in {name}" if name else ""
        raise UserError(
            f"{path} must hold one label a line for each of the model's {n_classes} "
            f"classes{head}; received {len(labels)} lines"
        )
    return labels


def _clips(folder, head):
    """The head's own subfolder, if there is one."""
    if folder is None or not head:
        return folder
    return _existing(folder, head) or folder


def _existing(folder, name):
    path = os.path.join(folder, name)
    return path if os.path.exists(path) else None
