"""What the values of a model's output are, read from its graph."""

import dataclasses
import functools

from export.contract.heads import SIGMOID, SOFTMAX
from export.source.stages import is_model, plain_name
from files.quiet import import_keras

# What values are, beside `SOFTMAX` and `SIGMOID`: in [0, 1], each row made by one.
PROBABILITIES = "probabilities"  # arithmetic on those
LOGS = "logs"  # of the probabilities of a softmax
LOGITS = "logits"  # any number, from weights
CONSTANT = "constant"  # not from the weights: 2.0, a mask
OTHER = "other"  # anything else: of a tanh, of an unknown layer

IN_UNIT = (SOFTMAX, SIGMOID, PROBABILITIES)

_OF_FUNCTION = {
    "softmax": SOFTMAX,
    "sparsemax": SOFTMAX,
    "sigmoid": SIGMOID,
    "hardsigmoid": SIGMOID,
    "sparsesigmoid": SIGMOID,
    "logsoftmax": LOGS,
}
# Layers and operations, lower case without "_", that give some of the values they
# take, or means of them; in training they may do more.
_PASSING = frozenset(
    "activityregularization alphadropout amax amin average averagepooling1d "
    "averagepooling2d averagepool cast copy cropping1d cropping2d dropout expanddims "
    "flatten flip gaussiandropout gaussiannoise getitem globalaveragepooling1d "
    "globalaveragepooling2d globalmaxpooling1d globalmaxpooling2d identity linear "
    "masking max maximum maxpool maxpooling1d maxpooling2d mean median min minimum "
    "moveaxis nantonum permute quantile ravel repeat repeatvector reshape roll slice "
    "spatialdropout1d spatialdropout2d split squeeze stopgradient swapaxes take "
    "takealongaxis transpose unstack upsampling1d upsampling2d zeropadding1d".split()
)
# What keeps logits logits, and gives of probabilities what may leave [0, 1].
_ARITHMETIC = frozenset(
    "add concatenate divide dot einsum matmul multiply negative normalization prod "
    "rescaling stack subtract sum tensordot truedivide where".split()
)
_JOINING = frozenset("add concatenate stack subtract where".split())
_MASKS = frozenset(
    "equal greater greaterequal isfinite isnan less lessequal logicaland logicalnot "
    "logicalor notequal oneslike zeroslike sign".split()
)


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What values are.

    Attributes:
        kind: `SOFTMAX`, `SIGMOID`, or another of the names above.
        step: What made them so, in words: "softmax", "Dense", "tanh".
    """

    kind: str
    step: str


def meaning_of(output):
    """What an output of a model is, by the operations that it comes from.

    What passes values along is looked through: reshaping, casting, dropout, means and
    maxima over frames or over several outputs, models within. Nothing is run.

    Args:
        output: keras.KerasTensor, one of `keras.Model.outputs`.

    Returns:
        `Meaning`. Of `SOFTMAX`, rows may sum to something else than 1: the maximum
        over frames does. Of `PROBABILITIES`, they may even leave [0, 1].
    """
    try:
        return _Reader({}).read(output)
    except RecursionError:
        return Meaning(OTHER, "a graph too deep to read")


def output_activation(output):
    """How an output of a model becomes probabilities.

    Args:
        output: keras.KerasTensor, one of `keras.Model.outputs`.

    Returns:
        "softmax" or "sigmoid" if that made its values; None if it gives others.
    """
    kind = meaning_of(output).kind
    return kind if kind in (SOFTMAX, SIGMOID) else None


class _Reader:
    """Reads the tensors of one graph.

    Args:
        given: {id of an input of the graph: function that gives its `Meaning`}, of a
            model within another.
    """

    def __init__(self, given):
        self._given = given
        self._known = {}

    def read(self, tensor):
        """The `Meaning` of a KerasTensor; `CONSTANT` of what is none."""
        if not hasattr(tensor, "_keras_history"):
            return Meaning(CONSTANT, "a constant")
        if id(tensor) not in self._known:
            self._known[id(tensor)] = self._find(tensor)
        return self._known[id(tensor)]

    def _find(self, tensor):
        if id(tensor) in self._given:
            return self._given[id(tensor)]()
        operation, place, index = tensor._keras_history
        node = operation._inbound_nodes[place]
        return self._made(operation, _arguments(node), index)

    def _made(self, operation, arguments, index):
        if is_model(operation):
            given = {
                id(inside): functools.partial(self.read, outside)
                for inside, outside in zip(operation.inputs, arguments)
            }
            return _Reader(given).read(operation.outputs[index])
        if type(operation).__name__ == "TimeDistributed":
            return self._made(operation.layer, arguments, index)
        if not type(operation).__module__.startswith("keras."):
            return Meaning(OTHER, type(operation).__name__)
        return _of_operation(
            operation, lambda: [self.read(argument) for argument in arguments]
        )


def _arguments(node):
    """All that a call was given, one after the other, numbers among it."""
    flat = import_keras().tree.flatten((node.arguments.args, node.arguments.kwargs))
    return [argument for argument in flat if argument is not None]


def _of_operation(operation, read_taken):
    name = plain_name(type(operation).__name__)
    function = getattr(operation, "activation", None)
    while hasattr(function, "activation"):  # of a layer given as an activation
        function = function.activation
    if callable(function):
        said = getattr(function, "__name__", type(function).__name__)
        if getattr(operation, "weights", None):
            base = Meaning(LOGITS, type(operation).__name__)
            return _activated(said, lambda: base)
        return _activated(said, lambda: _passed(read_taken(), said))
    if name in _PASSING:
        return _passed(read_taken(), name)
    if name in _ARITHMETIC:
        return _computed(read_taken(), name)
    if name in _MASKS:
        return Meaning(CONSTANT, name)
    if name == "clip":
        return _clipped(_passed(read_taken(), name), operation.x_min, operation.x_max)
    if getattr(operation, "weights", None):
        return Meaning(LOGITS, type(operation).__name__)
    return _activated(type(operation).__name__, lambda: _passed(read_taken(), name))


def _activated(said, read):
    """Of what a function makes; `read` gives what it takes."""
    name = plain_name(said)
    if name in _OF_FUNCTION:
        return Meaning(_OF_FUNCTION[name], said.lower())
    if name == "linear":
        return read()
    if name in ("relu", "relu6", "abs", "absolute", "exp", "log", "logsumexp"):
        taken = read()
        if name == "logsumexp" and taken.kind == LOGITS:
            return taken
        if name == "exp" and taken.kind == LOGS:
            return Meaning(SOFTMAX, "exp of log_softmax")
        if name == "log" and taken.kind in (SOFTMAX, PROBABILITIES):
            return Meaning(LOGS, f"log of {taken.step}")
        if name[:3] in ("rel", "abs") and taken.kind in IN_UNIT:
            return taken
    return Meaning(OTHER, said.lower())


def _passed(taken, step):
    """Of values some of which, or means of which, are given."""
    made = [meaning for meaning in taken if meaning.kind != CONSTANT]
    if not made:
        return Meaning(CONSTANT, step)
    kinds = {meaning.kind for meaning in made}
    if len(kinds) == 1:
        return made[0]
    if kinds <= set(IN_UNIT):
        return Meaning(PROBABILITIES, _and(made))
    if kinds <= {LOGITS, LOGS}:
        return next(meaning for meaning in made if meaning.kind == LOGITS)
    return Meaning(OTHER, f"{step} of {_and(made)}")


def _computed(taken, step):
    made = [meaning for meaning in taken if meaning.kind != CONSTANT]
    if not made:
        return Meaning(CONSTANT, step)
    kinds = {meaning.kind for meaning in made}
    if kinds <= set(IN_UNIT):
        return Meaning(PROBABILITIES, f"{step} of {_and(made)}")
    # Attention weighs logits by probabilities, and what comes out are logits; both side
    # by side, or one of each added, are neither.
    if kinds & {LOGITS, LOGS} and not (step in _JOINING and kinds & set(IN_UNIT)):
        return Meaning(LOGITS, f"{step} of {_and(made)}")
    return Meaning(OTHER, f"{step} of {_and(made)}")


def _clipped(taken, least, most):
    if taken.kind in IN_UNIT and taken.kind != PROBABILITIES:
        return taken
    if _is_number(least) and _is_number(most) and 0 <= least <= most <= 1:
        return Meaning(SIGMOID, f"clip to {least:g} ... {most:g}")
    return taken


def _is_number(value):
    return isinstance(value, int | float)


def _and(meanings):
    return " and ".join(dict.fromkeys(meaning.step for meaning in meanings))
