"""Operators of ONNX for those of TensorFlow that tf2onnx leaves out.

Mel frontends take a spectrum, `keras.ops.rfft`, in its real and its imaginary part.
ONNX has a DFT since version 17 of its operators; tf2onnx writes none, and knows complex
numbers only where their absolute value is taken.
"""

import functools

import numpy as np


@functools.cache
def add_spectra() -> None:
    """Teaches tf2onnx RFFT, Real and Imag, as of version 17 of ONNX's operators.

    Complex numbers become a last axis of two, which is what ONNX's DFT gives.
    """
    from tf2onnx.handler import tf_op

    tf_op("RFFT")(_Spectrum)
    tf_op("Real", place=0)(_Part)
    tf_op("Imag", place=1)(_Part)


class _Spectrum:
    """(..., samples) -> (..., length / 2 + 1, 2)."""

    @classmethod
    def version_17(cls, graph, node, **_):
        from onnx import TensorProto

        signal, length = node.input
        shape = graph.get_shape(signal)
        n = int(node.inputs[1].get_tensor_value()[0])
        last = _constant(graph, "axes", [-1])
        complexes = graph.make_node("Unsqueeze", [signal, last]).output[0]
        size = _constant(graph, "length", n)
        graph.remove_node(node.name)
        graph.make_node(
            "DFT",
            [complexes, size],
            attr={"axis": len(shape) - 1, "onesided": 1},
            outputs=node.output,
            shapes=[[*shape[:-1], n // 2 + 1, 2]],
            dtypes=[TensorProto.FLOAT],
        )


class _Part:
    """(..., 2) -> (...): the real or the imaginary part."""

    @classmethod
    def version_17(cls, graph, node, place, **_):
        from onnx import TensorProto

        pair = node.input[0]
        shape = graph.get_shape(pair)
        index = _constant(graph, "place", place)
        graph.remove_node(node.name)
        graph.make_node(
            "Gather",
            [pair, index],
            attr={"axis": -1},
            outputs=node.output,
            shapes=[shape[:-1]] if shape else None,
            dtypes=[TensorProto.FLOAT],
        )


def _constant(graph, name, value):
    from tf2onnx import utils

    array = np.array(value, np.int64)
    return graph.make_const(utils.make_name(name), array).output[0]
