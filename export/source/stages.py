"""A Keras model's graph: where its features and embeddings are, and how it is fed."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from export.contract.layout import EMBEDDINGS, FEATURES
from leaf_files.quiet import import_keras


def features(model: Any) -> Any:
    """The features of the model's one frontend.

    Args:
        model: keras.Model, functional.

    Returns:
        KerasTensor (batch, frames, n_filters); None if the model has no leaf_tf
        frontend as a layer of its own, or several.

    Example:

    >>> features(source.model).shape
    (None, None, 6)
    """
    outputs = [t for t in tensors(model.outputs) if is_frontend(maker(t)[0])]
    return outputs[0] if len(outputs) == 1 else None


def frontend_of(model: Any) -> Any:
    """The model's one frontend, if it takes the model's input as it is; else None.

    Args:
        model: keras.Model, functional.

    Example:

    >>> type(frontend_of(source.model)).__name__
    'MelFilterbanks'
    """
    tensor = features(model)
    if tensor is None:
        return None
    frontend, inputs = maker(tensor)
    return frontend if inputs[0] is model.inputs[0] else None


def behind_features(model: Any) -> Any:
    """The model from its features on.

    Args:
        model: keras.Model, functional, with features.

    Returns:
        keras.Model, features (batch, frames, channels) -> the model's output.

    Example:

    >>> behind_features(source.model).input_shape
    (None, None, 6)
    """
    return import_keras().Model(features(model), model.output)


def embeddings(model: Any) -> Any:
    """The input of the last layers with weights, one per head.

    Args:
        model: keras.Model, functional.

    Returns:
        KerasTensor (batch, dims); None if the heads take different ones, or one that is
        no vector, or none of them has weights.

    Example:

    >>> embeddings(source.model).shape
    (None, 12)
    """
    inputs = {id(t): t for t in map(_head_input, model.outputs)}
    if len(inputs) > 1:
        return None
    (tensor,) = inputs.values()
    return tensor if tensor is not None and len(tensor.shape) == 2 else None


def inner(model: Any) -> dict[str, Any]:
    """{"features", "embeddings": KerasTensor}, those of the two that a model has.

    Example:

    >>> {name: tensor.shape for name, tensor in inner(source.model).items()}
    {'features': (None, None, 6), 'embeddings': (None, 12)}
    """
    both = {FEATURES: features(model), EMBEDDINGS: embeddings(model)}
    return {name: tensor for name, tensor in both.items() if tensor is not None}


def tensors(outputs: Iterable) -> list:
    """The tensors that outputs are computed from, these among them.

    They are those of the model's own graph: a layer's `output` may be that of another
    call to it.

    Args:
        outputs: KerasTensors.

    Example:

    >>> inputs = keras.Input((3,))
    >>> len(tensors([keras.layers.Dense(2)(inputs)]))
    2
    """
    by_id, waiting = {}, list(outputs)
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in by_id:
            by_id[id(tensor)] = tensor
            waiting.extend(maker(tensor)[1])
    return list(by_id.values())


def _head_input(output):
    """The input of the last layer with weights on the way to an output, or None."""
    operation, inputs = maker(output)
    while not has_weights(operation):
        if len(inputs) != 1:
            return None
        operation, inputs = maker(inputs[0])
    is_head = len(inputs) == 1 and not is_frontend(operation)
    return inputs[0] if is_head else None


def maker(tensor: Any) -> tuple[Any, list]:
    """The operation that a KerasTensor comes from, and the tensors that it takes.

    Example:

    >>> operation, inputs = maker(source.model.outputs[0])
    >>> operation.name, inputs[0].shape
    ('logits', (None, 12))
    """
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors


def is_frontend(operation: Any) -> bool:
    """Whether an operation of a graph is a leaf_tf frontend.

    Example:

    >>> is_frontend(leaf_tf.Leaf()), is_frontend(keras.layers.Dense(2))
    (True, False)
    """
    from leaf_tf.frontends.base import Frontend

    return isinstance(operation, Frontend)


def has_weights(operation: Any) -> bool:
    """Whether an operation of a graph is a layer with weights.

    Example:

    >>> has_weights(keras.layers.ReLU())
    False
    """
    return bool(getattr(operation, "weights", None))


def is_model(operation: Any) -> bool:
    """Whether an operation of a graph is a model with a graph of its own.

    Example:

    >>> is_model(source.model), is_model(keras.layers.Dense(2))
    (True, False)
    """
    return bool(getattr(operation, "outputs", None) and operation.inputs)


def plain_name(name: str) -> str:
    """The name of a class or a function to compare: lower case without "_".

    Example:

    >>> plain_name("LogSoftmax"), plain_name("log_softmax")
    ('logsoftmax', 'logsoftmax')
    """
    return name.lower().replace("_", "")


def as_input(model: Any, waveform: Any) -> Any:
    """A waveform in the shape that a model takes.

    Args:
        model: keras.Model of one input, (batch, samples) or (batch, samples, 1).
        waveform: (batch, samples), a NumPy array or a tensor.

    Example:

    >>> as_input(source.model, np.zeros((2, 4000))).shape
    (2, 4000)
    """
    return waveform[..., None] if len(model.input_shape) == 3 else waveform


def as_numpy(tensor: Any) -> np.ndarray:
    """A tensor's values, float32.

    Example:

    >>> as_numpy(keras.ops.ones(2))
    array([1., 1.], dtype=float32)
    """
    ops = import_keras().ops
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))
