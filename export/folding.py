"""Computes at export what depends on the weights alone."""

from export.layout import INPUT, OUTPUT
from files.quiet import import_tensorflow


def fold(concrete_function):
    """Turns weights, and all that is computed from them alone, into constants.

    LEAF's filters are computed from two numbers each; afterwards the taps are
    what is left. TensorFlow's and TFLite's own folding stop at large or
    stacked constants: a convolution with taps that are no constant is slow,
    and can't be quantized.

    Args:
        concrete_function: Of fixed shapes, {"waveform"} -> {"probabilities"}.

    Returns:
        tf.function of the same signature, without variables.
    """
    tf = import_tensorflow()
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    frozen = convert_variables_to_constants_v2(
        concrete_function, lower_control_flow=False
    )
    (waveform,), (output,) = frozen.inputs, frozen.outputs
    borders = _borders(waveform, output, frozen.graph)
    values = frozen.prune([], borders)()
    graph_def = frozen.graph.as_graph_def()

    def folded(waveform_in):
        names = [border.name for border in borders]
        constants = dict(zip(names, map(tf.constant, values), strict=True))
        (probabilities,) = tf.graph_util.import_graph_def(
            graph_def,
            input_map={waveform.name: waveform_in, **constants},
            return_elements=[output.name],
        )
        return {OUTPUT: probabilities}

    signature = [tf.TensorSpec(waveform.shape, waveform.dtype, name=INPUT)]
    return tf.function(folded, input_signature=signature, autograph=False)


def _borders(waveform, output, graph):
    """Tensors known before the waveform is, that enter what depends on it."""
    at_run_time = {op for op in graph.get_operations() if op.op_def.is_stateful}
    waiting = [waveform.op, *at_run_time]
    while waiting:
        op = waiting.pop()
        at_run_time.add(op)
        consumers = {c for tensor in op.outputs for c in tensor.consumers()}
        waiting.extend(consumers - at_run_time)
    entering = {t.ref(): t for op in at_run_time for t in op.inputs}
    entering[output.ref()] = output
    return [
        tensor
        for tensor in entering.values()
        if tensor.op not in at_run_time
        and tensor.op.type != "Const"
        and tensor.dtype.is_numpy_compatible  # a loop's empty list is not
    ]
