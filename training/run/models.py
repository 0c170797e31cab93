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
from training.run.frontend_settings import frontend_arguments, refusal
from training.run.losses import make_loss

# LEAF as it learns best, see docs/results.md; the paper's is "leaf_paper".
_COMPRESSION = "soft_pcen"


def _leaf_fixed_pcen(compression: None = None, **settings) -> frontends.Leaf:
    """The paper's LEAF, PCEN at its initial values; no other compression."""
    pcen = leaf_tf.PCEN(trainable=False, dtype="float32", name="pcen")
    return frontends.Leaf(compression=pcen, **settings)


# The choices of `--frontend`.
FRONTENDS: dict[str, Callable[..., frontends.Frontend]] = {
    **frontends.FRONTENDS,
    "leaf": functools.partial(frontends.Leaf, compression=_COMPRESSION),
    "leaf_exact": functools.partial(
        frontends.Leaf, compression=_COMPRESSION, method="exact"
    ),
    "leaf_paper": frontends.Leaf,
    "leaf_fixed_pcen": _leaf_fixed_pcen,
    "mel_pcen": functools.partial(frontends.MelFilterbanks, compression="pcen"),
}


def check_model(config):
    """Checks that frontend and encoder take the settings of a `FitConfig`.

    Raises:
        UserError: They don't; the message gives the reason.

    >>> from training.settings.config import FitConfig
    >>> check_model(FitConfig("drums", frontend="mel", sample_rate=100))
    Traceback (most recent call last):
    leaf_files.errors.UserError: the frontend mel can't be made with 40 filters at
    100 Hz: ...
    """
    _, features = _waveform_and_features(config)
    _encoder(config, features)


def _encoder(config, features):
    try:
        return encoders.get(config.encoder, features.shape[-1])
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

    >>> from leaf_files.run_folder import Head
    >>> from training.settings.config import FitConfig
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> config = FitConfig("drums", frontend="mel", n_filters=8)
    >>> build_classifier(config, (head,)).output_shape
    (None, 2)
    """
    with _policy(config.precision):
        waveform, features = _waveform_and_features(config)
        embedding = _encoder(config, features)(features)
        if len(heads) == 1:
            outputs = _logits("logits", heads[0])(embedding)
        else:
            outputs = {
                head.name: _logits(f"logits_{head.name}", head)(embedding)
                for head in heads
            }
        return keras.Model(waveform, outputs, name="classifier")


def compile_classifier(model, heads, config, steps, weighted=False):
    """Compiles the model for `fit`: Adam, and the mean loss of its heads.

    Adam is `leaf_tf.ScaledAdam`, whose steps suit the parameters of a frontend.

    Args:
        model: Model of `build_classifier`.
        heads: A tuple of `Head`.
        config: A `FitConfig`.
        steps: Optimizer steps of the whole run, at whose end a decaying rate is 0.
        weighted: Whether training clips have weights of their own.

    >>> from leaf_files.run_folder import Head
    >>> from training.settings.config import FitConfig
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> config = FitConfig("drums", frontend="mel", n_filters=8)
    >>> model = build_classifier(config, (head,))
    >>> compile_classifier(model, (head,), config, steps=100)
    >>> type(model.optimizer).__name__
    'ScaledAdam'
    """
    optimizer = leaf_tf.ScaledAdam(
        _learning_rates(config, steps), global_clipnorm=config.clip_norm
    )
    # On CPUs XLA takes long to compile, and then runs slower than the graph.
    jit = "auto" if tf.config.list_physical_devices("GPU") else False
    if not needs_weights(heads, config, weighted):
        model.compile(
            optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
            jit_compile=jit,
        )
        return
    losses = {head.name: make_loss(head, config) for head in heads}
    metrics = {head.name: _metrics(head, len(heads) > 1) for head in heads}
    if len(heads) == 1:
        [losses], [metrics] = losses.values(), metrics.values()
    model.compile(optimizer, losses, weighted_metrics=metrics, jit_compile=jit)


def _learning_rates(config, steps):
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


def _metrics(head, with_loss):
    """Metrics over the windows of a head's task; with its loss, if wanted.

    Keras's own losses of the outputs are means over the windows of all tasks, not of
    the head's.
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

    >>> from training.run.folder import RunFolder
    >>> from training.settings.config import FitConfig
    >>> run = RunFolder("run")
    >>> config = FitConfig.read(run.config)
    >>> without_optimizer(run.model, run.read_heads(), config).output_shape
    (None, 2)
    """
    model = build_classifier(dataclasses.replace(config, precision="float32"), heads)
    try:
        model.load_weights(path)
    # Keras and h5py raise errors of many types, by what is broken.
    except Exception as error:
        raise UserError(
            f"the checkpoint of the best epoch, {path}, doesn't load "
            f"({first_line(error):.200}); "
            "start the run anew, without --resume"
        ) from error
    leaf_tf.replan(model)
    return model


def load_classifier(path, heads):
    """The model that `fit` saved, checked against its heads.

    Args:
        path: Path of a `.keras` file.
        heads: Heads in the `tasks.json` beside it, a tuple of `Head`.

    Raises:
        UserError: The file is damaged, or has another number of classes.

    >>> from training.run.folder import RunFolder
    >>> run = RunFolder("run")
    >>> load_classifier(run.model, run.read_heads()).output_shape
    (None, 2)
    """
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path} is damaged: a .keras file is a zip archive")
    try:
        # Keras logs warnings about a damaged file, too.
        with native_logs_hidden():
            model = keras.models.load_model(path, compile=False)
    # Keras raises errors of many types, by what is broken.
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

    >>> from leaf_files.run_folder import Head
    >>> features = keras.Input([8])
    >>> model = keras.Model(features, keras.layers.Dense(3)(features))
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> require_outputs(model, (head,), "model.keras")
    Traceback (most recent call last):
    leaf_files.errors.UserError: model.keras tells 3 classes apart, but the labels
    beside it are 2, another model's
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


def start_from(model, run):
    """Gives a model the weights of the frontend and the encoder of a finished run.

    Args:
        model: Model of `build_classifier`, of the run's settings of both.
        run: `RunFolder` of the run.

    Raises:
        UserError: The run is damaged, or they have other weights.

    >>> from training.run.folder import RunFolder
    >>> from training.settings.config import FitConfig
    >>> run = RunFolder("run")
    >>> model = build_classifier(FitConfig.read(run.config), run.read_heads())
    >>> start_from(model, run)
    >>> old = load_classifier(run.model, run.read_heads())
    >>> kernel, old_kernel = (m.layers[-2].get_weights()[0] for m in (model, old))
    >>> np.array_equal(kernel, old_kernel)  # of the encoders
    True
    """
    source = load_classifier(run.model, run.read_heads())
    for part, old in zip(parts(model).values(), parts(source).values()):
        try:
            part.set_weights(old.get_weights())
        except ValueError as error:
            raise UserError(
                f"the {part.name} in {run.model} doesn't fit: {first_line(error):.200}"
            ) from error
    leaf_tf.replan(model)


def freeze(model, frozen):
    """Ends the training of parts of a model.

    Args:
        model: Model of `build_classifier`, to be compiled after that.
        frozen: `FitConfig.freeze`.

    >>> from training.run.folder import RunFolder
    >>> from training.settings.config import FitConfig
    >>> run = RunFolder("run")  # of mel, which learns nothing
    >>> model = build_classifier(FitConfig.read(run.config), run.read_heads())
    >>> freeze(model, "encoder")
    >>> [weight.path for weight in model.trainable_weights]
    ['logits/kernel', 'logits/bias']
    """
    if frozen is None:
        return
    for name, part in parts(model).items():
        if name in frozen.split(","):
            part.trainable = False


def parts(model):
    """{"frontend": the layer, "encoder": the layer} of a model.

    Args:
        model: Model of `build_classifier`.

    >>> from training.run.folder import RunFolder
    >>> from training.settings.config import FitConfig
    >>> run = RunFolder("run")
    >>> model = build_classifier(FitConfig.read(run.config), run.read_heads())
    >>> parts(model)["encoder"].name
    'small'
    """
    frontend = model.get_layer("frontend")
    [encoder] = [
        layer
        for layer in model.layers
        if layer is not frontend
        and not isinstance(layer, keras.layers.InputLayer)
        and not layer.name.startswith("logits")
    ]
    return {"frontend": frontend, "encoder": encoder}


def _counts(n_classes):
    if len(n_classes) == 1:
        return str(*n_classes.values())
    return ", ".join(f"{count} {name}" for name, count in sorted(n_classes.items()))


def _logits(name, head):
    return keras.layers.Dense(len(head.labels), dtype="float32", name=name)


@contextlib.contextmanager
def _policy(precision):
    """The context in which new layers get a dtype policy."""
    policy_before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy_before)


def _waveform_and_features(config):
    """The symbolic input of the classifier, and the frontend's output."""
    waveform = keras.Input((None,), name="waveform")
    frontend = make_frontend(config)
    try:
        return waveform, frontend(waveform)
    except ValueError as error:
        raise refusal(config, error) from error


def make_frontend(config):
    """The frontend of a `FitConfig`, a layer.

    Raises:
        UserError: It can't be made with these settings.

    >>> from training.settings.config import FitConfig
    >>> make_frontend(FitConfig("drums", frontend="mel", n_filters=8)).n_filters
    8
    """
    make = FRONTENDS[config.frontend]
    arguments = frontend_arguments(make, config)
    try:
        return make(
            n_filters=config.n_filters,
            sample_rate=config.sample_rate,
            spec_augment=config.spec_augment,
            name="frontend",
            **arguments,
        )
    except ValueError as error:
        raise refusal(config, error) from error
