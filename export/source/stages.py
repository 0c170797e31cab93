"""A Keras model's graph: where its features and embeddings are, and how it is fed."""

from export.contract.layout import EMBEDDINGS, FEATURES
from files.quiet import import_keras


def features(model):
    """The features of the model's one frontend.

    Args:
        model: keras.Model, functional.

    Returns:
        KerasTensor (batch, frames, n_filters); None if the model has no leaf_tf
        frontend as a layer of its own, or several.
    """
    from leaf_tf.frontends.base import Frontend

    made = [t for t in tensors(model.outputs) if isinstance(maker(t)[0], Frontend)]
    return made[0] if len(made) == 1 else None


def frontend_of(model):
    """The model's one frontend, if it takes the model's input as it is; else None.

    Args:
        model: keras.Model, functional.
    """
    tensor = features(model)
    if tensor is None:
        return None
    frontend, taken = maker(tensor)
    return frontend if taken[0] is model.inputs[0] else None


def behind_features(model):
    """The model from its features on.

    Args:
        model: keras.Model, functional, with features.

    Returns:
        keras.Model, features (batch, frames, channels) -> the model's output.
    """
    return import_keras().Model(features(model), model.output)


def embeddings(model):
    """What the last layers with weights, one per head, take.

    Args:
        model: keras.Model, functional.

    Returns:
        KerasTensor (batch, dims); None if the heads take different ones, or what they
        take is no vector, or none of them has weights.
    """
    taken = {id(t): t for t in map(_head_input, model.outputs)}
    if len(taken) > 1:
        return None
    (tensor,) = taken.values()
    return tensor if tensor is not None and len(tensor.shape) == 2 else None


def inner(model):
    """{"features", "embeddings": KerasTensor}, those of the two that a model has."""
    found = {FEATURES: features(model), EMBEDDINGS: embeddings(model)}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def tensors(outputs):
    """All that outputs are computed from in a model's own graph, themselves among it.

    A layer's `output` may be that of another call to it.

    Args:
        outputs: KerasTensors.
    """
    found, waiting = {}, list(outputs)
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in found:
            found[id(tensor)] = tensor
            waiting.extend(maker(tensor)[1])
    return list(found.values())


def _head_input(output):
    """What the last layer with weights on the way to an output takes, or None."""
    from leaf_tf.frontends.base import Frontend

    operation, taken = maker(output)
    while not getattr(operation, "weights", None):
        if len(taken) != 1:
            return None
        operation, taken = maker(taken[0])
    is_head = len(taken) == 1 and not isinstance(operation, Frontend)
    return taken[0] if is_head else None


def maker(tensor):
    """The operation that a KerasTensor comes from, and the tensors that it takes."""
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors


def is_model(operation):
    """Whether an operation of a graph is a model with a graph of its own."""
    return bool(getattr(operation, "outputs", None) and operation.inputs)


def plain_name(name):
    """The name of a class or a function to compare: lower case without "_"."""
    return name.lower().replace("_", "")


def as_input(model, waveform):
    """A waveform in the shape that a model takes.

    Args:
        model: keras.Model of one input, (batch, samples) or (batch, samples, 1).
        waveform: (batch, samples), a NumPy array or a tensor.
    """
    return waveform[..., None] if len(model.input_shape) == 3 else waveform


def as_numpy(tensor):
    """A tensor's values, float32."""
    ops = import_keras().ops
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))
