"""The function that every artifact computes: waveform to probabilities."""

from export.layout import INPUT, OUTPUT
from files.quiet import import_tensorflow


def serving_function(source, batch, samples):
    """A tf.function from {"waveform"} to {"probabilities"}.

    Args:
        source: `export.sources.Source`.
        batch, samples: Fixed sizes, or None for free ones.

    Returns:
        tf.function, waveform (batch, samples) float32 -> {"probabilities":
        (batch, classes) float32}.
    """
    tf = import_tensorflow()
    activate = getattr(tf.nn, source.activation) if source.gives_logits else tf.identity
    takes_channel = len(source.model.input_shape) == 3

    def serve(waveform):
        if takes_channel:
            waveform = waveform[..., None]
        output = source.model(waveform, training=False)
        # A float16 policy ends in float16; probabilities leave as float32.
        return {OUTPUT: activate(tf.cast(output, tf.float32))}

    signature = [tf.TensorSpec((batch, samples), tf.float32, name=INPUT)]
    return tf.function(serve, input_signature=signature, autograph=False)
