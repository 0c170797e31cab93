"""Reads from a model's graph whether an output is logits or probabilities."""

import dataclasses
import functools
from typing import Any

from export.source.stages import has_weights, is_model, plain_name
from leaf_files.quiet import import_keras
from leaf_files.run_folder import SIGMOID, SOFTMAX

# Kinds of values, beside `SOFTMAX` and `SIGMOID`, whose rows one such step made.
PROBABILITIES = "probabilities"  # arithmetic on rows of these
LOGS = "logs"  # logarithms of the probabilities of a softmax
LOGITS = "logits"  # any number, from weights
CONSTANT = "constant"  # not from the weights: 2.0, a mask
OTHER = "other"  # anything else: from a tanh, from an unknown layer

IN_UNIT = (SOFTMAX, SIGMOID, PROBABILITIES)

# Kinds of values that functions make.
_KINDS = {
    "softmax": SOFTMAX,
    "sparsemax": SOFTMAX,
    "sigmoid": SIGMOID,
    "hardsigmoid": SIGMOID,
    "sparsesigmoid": SIGMOID,
    "logsoftmax": LOGS,
}
# Layers and operations, by `plain_name`, that output some of their inputs' values, or
# means of them; in training they may do more.
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
# Those that keep logits logits, and may bring probabilities out of [0, 1].
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
    """The kind of some values.

    Attributes:
        kind: `SOFTMAX`, `SIGMOID`, or another of the names above.
        step: Step that made them so, in words: "softmax", "Dense", "tanh".

    Example:

    >>> Meaning(SOFTMAX, "softmax").kind in IN_UNIT
    True
    """

    kind: str
    step: str


def meaning_of(output: Any) -> Meaning:
    """The kind of a model's output, by the operations that it comes from.

    Operations that pass values along are skipped: reshaping, casting, dropout, means
    and maxima over frames or over several outputs, models within. Nothing is run.

    Args:
        output: keras.KerasTensor, one of `keras.Model.outputs`.

    Returns:
        `Meaning`. Rows of `SOFTMAX` may have another sum than 1: the maximum over
        frames has. Values of `PROBABILITIES` may even leave [0, 1].

    Example:

    >>> meaning_of(source.model.outputs[0])
    Meaning(kind='logits', step='Dense')
    """
    try:
        return _Reader({}).read(output)
    except RecursionError:
        return Meaning(OTHER, "a graph too deep to read")


def output_activation(output: Any) -> str | None:
    """The activation that a model's output ends in.

    Args:
        output: keras.KerasTensor, one of `keras.Model.outputs`.

    Returns:
        "softmax" or "sigmoid" if that made its values; None if another step did.

    Example:

    >>> logits = source.model.outputs[0]
    >>> output_activation(logits), output_activation(keras.ops.softmax(logits))
    (None, 'softmax')
    """
    kind = meaning_of(output).kind
    return kind if kind in (SOFTMAX, SIGMOID) else None


class _Reader:
    """Reads the tensors of one graph.

    Args:
        inputs: {id of an input of the graph: function that gives its `Meaning`}, for a
            model within another.
    """

    def __init__(self, inputs):
        self._inputs = inputs
        self._meanings = {}

    def read(self, tensor):
        """The `Meaning` of a KerasTensor; `CONSTANT` of anything else."""
        if not hasattr(tensor, "_keras_history"):
            return Meaning(CONSTANT, "a constant")
        if id(tensor) not in self._meanings:
            self._meanings[id(tensor)] = self._find(tensor)
        return self._meanings[id(tensor)]

    def _find(self, tensor):
        if id(tensor) in self._inputs:
            return self._inputs[id(tensor)]()
        operation, place, index = tensor._keras_history
        node = operation._inbound_nodes[place]
        return self._made(operation, _arguments(node), index)

    def _made(self, operation, arguments, index):
        if is_model(operation):
            inputs = {
                id(inside): functools.partial(self.read, outside)
                for inside, outside in zip(operation.inputs, arguments)
            }
            return _Reader(inputs).read(operation.outputs[index])
        if type(operation).__name__ == "TimeDistributed":
            return self._made(operation.layer, arguments, index)
        if not type(operation).__module__.startswith("keras."):
            return Meaning(OTHER, type(operation).__name__)
        return _of_operation(
            operation, lambda: [self.read(argument) for argument in arguments]
        )


def _arguments(node):
    """The arguments of a call, one after the other, numbers among them."""
    flat = import_keras().tree.flatten((node.arguments.args, node.arguments.kwargs))
    return [argument for argument in flat if argument is not None]


def _of_operation(operation, read_inputs):
    """The `Meaning` of an operation's output.

    Args:
        operation: Keras's.
        read_inputs: Function that gives the `Meaning` of each of its inputs.
    """
    name = plain_name(type(operation).__name__)
    function: Any = getattr(operation, "activation", None)
    while hasattr(function, "activation"):  # a layer given as an activation
        function = function.activation
    if callable(function):
        step = getattr(function, "__name__", type(function).__name__)
        if has_weights(operation):
            logits = Meaning(LOGITS, type(operation).__name__)
            return _activated(step, lambda: logits)
        return _activated(step, lambda: _passed(read_inputs(), step))
    if name in _PASSING:
        return _passed(read_inputs(), name)
    if name in _ARITHMETIC:
        return _computed(read_inputs(), name)
    if name in _MASKS:
        return Meaning(CONSTANT, name)
    if name == "clip":
        return _clipped(_passed(read_inputs(), name), operation.x_min, operation.x_max)
    if has_weights(operation):
        return Meaning(LOGITS, type(operation).__name__)
    return _activated(type(operation).__name__, lambda: _passed(read_inputs(), name))


def _activated(step, read_input):
    """The `Meaning` of a function's output; `read_input` gives that of its input."""
    name = plain_name(step)
    if name in _KINDS:
        return Meaning(_KINDS[name], step.lower())
    if name == "linear":
        return read_input()
    if name in ("relu", "relu6", "abs", "absolute", "exp", "log", "logsumexp"):
        meaning = read_input()
        if name == "logsumexp" and meaning.kind == LOGITS:
            return meaning
        if name == "exp" and meaning.kind == LOGS:
            return Meaning(SOFTMAX, "exp of log_softmax")
        if name == "log" and meaning.kind in (SOFTMAX, PROBABILITIES):
            return Meaning(LOGS, f"log of {meaning.step}")
        if name[:3] in ("rel", "abs") and meaning.kind in IN_UNIT:
            return meaning
    return Meaning(OTHER, step.lower())


def _passed(inputs, step):
    """The `Meaning` of some values of the inputs, or of their means."""
    variable = [meaning for meaning in inputs if meaning.kind != CONSTANT]
    if not variable:
        return Meaning(CONSTANT, step)
    kinds = {meaning.kind for meaning in variable}
    if len(kinds) == 1:
        return variable[0]
    if kinds <= set(IN_UNIT):
        return Meaning(PROBABILITIES, _and(variable))
    if kinds <= {LOGITS, LOGS}:
        return next(meaning for meaning in variable if meaning.kind == LOGITS)
    return Meaning(OTHER, f"{step} of {_and(variable)}")


def _computed(inputs, step):
    """The `Meaning` of a result of arithmetic."""
    variable = [meaning for meaning in inputs if meaning.kind != CONSTANT]
    if not variable:
        return Meaning(CONSTANT, step)
    kinds = {meaning.kind for meaning in variable}
    if kinds <= set(IN_UNIT):
        return Meaning(PROBABILITIES, f"{step} of {_and(variable)}")
    # Attention weighs logits by probabilities, which gives logits; both side by side,
    # or one of each added, are neither.
    if kinds & {LOGITS, LOGS} and not (step in _JOINING and kinds & set(IN_UNIT)):
        return Meaning(LOGITS, f"{step} of {_and(variable)}")
    return Meaning(OTHER, f"{step} of {_and(variable)}")


def _clipped(meaning, least, most):
    """The `Meaning` of values that are clipped to [least, most]."""
    if meaning.kind in IN_UNIT and meaning.kind != PROBABILITIES:
        return meaning
    if _is_number(least) and _is_number(most) and 0 <= least <= most <= 1:
        return Meaning(SIGMOID, f"clip to {least:g} ... {most:g}")
    return meaning


def _is_number(value):
    return isinstance(value, int | float)


def _and(meanings):
    return " and ".join(dict.fromkeys(meaning.step for meaning in meanings))
