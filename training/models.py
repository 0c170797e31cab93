"""The classifier: frontend, encoder, linear head."""

import functools
import zipfile

import keras
import tensorflow as tf

import leaf_tf
from files.errors import UserError
from leaf_tf import encoders, frontends


def _leaf_fixed_pcen(**settings):
    """LEAF whose PCEN stays as it starts."""
    pcen = leaf_tf.PCEN(trainable=False, dtype="float32", name="pcen")
    return frontends.Leaf(compression=pcen, **settings)


# What `--frontend` names.
FRONTENDS = {
    **frontends.FRONTENDS,
    "leaf_exact": functools.partial(frontends.Leaf, method="exact"),
    "leaf_fixed_pcen": _leaf_fixed_pcen,
    "mel_pcen": functools.partial(frontends.MelFilterbanks, compression="pcen"),
}


def check_model(config):
    """Checks that frontend and encoder take the settings of a `FitConfig`.

    Raises:
        UserError: They don't; the message has the reason.
    """
    _waveform_and_features(config)
    _encoder(config)


def _encoder(config):
    try:
        return encoders.get(config.encoder, config.n_filters)
    except ValueError as error:
        raise UserError(str(error)) from error


def build_classifier(config, n_classes):
    """A model from waveforms (batch, samples), any length, to logits.

    Args:
        config: A `FitConfig`.
        n_classes: Number of logits.

    Returns:
        A Keras model (batch, samples) -> (batch, n_classes), built from
        `leaf_tf` layers alone (and the user's, if the encoder is theirs), so that
        `import leaf_tf` is enough to load it.

    Raises:
        UserError: The frontend refuses the settings, or the encoder doesn't fit.
    """
    waveform, features = _waveform_and_features(config)
    encoder = _encoder(config)
    logits = keras.layers.Dense(n_classes, dtype="float32", name="logits")
    outputs = logits(encoder(features))
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
        # On CPUs XLA compiles for long and then runs slower than the graph.
        jit_compile="auto" if tf.config.list_physical_devices("GPU") else False,
    )


def without_optimizer(model):
    """A copy of a trained model that holds what is needed to predict."""
    # `keras.models.clone_model` would copy the compilation, too.
    bare = keras.Model.from_config(model.get_config())
    bare.set_weights(model.get_weights())
    leaf_tf.replan(bare)
    return bare


def load_classifier(path, n_classes):
    """The model that `fit` saved.

    Args:
        path: Of a `.keras` file.
        n_classes: Number of labels that lie beside it.

    Raises:
        UserError: The file is damaged, or tells another number of classes apart.
    """
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is damaged: a .keras file is a zip archive")
    try:
        model = keras.models.load_model(path, compile=False)
    # Keras raises many kinds, depending on what is broken.
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        raise UserError(
            f"{path} doesn't load as a Keras model: {reason.splitlines()[0]:.200}"
        ) from error
    if model.output_shape[-1] != n_classes:
        raise UserError(
            f"{path} tells {model.output_shape[-1]} classes apart, but the labels "
            f"beside it are {n_classes}, another model's"
        )
    return model


def _waveform_and_features(config):
    """The symbolic input of the classifier, and the frontend's output."""
    waveform = keras.Input((None,), name="waveform")
    try:
        frontend = FRONTENDS[config.frontend](
            n_filters=config.n_filters, sample_rate=config.sample_rate, name="frontend"
        )
        return waveform, frontend(waveform)
    except ValueError as error:
        raise UserError(
            f"the frontend {config.frontend} can't be made with {config.n_filters} "
            f"filters at {config.sample_rate} Hz: {error}"
        ) from error
