"""What the last step of a model makes of its output."""

from export.averaging import SIGMOID, SOFTMAX


def output_activation(model):
    """How the model's output becomes probabilities.

    Returns:
        (activation, gives_logits): "softmax" or "sigmoid", and whether that
        step is missing. A model that ends in neither gives logits, and
        softmax is missing.
    """
    operation = _last_operation(model)
    # A layer's argument; else the operation itself, e.g. keras.layers.Softmax.
    function = getattr(operation, "activation", None)
    name = getattr(function, "__name__", type(operation).__name__).lower()
    if name in (SOFTMAX, SIGMOID):
        return name, False
    return SOFTMAX, True


def _last_operation(model):
    operation = model.outputs[0]._keras_history.operation
    return _last_operation(operation) if hasattr(operation, "outputs") else operation
