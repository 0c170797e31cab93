"""The function that every artifact computes: waveform to probabilities."""

import warnings

import numpy as np

from export.layout import INPUT, LENGTHS
from files.quiet import import_tensorflow


def serving_function(source, batch, samples):
    """A tf.function from {"waveform"} to the probabilities of each head.

    Args:
        source: `export.sources.Source`.
        batch, samples: Fixed sizes, or None for free ones.

    Returns:
        tf.function, waveform (batch, samples) float32 -> {`Head.output`:
        (batch, classes) float32}.
    """
    tf = import_tensorflow()
    signature = [tf.TensorSpec((batch, samples), tf.float32, name=INPUT)]
    return tf.function(
        lambda waveform: _answer(source, waveform, mask=None),
        input_signature=signature,
        autograph=False,
    )


def padded_serving_function(source):
    """A tf.function for clips of different lengths in one batch, or None.

    None if the model takes one length only, or if some layer of it ignores masks, so
    that a padded clip would get another answer than the clip alone: that is tried.

    Args:
        source: `export.sources.Source`.

    Returns:
        tf.function, waveform (batch, samples) float32, lengths (batch,) int32 ->
        {`Head.output`: (batch, classes) float32}.
    """
    if source.model.input_shape[1] is not None:
        return None
    tf = import_tensorflow()

    def serve(waveform, lengths):
        mask = tf.sequence_mask(lengths, tf.shape(waveform)[1])
        return _answer(source, waveform, mask)

    signature = [
        tf.TensorSpec((None, None), tf.float32, name=INPUT),
        tf.TensorSpec((None,), tf.int32, name=LENGTHS),
    ]
    serve = tf.function(serve, input_signature=signature, autograph=False)
    return serve if _ignores_padding(source, serve) else None


def _answer(source, waveform, mask):
    if len(source.model.input_shape) == 3:
        waveform = waveform[..., None]
    options = {} if mask is None else {"mask": mask}
    with warnings.catch_warnings():
        # Of Keras, that the mask ends with the model. So it does.
        warnings.filterwarnings("ignore", message=".*destroy the mask")
        outputs = source.model(waveform, training=False, **options)
    return {
        head.output: _probabilities(head, outputs[head.name]) for head in source.heads
    }


def _probabilities(head, output):
    tf = import_tensorflow()
    # A float16 policy ends in float16; probabilities leave as float32.
    output = tf.cast(output, tf.float32)
    return getattr(tf.nn, head.activation)(output) if head.gives_logits else output


def _ignores_padding(source, serve):
    length = source.sample_rate // 3
    noise = np.random.default_rng(0).uniform(-1, 1, (1, 2 * length)).astype("float32")
    padded = serve(noise, np.array([length], "int32"))
    alone = _answer(source, noise[:, :length], mask=None)
    return all(np.allclose(padded[name], alone[name], atol=1e-5) for name in alone)
