"""The classifier: frontend, encoder, linear heads."""

import contextlib
import dataclasses
import functools
import zipfile
from collections.abc import Callable

import keras
import tensorflow as tf

import leaf_tf
from leaf_files.errors import UserError, first_line
from leaf_files.quiet import native_logs_hidden
from leaf_tf import encoders, frontends
from training.input.targets import needs_weights


def _leaf_fixed_pcen(**settings):
    """LEAF whose PCEN stays as it starts."""
    pcen = leaf_tf.PCEN(trainable=False, dtype="float32", name="pcen")
    return frontends.Leaf(compression=pcen, **settings)


# The choices of `--frontend`.
FRONTENDS: dict[str, Callable[..., frontends.Frontend]] = {
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


def build_classifier(config, heads):
    """A model from waveforms (batch, samples), any length, to logits.

    Args:
        config: A `FitConfig`.
        heads: A tuple of `Head`.

    Returns:
        A Keras model from waveforms (batch, samples) to logits (batch, n_classes) of
        the layer "logits"; of several heads, to a dict of them by the heads' names,
        of layers "logits_<head>". It is built from `leaf_tf` layers alone (and the
        user's, if the encoder is theirs), so that `import leaf_tf` is enough to load
        it.

    Raises:
        UserError: The frontend refuses the settings, or the encoder doesn't fit.
    """
    with _policy(config.precision):
        waveform, features = _waveform_and_features(config)
        embedding = _encoder(config)(features)
        if len(heads) == 1:
            outputs = _logits("logits", heads[0])(embedding)
        else:
            outputs = {
                head.name: _logits(f"logits_{head.name}", head)(embedding)
                for head in heads
            }
        return keras.Model(waveform, outputs, name="classifier")


def compile_classifier(model, heads, config, steps, weighted=False):
    """Compiles the model for `fit`: Adam, and the mean cross-entropy of its heads.

    Args:
        model: Model of `build_classifier`.
        heads: A tuple of `Head`.
        config: A `FitConfig`.
        steps: Optimizer steps of the whole run, at whose end a falling rate is 0.
        weighted: Whether training clips have weights of their own.
    """
    optimizer = keras.optimizers.Adam(
        learning_rates(config, steps), global_clipnorm=config.clip_norm
    )
    # On CPUs XLA compiles for long and then runs slower than the graph.
    jit = "auto" if tf.config.list_physical_devices("GPU") else False
    if not needs_weights(heads, config, weighted):
        model.compile(
            optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
            jit_compile=jit,
        )
        return
    losses = {head.name: _loss(head) for head in heads}
    metrics = {head.name: _metrics(head, len(heads) > 1) for head in heads}
    if len(heads) == 1:
        [losses], [metrics] = losses.values(), metrics.values()
    model.compile(optimizer, losses, weighted_metrics=metrics, jit_compile=jit)


def learning_rates(config, steps):
    """The learning rate, or its schedule, of a run of so many steps."""
    highest, warmup = config.learning_rate, config.warmup_steps
    if config.schedule == "constant":
        if not warmup:
            return highest
        return keras.optimizers.schedules.PolynomialDecay(0.0, warmup, highest)
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(highest, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=highest, warmup_steps=warmup
    )


def _loss(head):
    if head.multi_label:
        return keras.losses.BinaryCrossentropy(from_logits=True)
    return keras.losses.CategoricalCrossentropy(from_logits=True)


def _metrics(head, with_loss):
    """Metrics over the windows of a head's task; with a loss if the model has many.

    Keras's own losses of the outputs are no help: they are means over the windows of
    all tasks.
    """
    metrics = []
    if not head.multi_label:
        metrics.append(keras.metrics.CategoricalAccuracy(name="accuracy"))
    if with_loss:
        loss = keras.losses.binary_crossentropy
        if not head.multi_label:
            loss = keras.losses.categorical_crossentropy
        metrics.append(
            keras.metrics.MeanMetricWrapper(
                loss, name="cross_entropy", from_logits=True
            )
        )
    return metrics


def without_optimizer(path, heads, config):
    """The model of a checkpoint in float32, without its optimizer.

    Args:
        path: Path of a `.keras` file of the model that `build_classifier` makes.
        heads, config: See `build_classifier`.

    Raises:
        UserError: The file is damaged.
    """
    bare = build_classifier(dataclasses.replace(config, precision="float32"), heads)
    try:
        bare.load_weights(path)
    # Keras and h5py raise many kinds, depending on what is broken.
    except Exception as error:
        raise UserError(
            f"the checkpoint of the best epoch, {path}, doesn't load "
            f"({first_line(error):.200}); "
            "start the run anew, without --resume"
        ) from error
    leaf_tf.replan(bare)
    return bare


def load_classifier(path, heads):
    """The model that `fit` saved.

    Args:
        path: Path of a `.keras` file.
        heads: Heads in the `tasks.json` beside it, a tuple of `Head`.

    Raises:
        UserError: The file is damaged, or has another number of classes.
    """
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is damaged: a .keras file is a zip archive")
    try:
        # Of a damaged file Keras warns, besides.
        with native_logs_hidden():
            model = keras.models.load_model(path, compile=False)
    # Keras raises many kinds, depending on what is broken.
    except Exception as error:
        raise UserError(
            f"{path} doesn't load as a Keras model: {first_line(error):.200}"
        ) from error
    require_outputs(model, heads, path)
    return model


def require_outputs(model, heads, path):
    """Checks that a model has as many classes as its heads have labels.

    Raises:
        UserError: It doesn't; the message names the file at `path`.
    """
    outputs = model.output
    if not isinstance(outputs, dict):
        outputs = {heads[0].name: outputs}
    n_classes = {name: output.shape[-1] for name, output in outputs.items()}
    expected = {head.name: len(head.labels) for head in heads}
    if n_classes != expected:
        raise UserError(
            f"{path} tells {_counts(n_classes)} classes apart, but the labels beside "
            f"it are {_counts(expected)}, another model's"
        )


def _counts(n_classes):
    if len(n_classes) == 1:
        return str(*n_classes.values())
    return ", ".join(f"{count} {name}" for name, count in sorted(n_classes.items()))


def _logits(name, head):
    return keras.layers.Dense(len(head.labels), dtype="float32", name=name)


@contextlib.contextmanager
def _policy(precision):
    """Layers made inside compute by this dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _waveform_and_features(config):
    """The symbolic input of the classifier, and the frontend's output."""
    waveform = keras.Input((None,), name="waveform")
    try:
        frontend = FRONTENDS[config.frontend](
            n_filters=config.n_filters,
            sample_rate=config.sample_rate,
            spec_augment=config.spec_augment,
            name="frontend",
        )
        return waveform, frontend(waveform)
    except ValueError as error:
        raise UserError(
            f"the frontend {config.frontend} can't be made with {config.n_filters} "
            f"filters at {config.sample_rate} Hz: {error}"
        ) from error
