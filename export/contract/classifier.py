"""What every artifact that classifies takes and gives, whatever its format."""

from export.contract.heads import heads_of_outputs, output_name
from export.contract.layout import EMBEDDINGS, FEATURES, INPUT, OUTPUT
from files.errors import UserError


def require_classifier(path, inputs, outputs):
    """Checks that a model takes a waveform and gives probabilities.

    Args:
        path: Of the artifact.
        inputs, outputs: {name: shape}, sizes that are free None.

    Returns:
        (window_samples, {head: classes}); the first None if it is free.

    Raises:
        UserError: It takes or gives something else.
    """
    heads = heads_of_outputs(outputs)
    answers = [outputs[output_name(head)] for head in heads]
    if set(inputs) == {INPUT} and len(inputs[INPUT]) == 2 and answers:
        if all(len(shape) == 2 and shape[1] for shape in answers):
            classes = dict(zip(heads, (shape[1] for shape in answers)))
            return inputs[INPUT][1], classes
    raise foreign_model(path, inputs, outputs)


def foreign_model(path, inputs, outputs):
    """The `UserError` of a model that is no classifier of ours."""
    advice = ""
    if outputs and set(outputs) <= {FEATURES, EMBEDDINGS}:
        advice = "; it is a part of a model, name the classifier of the same export"
    return UserError(
        f"{path} must be a model from {INPUT} to {OUTPUT}, as python -m export writes "
        f"it; received one from {_listed(inputs)} to {_listed(outputs)}{advice}"
    )


def shape_of(sizes):
    """A shape of sizes that are ints, of others None.

    Args:
        sizes: Of ONNX or TensorFlow; None where not even their number is known.
    """
    return tuple(size if isinstance(size, int) else None for size in sizes or ())


def _listed(entries):
    named = [
        f"{name} ({', '.join('?' if size is None else str(size) for size in shape)})"
        for name, shape in sorted(entries.items())
    ]
    return ", ".join(named[:4]) + ", ..." * bool(named[4:]) or "nothing"
