"""What the loss in a `.keras` file says of the outputs, without running anything."""

import dataclasses
import zipfile

from export.contract.heads import SIGMOID, SOFTMAX
from export.source.stages import plain_name
from files.json_files import parse_json

_OF_LABELS = {
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
    """A loss, as its name and settings tell it.

    Attributes:
        text: For people, e.g. "BinaryCrossentropy(from_logits=True)".
        activation: "softmax" of one label a clip, "sigmoid" of any number; None of a
            loss of numbers, or one that is not Keras's.
        takes_logits: Whether the activation is its own.
        is_of_numbers: Whether it is one of regression.
    """

    text: str
    activation: str | None = None
    takes_logits: bool = False
    is_of_numbers: bool = False


def read_losses(path, names):
    """The loss of each output of the model in a `.keras` file.

    Args:
        path: The file.
        names: For each output, in their order, the names that it may have.

    Returns:
        list of `Loss`, None where the file has none for an output.
    """
    told = _compiled_loss(path)
    leaves = list(_leaves(told))
    if len(leaves) == 1 and not leaves[0][0]:
        return [_loss(leaves[0][1])] * len(names)
    by_name = {keys[-1]: leaf for keys, leaf in leaves if keys}
    if any(name in by_name for own in names for name in own):
        found = [
            next((by_name[name] for name in own if name in by_name), None)
            for own in names
        ]
    elif len(leaves) == len(names):
        found = [leaf for _, leaf in leaves]
    else:
        found = [None] * len(names)
    return [_loss(leaf) for leaf in found]


def _compiled_loss(path):
    try:
        with zipfile.ZipFile(path) as archive:
            config = parse_json(archive.read("config.json").decode())
        return (config.get("compile_config") or {}).get("loss")
    except (ValueError, KeyError, AttributeError, OSError, zipfile.BadZipFile):
        return None


def _leaves(told, keys=()):
    """(keys on the way, loss) of each loss in nested dicts and lists."""
    if isinstance(told, dict) and "class_name" not in told:
        for key, value in told.items():
            yield from _leaves(value, (*keys, str(key)))
    elif isinstance(told, list):
        for index, value in enumerate(told):
            yield from _leaves(value, (*keys, index))
    elif told is not None or keys:
        yield keys, told


def _loss(told):
    if told is None:
        return None
    settings = {}
    if isinstance(told, dict):
        config = told.get("config")
        name = told.get("class_name")
        if name == "function":
            name = config if isinstance(config, str) else told.get("registered_name")
        elif isinstance(config, dict):
            settings = config
    else:
        name = told
    name = str(name)
    plain = plain_name(name.rpartition(">")[2])
    plain = {"kld": "kldivergence", "bce": "binarycrossentropy"}.get(plain, plain)
    is_kerass = not isinstance(told, dict) or _is_kerass(told)
    from_logits = settings.get("from_logits") is True
    return Loss(
        text=f"{name}{'(from_logits=True)' * from_logits}"[:80],
        activation=_OF_LABELS.get(plain) if is_kerass else None,
        takes_logits=from_logits,
        is_of_numbers=is_kerass and plain in _OF_NUMBERS,
    )


def _is_kerass(told):
    """Whether a serialized loss comes from Keras, not from its user."""
    module = str(told.get("module"))
    return module.startswith(("keras", "builtins"))
