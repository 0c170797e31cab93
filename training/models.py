"""The classifier: frontend, encoder, linear head."""

import keras

from leaf_tf import encoders, frontends


def build_classifier(config, n_classes):
    """A model from waveforms (batch, samples), any length, to logits.

    Args:
        config: A `FitConfig`.
        n_classes: Number of logits.

    Returns:
        A Keras model (batch, samples) -> (batch, n_classes), built from
        `leaf_tf` layers alone, so that `import leaf_tf` is enough to load it.
    """
    waveform = keras.Input((None,), name="waveform")
    frontend = frontends.FRONTENDS[config.frontend](
        n_filters=config.n_filters, sample_rate=config.sample_rate, name="frontend"
    )
    encoder = encoders.ENCODERS[config.encoder](config.n_filters)
    logits = keras.layers.Dense(n_classes, dtype="float32", name="logits")
    outputs = logits(encoder(frontend(waveform)))
    return keras.Model(waveform, outputs, name="classifier")


def compile_classifier(model, config, steps):
    """Readies the model for `fit`: Adam with a cosine schedule, cross-entropy.

    Args:
        model: From `build_classifier`.
        config: A `FitConfig`.
        steps: Optimizer steps of the whole run, over which the rate falls to 0.
    """
    schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)
    model.compile(
        keras.optimizers.Adam(schedule),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
