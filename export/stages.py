"""Where inside a model its features and its embeddings are."""

FEATURES, EMBEDDINGS = "features", "embeddings"


def features(model):
    """The features of the model's one frontend.

    Args:
        model: keras.Model, functional.

    Returns:
        KerasTensor (batch, frames, n_filters); None if the model has no leaf_tf
        frontend as a layer of its own, or several.
    """
    from leaf_tf.frontends.base import Frontend

    # Of the model's own graph: a layer's `output` may be that of another call to it.
    found, waiting = {}, list(model.outputs)
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in found:
            found[id(tensor)] = tensor
            waiting.extend(_maker(tensor)[1])
    made = [t for t in found.values() if isinstance(_maker(t)[0], Frontend)]
    return made[0] if len(made) == 1 else None


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


def _head_input(output):
    """What the last layer with weights on the way to an output takes, or None."""
    from leaf_tf.frontends.base import Frontend

    operation, taken = _maker(output)
    while not getattr(operation, "weights", None):
        if len(taken) != 1:
            return None
        operation, taken = _maker(taken[0])
    is_head = len(taken) == 1 and not isinstance(operation, Frontend)
    return taken[0] if is_head else None


def _maker(tensor):
    """The operation that a tensor comes from, and the tensors that it takes."""
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors
