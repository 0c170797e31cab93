"""What a model answers: one head per task, each with its labels."""

import dataclasses

from export.contract.layout import OUTPUT, labels_file

SOFTMAX, SIGMOID = "softmax", "sigmoid"
NO_STEP = "none"  # of outputs that are probabilities already
ACTIVATIONS = (SOFTMAX, SIGMOID, NO_STEP)


@dataclasses.dataclass(frozen=True)
class Head:
    """The answer to one task.

    Attributes:
        name: An identifier; "" if the model has one head.
        labels: One per class.
        activation: "softmax" (one label a clip) or "sigmoid" (any number): what
            makes the model's output probabilities.
        gives_logits: Whether that step is still to be done.
        clips_folder: Clips to compare on, or None.
        activation_from: What tells the activation, in words.
    """

    name: str
    labels: tuple
    activation: str
    gives_logits: bool = False
    clips_folder: str | None = None
    activation_from: str = dataclasses.field(default="", compare=False)

    @property
    def multi_label(self):
        return self.activation == SIGMOID

    @property
    def output(self):
        """Name of the probabilities (batch, classes) in every artifact."""
        return output_name(self.name)

    @property
    def labels_file(self):
        """Name of the file with one label a line, in the artifact folder."""
        return labels_file(self.name)


def output_name(head, output=OUTPUT):
    """An output's name in an artifact: <head>_<output>, <output> of the only head."""
    return f"{head}_{output}" if head else output


def heads_of_outputs(outputs):
    """The names of the heads whose probabilities are among an artifact's outputs.

    Args:
        outputs: Names of outputs, of a signature.

    Returns:
        list of str, sorted; [""] for one head, [] if there is none.
    """
    if OUTPUT in outputs:
        return [""]
    # Beside `x_top_labels`, `x_top_probabilities` are those of x, of its top labels.
    return sorted(
        _before(f"_{OUTPUT}", outputs)
        - {f"{head}_top" for head in _before("_top_labels", outputs)}
    )


def _before(end, names):
    return {name.removesuffix(end) for name in names if name.endswith(end)}
