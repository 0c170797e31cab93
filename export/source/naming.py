"""The heads of a model: their names, labels and clips, from its run or its user."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from export.contract.heads import Head, numbered_labels
from export.source.activation import meaning_of
from export.source.deciding import Seen, decide
from export.source.losses import Loss
from leaf_files.command_line import program
from leaf_files.decisions import Decisions, read_decisions
from leaf_files.errors import UserError
from leaf_files.labels import read_labels
from leaf_files.run_folder import RunPaths, labels_file
from leaf_files.run_folder import read_heads as read_tasks

_NAME = re.compile(r"\w+", re.ASCII)


def named_outputs(model: Any, where: str) -> dict[str, Any]:
    """A model's outputs by head.

    Args:
        model: keras.Model, functional or Sequential.
        where: Path of the model, for messages.

    Returns:
        {name: KerasTensor}. The name is "" for a single output, else the key of
        the dict, or the name of the layer that it comes from.

    Raises:
        UserError: A name that is no identifier, or given twice.

    Example:

    >>> inputs = keras.Input((3,))
    >>> outputs = {name: keras.layers.Dense(2)(inputs) for name in ("birds", "frogs")}
    >>> list(named_outputs(keras.Model(inputs, outputs), "model.keras"))
    ['birds', 'frogs']
    """
    if len(model.outputs) == 1:
        return {"": model.outputs[0]}
    names = [aliases[0] for aliases in names_of_outputs(model)]
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


def names_of_outputs(model: Any) -> list[list[str]]:
    """The names of each output: its key in the dict, if it has one, and its layer's.

    Example:

    >>> inputs = keras.Input((3,))
    >>> logits = keras.layers.Dense(2, name="logits")(inputs)
    >>> names_of_outputs(keras.Model(inputs, logits))
    [['logits']]
    """
    output = getattr(model, "output", None)  # a Sequential may have none
    output = output if isinstance(output, dict) else {}
    keys = {id(tensor): str(key) for key, tensor in output.items()}
    layers = [tensor._keras_history.operation.name for tensor in model.outputs]
    return [
        [*([keys[id(tensor)]] if id(tensor) in keys else []), layer]
        for tensor, layer in zip(model.outputs, layers)
    ]


def read_heads(
    outputs: Mapping[str, Any],
    run_folder: str | None,
    labels_files: Sequence[str],
    clips_folder: str | None,
    activations: Sequence[str],
    losses: Mapping[str, Loss | None],
    answers: Mapping[str, np.ndarray],
    where: str,
) -> tuple[tuple[Head, ...], tuple[str, ...]]:
    """The head of each output; options that are not given come from the run, if any.

    Args:
        outputs: {name: KerasTensor}, from `named_outputs`.
        run_folder: Folder of `tasks.json`, labels and `evaluation_clips/`; or None.
        labels_files: One file; HEAD=FILE for each of several heads, or for some.
        clips_folder: Clips for all heads, or with a subfolder per head; or None.
        activations: One of `contract.activations.ACTIVATIONS`, for all; or HEAD=one.
        losses: {name: the loss, or None}.
        answers: {name: (n, classes)}, the model's outputs for probe clips.
        where: Path of the model, for messages.

    Returns:
        The heads, in the order of the run's tasks; notes for the user.

    Raises:
        UserError: The run or a given file is about another model, or the kind of an
            output is unclear.

    Example:

    >>> outputs = named_outputs(source.model, "model.keras")
    >>> answers = {"": np.array([[3.0, -1.0, 0.5, 2.0]])}
    >>> heads, notes = read_heads(
    ...     outputs, "run", [], None, ["softmax"], {"": None}, answers, "model.keras"
    ... )
    >>> heads[0].labels, heads[0].gives_logits
    (('north', 'south', 'east', 'west'), True)
    """
    options = _activations_by_head(activations, list(outputs))
    tasks = _read_tasks(run_folder, outputs)
    decisions = {}
    if run_folder is not None:
        decisions = read_decisions(RunPaths(run_folder).decisions)
    files = _labels_by_head(labels_files, list(outputs))
    if clips_folder is None and run_folder is not None:
        clips_folder = _existing(RunPaths(run_folder).evaluation_clips)
    heads, notes = [], []
    for name in tasks or outputs:
        task = tasks.get(name)
        decision = decide(
            meaning_of(outputs[name]),
            losses[name],
            Seen.of(answers[name]),
            options.get(name),
            task and task.activation,
            where,
            name,
        )
        notes.append(decision.note)
        labels = _labels(name, files, run_folder, task, outputs[name].shape[-1])
        heads.append(
            Head(
                name=name,
                labels=labels,
                activation=decision.activation,
                gives_logits=decision.gives_logits,
                clips_folder=_clips(clips_folder, name),
                activation_from=decision.known_from,
                decisions=_decisions(decisions, task, labels, decision),
            )
        )
    return tuple(heads), tuple(note for note in notes if note)


def _decisions(known, task, labels, decision):
    """A head's `Decisions`: the run's, by these labels; none if it is of another kind.

    A run whose head is exported with another activation was calibrated for its own.
    """
    if task is None or task.name not in known or decision.activation != task.activation:
        return Decisions()
    return known[task.name].relabelled(task.labels, labels)


def _read_tasks(folder, outputs):
    """{head name: what tasks.json says of it}; {} without that file."""
    path = RunPaths(folder).tasks if folder is not None else None
    if path is None or not path.exists():
        return {}
    try:
        tasks = {task.name: task for task in read_tasks(path)}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} does not list the tasks of a run ({type(error).__name__}: "
            f"{error}); it is written by {program('training')} fit"
        ) from error
    if list(outputs) == [""] and len(tasks) == 1:
        return {"": next(iter(tasks.values()))}
    if set(tasks) != set(outputs):
        raise UserError(
            f"{path} lists the heads {', '.join(tasks)}, the model has "
            f"{', '.join(outputs)}; one of the two is from another run"
        )
    return tasks


def _activations_by_head(activations, names):
    """{head name: its activation by `--activation`}."""
    by_head = {}
    for option in activations:
        name, _, activation = option.rpartition("=")
        if name and (name not in names or names == [""]):
            raise UserError(
                "--activation is given as HEAD=ACTIVATION, HEAD one of "
                f"{', '.join(names)}; received {option}"
                if names != [""]
                else "the model has one head, whose --activation is given without a "
                f"name; received {option}"
            )
        by_head.update(dict.fromkeys([name] if name else names, activation))
    return by_head


def _labels_by_head(files, names):
    """{head name: file}, from `--labels`."""
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
    for option in map(str, files):
        name, _, file = option.partition("=")
        if name not in names or not file:
            raise UserError(
                "the labels of a model of several heads are given as HEAD=FILE, HEAD "
                f"one of {', '.join(names)}; received {option}"
            )
        by_head[name] = file
    return by_head


def _labels(name, files, folder, task, n_classes):
    """A head's labels: of a file of the user or the run, its task, or class_0, ..."""
    path = files.get(name)
    if path is None and folder is not None:
        path = _existing(os.path.join(folder, labels_file(name)))
    if path is None and task:
        path, labels = RunPaths(folder).tasks, task.labels
    elif path is None:
        return numbered_labels(n_classes)
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
    return _existing(os.path.join(folder, head)) or folder


def _existing(path):
    return str(path) if os.path.exists(path) else None
