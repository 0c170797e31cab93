"""Computes at export everything that depends on the weights alone."""

import dataclasses
from typing import Any

import numpy as np

from leaf_files.quiet import import_tensorflow

# Bytes up to which a constant is written wherever it is used.
_SMALL = 1024


class SharedConstants:
    """Constants that several functions of one file use: each is written once.

    Graphs hold copies of their constants, but take from outside what was a tensor
    before they were traced. A SavedModel writes that once.

    Example:

    >>> shared = SharedConstants()
    >>> taps = np.ones(1000, np.float32)
    >>> shared.holder(taps)().shape
    TensorShape([1000])
    """

    def __init__(self):
        self._by_content: dict[Any, Any] = {}

    def holder(self, value: Any) -> Any:
        """A function of no argument to a tensor of a value.

        Args:
            value: Array.
        """
        if not is_large(value):
            return _holder(value)
        tf = import_tensorflow()
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._by_content:
            with tf.init_scope():
                self._by_content[key] = tf.constant(value)
        return lambda: tf.identity(self._by_content[key])


def is_large(value: Any) -> bool:
    """Whether a constant is worth sharing.

    Example:

    >>> is_large(np.ones(10, np.float32)), is_large(np.ones(1000, np.float32))
    (False, True)
    """
    return value.dtype.kind == "f" and value.nbytes > _SMALL


def fold(concrete_function: Any, shared: SharedConstants | None = None) -> Any:
    """Turns weights, and all that is computed from them alone, into constants.

    LEAF's filters are computed from two numbers each; afterwards only the taps remain,
    and the operations that made them are gone. TensorFlow's and TFLite's own folding
    stop at large or stacked constants: a convolution with taps that are no constant is
    slow, and can't be quantized.

    Args:
        concrete_function: Function of named arguments, to a dict of tensors.
        shared: Holds the large constants; of a function that is saved beside others.

    Returns:
        tf.function of the same signature, without variables of the model.

    Example:

    >>> tf = import_tensorflow()
    >>> spec = [tf.TensorSpec((2,), tf.float32, name="x")]
    >>> scale = tf.function(lambda x: {"y": tf.exp(1.0) * x}, input_signature=spec)
    >>> fold(scale.get_concrete_function())(tf.ones(2))["y"].numpy().round(2).tolist()
    [2.7..., 2.7...]
    """
    tf = import_tensorflow()
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    frozen = convert_variables_to_constants_v2(
        concrete_function, lower_control_flow=False
    )
    borders = _borders(frozen.inputs, frozen.outputs, frozen.graph)
    values = dict(zip((t.name for t in borders), frozen.prune([], borders)()))
    if shared:
        values.update(_large_constants(frozen.graph))
    given = {*values, *(tensor.name for tensor in frozen.inputs)}
    left = _left(
        frozen.graph, [t for t in frozen.outputs if t.name not in given], given
    )
    taken = {*left.needs, *(tensor.name for tensor in frozen.outputs)}
    holders = {
        name: shared.holder(np.asarray(value)) if shared else _holder(value)
        for name, value in values.items()
        if name in taken
    }
    # TensorFlow flattens a dict in the order of its keys.
    names = sorted(concrete_function.structured_outputs)

    def folded(*arguments):
        known = {name: holder() for name, holder in holders.items()}
        known.update({t.name: a for t, a in zip(frozen.inputs, arguments)})
        wanted = [t.name for t in frozen.outputs if t.name not in known]
        made = tf.graph_util.import_graph_def(
            left.graph_def,
            input_map={name: known[name] for name in left.needs},
            return_elements=[left.short_name(name) for name in wanted],
            name="folded",
        )
        known.update(zip(wanted, made))
        return {n: tf.identity(known[t.name]) for n, t in zip(names, frozen.outputs)}

    signature = [tf.TensorSpec(t.shape, t.dtype, name=t.op.name) for t in frozen.inputs]
    return tf.function(folded, input_signature=signature, autograph=False)


def folded_call(
    function: Any, signature: list, shared: SharedConstants | None = None
) -> Any:
    """A function of tensors with its weights folded, see `fold`.

    Args:
        function: Function of tensors, to tensors in dicts, lists or tuples.
        signature: A tf.TensorSpec, with a name, of each argument.
        shared: See `fold`.

    Returns:
        A function of the same arguments, to the same.

    Example:

    >>> tf = import_tensorflow()
    >>> weight = tf.Variable(3.0)
    >>> call = folded_call(lambda x: (weight * x, [x]), [tf.TensorSpec((), name="x")])
    >>> weight.assign(0.0) is None, call(tf.constant(2.0))[0].numpy().item()
    (False, 6.0)
    """
    tf = import_tensorflow()
    structure = None

    def flat(*arguments):
        nonlocal structure
        structure = function(*arguments)
        return {
            f"output{n:03d}": tensor
            for n, tensor in enumerate(tf.nest.flatten(structure))
        }

    traced = tf.function(flat, input_signature=signature, autograph=False)
    folded = fold(traced.get_concrete_function(), shared)

    def call(*arguments):
        outputs = folded(*arguments)
        return tf.nest.pack_sequence_as(
            structure, [outputs[n] for n in sorted(outputs)]
        )

    return call


@dataclasses.dataclass(frozen=True)
class _Left:
    """A graph without what is computed already.

    Attributes:
        graph_def: Its GraphDef.
        short_names: {name of an operation: its name in `graph_def`}.
        needs: Names of the tensors that it takes from outside.
    """

    graph_def: Any
    short_names: dict[str, str]
    needs: list[str]

    def short_name(self, tensor):
        """The name of a tensor in `graph_def`."""
        name, _, index = tensor.partition(":")
        return f"{self.short_names[name]}:{index}"


def _left(graph, outputs, given):
    """The `_Left` that makes some outputs, and does all that has effects.

    Args:
        graph: The graph.
        outputs: Tensors of it.
        given: Names of the tensors that needn't be computed.
    """
    tf = import_tensorflow()
    stateful = [
        op
        for op in graph.get_operations()
        if op.op_def.is_stateful and op.type != "Placeholder"
    ]
    waiting = [*(t.op for t in outputs), *stateful]
    kept: set[Any] = set()
    needs: dict[str, None] = {}
    while waiting:
        op = waiting.pop()
        if op in kept:
            continue
        kept.add(op)
        needs.update({t.name: None for t in op.inputs if t.name in given})
        waiting += [t.op for t in op.inputs if t.name not in given]
    names = {op.name for op in kept}
    whole = graph.as_graph_def()
    for nodes in (whole.node, *(f.node_def for f in whole.library.function)):
        for node in nodes:
            # A gradient of a layer's own, such as swish's, that nobody asks for.
            node.attr.pop("_gradient_op_type", None)
    graph_def = tf.compat.v1.GraphDef(versions=whole.versions, library=whole.library)
    once = {op.name for op in kept if op.op_def.is_stateful}
    short = _Names()
    for node in whole.node:
        if node.name in names:
            inputs = [n for n in node.input if n[0] != "^" or n[1:] in names]
            del node.input[:]
            node.input.extend(map(short.tensor, inputs))
            node.attr.pop("_class", None)  # nodes to be beside, by their long names
            if short.is_new(node, node.name in once):
                graph_def.node.append(node)
    return _Left(graph_def, short.of, list(needs))


class _Names:
    """Short names for the nodes of a graph, one for all that compute the same.

    Long names are most of a graph's size; half of its nodes are small constants and
    sizes that others are, too.

    Attributes:
        of: {name: short name}.
    """

    def __init__(self):
        self.of: dict[str, str] = {}
        self._known: dict[Any, str] = {}

    def tensor(self, tensor):
        """The short name of a node's input."""
        mark, name = ("^", tensor[1:]) if tensor[0] == "^" else ("", tensor)
        name, colon, index = name.partition(":")
        return f"{mark}{self.of.get(name, name)}{colon}{index}"

    def is_new(self, node, has_effects):
        """Names a node whose inputs have short names; False if another is equal."""
        # With a point, as no name of TensorFlow's or Keras's has it.
        short = f"{node.op}.{len(self.of)}"
        attributes = sorted(
            (name, value.SerializeToString(deterministic=True))
            for name, value in node.attr.items()
        )
        key = (node.op, node.device, *node.input, "", *attributes)
        self.of[node.name] = short
        if not has_effects:
            self.of[node.name] = self._known.setdefault(key, short)
        node.name = short
        return has_effects or self._known[key] == short


def _holder(value):
    """A function of no argument to a constant."""
    tf = import_tensorflow()
    return lambda: tf.constant(value)


def _large_constants(graph):
    """{name of a tensor: array} of the constants of a graph that are worth sharing."""
    tf = import_tensorflow()
    constants = {
        op.outputs[0].name: tf.make_ndarray(op.get_attr("value"))
        for op in graph.get_operations()
        if op.type == "Const" and op.outputs[0].dtype.is_floating
    }
    return {name: value for name, value in constants.items() if is_large(value)}


def _borders(inputs, outputs, graph):
    """Tensors independent of the inputs that operations depending on these take.

    What waits for a check of the inputs depends on them, too.
    """
    ops = graph.get_operations()
    waits_for: dict[Any, list] = {}
    for op in ops:
        for control in op.control_inputs:
            waits_for.setdefault(control, []).append(op)
    at_run_time = {op for op in ops if op.op_def.is_stateful}
    waiting = [*(tensor.op for tensor in inputs), *at_run_time]
    while waiting:
        op = waiting.pop()
        at_run_time.add(op)
        consumers = {c for tensor in op.outputs for c in tensor.consumers()}
        consumers.update(waits_for.get(op, ()))
        waiting.extend(consumers - at_run_time)
    entering = {t.ref(): t for op in at_run_time for t in op.inputs}
    entering.update({output.ref(): output for output in outputs})
    return [
        tensor
        for tensor in entering.values()
        if tensor.op not in at_run_time
        and tensor.op.type != "Const"
        and tensor.dtype.is_numpy_compatible  # a loop's empty list is not
    ]
