"""Computes at export everything that depends on the weights alone."""

from typing import Any

from leaf_files.quiet import import_tensorflow


def fold(concrete_function: Any) -> Any:
    """Turns weights, and all that is computed from them alone, into constants.

    LEAF's filters are computed from two numbers each; afterwards only the taps remain.
    TensorFlow's and TFLite's own folding stop at large or stacked constants: a
    convolution with taps that are no constant is slow, and can't be quantized.

    Args:
        concrete_function: Function of fixed shapes and named arguments, to a dict.

    Returns:
        tf.function of the same signature, without variables.

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
    values = frozen.prune([], borders)()
    graph_def = frozen.graph.as_graph_def()
    # TensorFlow flattens a dict in the order of its keys.
    names = sorted(concrete_function.structured_outputs)

    def folded(*arguments):
        at_run_time = {t.name: a for t, a in zip(frozen.inputs, arguments)}
        constants = {t.name: tf.constant(v) for t, v in zip(borders, values)}
        outputs = tf.graph_util.import_graph_def(
            graph_def,
            input_map={**at_run_time, **constants},
            return_elements=[output.name for output in frozen.outputs],
        )
        return dict(zip(names, outputs))

    signature = [tf.TensorSpec(t.shape, t.dtype, name=t.op.name) for t in frozen.inputs]
    return tf.function(folded, input_signature=signature, autograph=False)


def _borders(inputs, outputs, graph):
    """Tensors independent of the inputs that operations depending on these take."""
    at_run_time = {op for op in graph.get_operations() if op.op_def.is_stateful}
    waiting = [*(tensor.op for tensor in inputs), *at_run_time]
    while waiting:
        op = waiting.pop()
        at_run_time.add(op)
        consumers = {c for tensor in op.outputs for c in tensor.consumers()}
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
