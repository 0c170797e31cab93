"""The function that every artifact computes: waveform to probabilities."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from export.contract.heads import Head
from export.contract.layout import INPUT
from export.source.opening import Source
from export.source.stages import as_input
from leaf_files.quiet import import_keras, import_tensorflow
from leaf_files.run_folder import SIGMOID

# Effective value, full scale being 1, from which a waveform is no sound.
LOUDEST = 2.0e6

_TINY = np.finfo(np.float32).tiny  # a probability of 0 must not become -inf


def serving_function(
    source: Source,
    batch: int | None,
    samples: int | None,
    inner: Mapping[str, Any] | None = None,
) -> Any:
    """A tf.function from {"waveform"} to the probabilities of each head.

    Args:
        source: The model.
        batch, samples: Fixed sizes, or None for free ones.
        inner: {name: KerasTensor} of inner tensors to give, too.

    Returns:
        tf.function, waveform (batch, samples) float32 -> {`Head.output`:
        (batch, classes) float32}.

    Example:

    >>> serve = serving_function(source, batch=1, samples=4000)
    >>> serve(np.zeros((1, 4000), np.float32))["probabilities"].shape
    TensorShape([1, 4])
    """
    tf, keras = import_tensorflow(), import_keras()
    model = keras.Model(
        source.model.input, {"heads": source.model.output, "inner": dict(inner or {})}
    )

    def serve(waveform):
        outputs = model_outputs(model, waveform)
        answers = {
            head.output: probabilities(head, outputs["heads"][head.name])
            for head in source.heads
        }
        return {**outputs["inner"], **answers}

    signature = [tf.TensorSpec((batch, samples), tf.float32, name=INPUT)]
    return tf.function(serve, input_signature=signature, autograph=False)


def model_outputs(model: Any, waveform: Any, mask: Any = None) -> Any:
    """The outputs of a model, as in use, not as in training.

    Args:
        model: keras.Model, waveform (batch, samples) or (batch, samples, 1) -> a
            tensor or a dict of tensors.
        waveform: (batch, samples), float32.
        mask: (batch, samples), bool, True where the waveform is; None if it is
            everywhere.

    Returns:
        The model's outputs as float32: a float16 policy ends in float16.

    Example:

    >>> model_outputs(source.model, np.zeros((1, 4000), np.float32))[""].shape
    TensorShape([1, 4])
    """
    tf = import_tensorflow()
    from leaf_tf.frontends.live_plan import weights_stay

    options = {} if mask is None else {"mask": mask}
    with warnings.catch_warnings():
        # Keras warns that the mask ends with the model, as it should.
        warnings.filterwarnings("ignore", message=".*destroy the mask")
        with weights_stay():  # an artifact needs no branch for other weights
            outputs = model(as_input(model, waveform), training=False, **options)
    return tf.nest.map_structure(lambda output: tf.cast(output, tf.float32), outputs)


def probabilities(head: Head, output: Any) -> Any:
    """The probabilities of a head, (batch, classes), from the model's output.

    Example:

    >>> head = Head("", ("no", "yes"), "softmax", gives_logits=True)
    >>> probabilities(head, np.zeros((1, 2), np.float32)).numpy()
    array([[0.5, 0.5]], dtype=float32)
    """
    tf = import_tensorflow()
    return getattr(tf.nn, head.activation)(output) if head.gives_logits else output


def logits(head: Head, output: Any) -> Any:
    """The logits of `probabilities`; those of a softmax up to a number per row.

    Example:

    >>> head = Head("", ("yes",), "sigmoid")
    >>> logits(head, np.full((1, 1), 0.5, np.float32)).numpy()
    array([[0.]], dtype=float32)
    """
    tf = import_tensorflow()
    if head.gives_logits:
        return output
    log = tf.math.log(tf.maximum(output, _TINY))
    if head.activation == SIGMOID:
        return log - tf.math.log(tf.maximum(1 - output, _TINY))
    return log
