"""What the last step of a model makes of its output."""

from export.averaging import SIGMOID, SOFTMAX


def output_activation(output):
    """How an output of a model becomes probabilities.

    Args:
        output: keras.KerasTensor, one of `keras.Model.outputs`.

    Returns:
        "softmax" or "sigmoid" if the model ends in that; None if it gives logits.
    """
    operation = _last_operation(output)
    # A layer's argument; else the operation itself, e.g. keras.layers.Softmax.
    function = getattr(operation, "activation", None)
    name = getattr(function, "__name__", type(operation).__name__).lower()
    return name if name in (SOFTMAX, SIGMOID) else None


def _last_operation(output):
    operation, _, index = output._keras_history
    if hasattr(operation, "outputs"):  # a model within
        return _last_operation(operation.outputs[index])
    return operation
