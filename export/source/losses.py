"""Reads the losses in a `.keras` file, which tell what the outputs are.

Nothing in the file is run.
"""

import dataclasses
import zipfile
from collections.abc import Sequence
from pathlib import Path

from export.source.stages import plain_name
from leaf_files.json_files import parse_json
from leaf_files.run_folder import SIGMOID, SOFTMAX

# Activation of the outputs that a loss of labels is for.
_ACTIVATIONS = {
    "binarycrossentropy": SIGMOID,
    "binaryfocalcrossentropy": SIGMOID,
    "categoricalcrossentropy": SOFTMAX,
    "categoricalfocalcrossentropy": SOFTMAX,
    "categoricalgeneralizedcrossentropy": SOFTMAX,
    "kldivergence": SOFTMAX,
    "sparsecategoricalcrossentropy": SOFTMAX,
}
_OF_NUMBERS = frozenset(
    "cosinesimilarity hinge squaredhinge categoricalhinge huber logcosh mae mape mse "
    "msle meanabsoluteerror meanabsolutepercentageerror meansquarederror "
    "meansquaredlogarithmicerror poisson".split()
)


@dataclasses.dataclass(frozen=True)
class Loss:
    """A loss, by its name and settings.

    Attributes:
        text: Name for people, e.g. "BinaryCrossentropy(from_logits=True)".
        activation: "softmax" for one label a clip, "sigmoid" for any number; None for
            a loss of numbers, or one that is not Keras's.
        takes_logits: Whether the loss applies the activation itself.
        is_of_numbers: Whether it is a loss of regression.

    Example:

    >>> Loss("MeanSquaredError", is_of_numbers=True).activation is None
    True
    """

    text: str
    activation: str | None = None
    takes_logits: bool = False
    is_of_numbers: bool = False


def read_losses(path: str | Path, names: Sequence[Sequence[str]]) -> list[Loss | None]:
    """The loss of each output of the model in a `.keras` file.

    Args:
        path: The file.
        names: Names that each output may have, in the order of the outputs.

    Returns:
        The loss of each output, None where the file has none for it.

    Example:

    >>> read_losses("run/model.keras", [["logits"]])  # it isn't compiled
    [None]
    """
    leaves = list(_leaves(_compiled_loss(path)))
    if len(leaves) == 1 and not leaves[0][0]:
        return [_loss(leaves[0][1])] * len(names)
    by_name = {keys[-1]: leaf for keys, leaf in leaves if keys}
    if any(name in by_name for aliases in names for name in aliases):
        of_outputs = [
            next((by_name[name] for name in aliases if name in by_name), None)
            for aliases in names
        ]
    elif len(leaves) == len(names):
        of_outputs = [leaf for _, leaf in leaves]
    else:
        of_outputs = [None] * len(names)
    return [_loss(leaf) for leaf in of_outputs]


def _compiled_loss(path):
    try:
        with zipfile.ZipFile(path) as archive:
            config = parse_json(archive.read("config.json").decode())
        return (config.get("compile_config") or {}).get("loss")
    except (ValueError, KeyError, AttributeError, OSError, zipfile.BadZipFile):
        return None


def _leaves(config, keys=()):
    """(keys on the way, loss) of each loss in nested dicts and lists."""
    if isinstance(config, dict) and "class_name" not in config:
        for key, value in config.items():
            yield from _leaves(value, (*keys, str(key)))
    elif isinstance(config, list):
        for index, value in enumerate(config):
            yield from _leaves(value, (*keys, index))
    elif config is not None or keys:
        yield keys, config


def _loss(leaf):
    """The `Loss` of a name, or of a serialized object; None of None."""
    if leaf is None:
        return None
    settings = {}
    if isinstance(leaf, dict):
        config = leaf.get("config")
        name = leaf.get("class_name")
        if name == "function":
            name = config if isinstance(config, str) else leaf.get("registered_name")
        elif isinstance(config, dict):
            settings = config
    else:
        name = leaf
    name = str(name)
    plain = plain_name(name.rpartition(">")[2])
    plain = {"kld": "kldivergence", "bce": "binarycrossentropy"}.get(plain, plain)
    is_kerass = not isinstance(leaf, dict) or _is_kerass(leaf)
    from_logits = settings.get("from_logits") is True
    return Loss(
        text=f"{name}{'(from_logits=True)' * from_logits}"[:80],
        activation=_ACTIVATIONS.get(plain) if is_kerass else None,
        takes_logits=from_logits,
        is_of_numbers=is_kerass and plain in _OF_NUMBERS,
    )


def _is_kerass(leaf):
    """Whether a serialized loss comes from Keras, not from its user."""
    module = str(leaf.get("module"))
    return module.startswith(("keras", "builtins"))
