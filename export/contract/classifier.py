"""Inputs and outputs that every artifact of a classifier has, whatever its format."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from export.contract.heads import heads_of_outputs, output_name
from export.contract.layout import EMBEDDINGS, FEATURES, INPUT, OUTPUT
from leaf_files.command_line import a_few, program
from leaf_files.errors import UserError

Shapes = Mapping[str, tuple]  # of sizes, None for free ones


def require_classifier(
    path: Path, inputs: Shapes, outputs: Shapes
) -> tuple[int | None, dict[str, int]]:
    """Checks that a model takes a waveform and gives probabilities.

    Args:
        path: The artifact, for messages.
        inputs, outputs: {name: shape}, None for sizes that are free.

    Returns:
        (window_samples, {head: classes}); window_samples None if it is free.

    Raises:
        UserError: It takes or gives something else.

    Example:

    >>> shapes = {"waveform": (1, 8000)}, {"probabilities": (1, 10)}
    >>> require_classifier(Path("model.tflite"), *shapes)
    (8000, {'': 10})
    """
    heads = heads_of_outputs(outputs)
    answers = [outputs[output_name(head)] for head in heads]
    if set(inputs) == {INPUT} and len(inputs[INPUT]) == 2 and answers:
        if all(len(shape) == 2 and shape[1] for shape in answers):
            classes = {head: shape[1] for head, shape in zip(heads, answers)}
            return inputs[INPUT][1], classes
    raise foreign_model(path, inputs, outputs)


def foreign_model(path: Path, inputs: Shapes, outputs: Shapes) -> UserError:
    """The error for a model that is no classifier of ours.

    Args:
        path: The artifact, for the message.
        inputs, outputs: {name: shape}.

    Example:

    >>> print(foreign_model(Path("a.tflite"), {"image": (1, None)}, {}))
    a.tflite must be a model from waveform to probabilities, ...; received one from
    image (1, ?) to nothing
    """
    advice = ""
    if outputs and set(outputs) <= {FEATURES, EMBEDDINGS}:
        advice = "; it is a part of a model, name the classifier of the same export"
    return UserError(
        f"{path} must be a model from {INPUT} to {OUTPUT}, as {program('export')} "
        f"writes it; received one from {_listed(inputs)} to {_listed(outputs)}{advice}"
    )


def shape_of(sizes: Iterable | None) -> tuple[int | None, ...]:
    """A shape of ints, None for each size that is not an int.

    Args:
        sizes: A shape in the words of ONNX or TensorFlow; None where not even the
            number of sizes is known.

    Example:

    >>> shape_of(["batch", 8000]), shape_of(None)
    ((None, 8000), ())
    """
    return tuple(size if isinstance(size, int) else None for size in sizes or ())


def _listed(entries):
    shapes = [
        f"{name} ({', '.join('?' if size is None else str(size) for size in shape)})"
        for name, shape in sorted(entries.items())
    ]
    return a_few(shapes, 4) or "nothing"
