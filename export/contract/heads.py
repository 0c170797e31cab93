"""A model's heads: one answer per task, each with its labels."""

import dataclasses
from collections.abc import Iterable

from export.contract.layout import OUTPUT
from leaf_files import run_folder
from leaf_files.decisions import Decisions
from leaf_files.run_folder import SIGMOID


@dataclasses.dataclass(frozen=True)
class Head:
    """The answer to one task, as artifacts give it.

    What a run says of it is a `leaf_files.run_folder.Head`.

    Attributes:
        name: Identifier; "" if the model has one head.
        labels: One per class.
        activation: "softmax" (one label a clip) or "sigmoid" (any number), the step
            that makes probabilities of the model's output.
        gives_logits: Whether that step is still to be done.
        clips_folder: Folder of clips to compare on, or None.
        activation_from: Source of the activation, in words.
        decisions: How its probabilities become decisions.

    Example:

    >>> head = Head("birds", ("blackbird", "wren"), "softmax")
    >>> head.output, head.labels_file
    ('birds_probabilities', 'labels_birds.txt')
    """

    name: str
    labels: tuple[str, ...]
    activation: str
    gives_logits: bool = False
    clips_folder: str | None = None
    activation_from: str = dataclasses.field(default="", compare=False)
    decisions: Decisions = Decisions()

    @property
    def decisions_entry(self) -> dict:
        """{"decisions": ...} for JSON; {} where all is as the model says.

        Example:

        >>> Head("", ("no", "yes"), "softmax").decisions_entry
        {}
        """
        if self.decisions.is_identity:
            return {}
        return {"decisions": self.decisions.to_dict()}

    @property
    def multi_label(self) -> bool:
        """Whether a clip may have any number of labels."""
        return self.activation == SIGMOID

    @property
    def output(self) -> str:
        """Name of the probabilities (batch, classes) in every artifact."""
        return output_name(self.name)

    @property
    def labels_file(self) -> str:
        """Name of the file with one label a line, in the artifact folder."""
        return run_folder.labels_file(self.name)


def numbered_labels(n_classes: int) -> tuple[str, ...]:
    """The labels class_0, class_1, ... of a head whose labels nothing says.

    Example:

    >>> numbered_labels(2)
    ('class_0', 'class_1')
    """
    return tuple(f"class_{index}" for index in range(n_classes))


def output_name(head: str, output: str = OUTPUT) -> str:
    """An output's name in an artifact: <head>_<output>, <output> of the only head.

    Args:
        head: Name of the head, "" of the only one.
        output: Name of the output among those of its head.

    Example:

    >>> output_name("birds"), output_name("")
    ('birds_probabilities', 'probabilities')
    """
    return f"{head}_{output}" if head else output


def heads_of_outputs(outputs: Iterable[str]) -> list[str]:
    """The names of the heads whose probabilities are among an artifact's outputs.

    Args:
        outputs: Names of the outputs of a signature.

    Returns:
        Sorted names; [""] for one head, [] if there is none.

    Example:

    >>> heads_of_outputs(["frogs_probabilities", "birds_probabilities", "features"])
    ['birds', 'frogs']
    """
    outputs = list(outputs)
    if OUTPUT in outputs:
        return [""]
    # Beside `x_top_labels`, `x_top_probabilities` are those of x's top labels.
    return sorted(
        _before(f"_{OUTPUT}", outputs)
        - {f"{head}_top" for head in _before("_top_labels", outputs)}
    )


def _before(end, names):
    return {name.removesuffix(end) for name in names if name.endswith(end)}
