"""Trains an encoder to bear the rounding of its int8 file."""

import math
import sys

import keras
import numpy as np

from leaf_files.errors import UserError
from leaf_tf import encoders
from training.fit.checks import memory_named
from training.run.models import parts

# Batches by which ranges of values are known before training starts.
_FIRST_BATCHES = 10


class Rounding:
    """A classifier whose encoder and head round as those of its int8 file.

    They learn to give the logits that they gave before they were rounded: no label is
    asked for, so that what the model is worth on new clips stays what it was.

    Args:
        model: Model of `build_classifier` with one head, whose encoder and head learn.
        original: The same model once more, which stays as it is.
        weight_bits: Bits of weights, 8 or 4.

    Attributes:
        model: Model of the rounded logits, waveforms (batch, samples) -> (batch,
            n_classes).

    Raises:
        UserError: The encoder has layers whose rounding isn't known.

    >>> from training.run.folder import RunFolder
    >>> from training.run.models import load_classifier
    >>> run = RunFolder("run")
    >>> model, original = (load_classifier(run.model, run.read_heads()) for _ in "ab")
    >>> Rounding(model, original).model.output_shape
    (None, 2)
    """

    def __init__(self, model, original, weight_bits=8):
        encoder, logits = parts(model)["encoder"], model.get_layer("logits")
        frontend = original.get_layer("frontend")
        original.trainable = False
        try:
            rounded = encoders.fake_quantized(encoder, logits, weight_bits)
        except ValueError as error:
            raise UserError(
                f"the encoder {encoder.name} can't be trained to bear rounding: {error}"
            ) from error
        # The original was trained with dropout; as it is used, it has none.
        for layer in rounded.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
        before = parts(original)["encoder"]
        exact = keras.Model(before.inputs, original.get_layer("logits")(before.output))
        waveform = keras.Input((None,), name="waveform")
        features = _AsUsed(frontend)(waveform)
        outputs = rounded(features)
        self.model = keras.Model(waveform, outputs, name="rounded")
        self._difference = keras.Model(waveform, outputs - _AsUsed(exact)(features))

    def follow(self, batches):
        """Learns the ranges of the values, before anything is trained.

        Args:
            batches: `tf.data.Dataset` of (waveform, ...).
        """
        for waveform, *_ in batches.take(_FIRST_BATCHES):
            self.model(waveform, training=True)

    def train(self, batches, config, steps, callback):
        """Trains encoder and head.

        Args:
            batches: Endless `tf.data.Dataset` of (waveform, ...).
            config: `FitConfig`; its epochs, learning rate and seed count.
            steps: Steps in an epoch.
            callback: Keras callback.
        """
        keras.utils.set_random_seed(config.seed)
        zeros = np.zeros((config.batch_size, self.model.output_shape[-1]), np.float32)
        rate = keras.optimizers.schedules.CosineDecay(
            config.learning_rate, config.n_epochs * steps
        )
        self._difference.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
        with memory_named(config):
            self._difference.fit(
                batches.map(lambda waveform, *_: (waveform, zeros)),
                epochs=config.n_epochs,
                steps_per_epoch=steps,
                callbacks=[callback],
                shuffle=False,
                verbose=1 if sys.stdout.isatty() else 2,
            )


class _AsUsed(keras.layers.Layer):
    """A layer as it is outside of training, also in training.

    A functional model tells all its layers that it is trained, whatever they were
    called with.
    """

    def __init__(self, layer):
        super().__init__(trainable=False)
        self.layer = layer

    def build(self, input_shape):
        pass

    def call(self, inputs):
        return self.layer(inputs, training=False)


class KeepClosest(keras.callbacks.Callback):
    """Keeps the weights of the epoch whose rounded logits are closest to the original.

    At the end of training the model has them.

    Args:
        rounding: A `Rounding`.
        evaluator: A `ClipEvaluator` of the validation clips.
        original: `ClipPredictions` of these by the original model.

    Attributes:
        best_epoch: Number of the epoch, from 1; 0 if none is closer than the start.
        history: One dict an epoch.

    >>> from training.evaluation.clips import ClipEvaluator
    >>> from training.run.folder import RunFolder
    >>> from training.run.models import load_classifier
    >>> from training.settings.config import FitConfig
    >>> from training.tasks.registry import get_task
    >>> run = RunFolder("run")
    >>> config, [head] = FitConfig.read(run.config), run.read_heads()
    >>> model, original = (load_classifier(run.model, (head,)) for _ in "ab")
    >>> clips = get_task(config.task).load().splits["validation"]
    >>> evaluator = ClipEvaluator(clips, head, config)
    >>> rounding = Rounding(model, original)
    >>> keeper = KeepClosest(rounding, evaluator, evaluator.predict(original))
    >>> keeper.on_train_begin()
    >>> keeper.best_epoch
    0
    """

    def __init__(self, rounding, evaluator, original):
        super().__init__()
        self._rounded = rounding.model
        self._evaluator = evaluator
        self._original = original
        self._least = math.inf
        self._best = self._rounded.get_weights()
        self.best_epoch = 0
        self.history = []

    def on_train_begin(self, logs=None):
        self._least, _ = self._validate()
        self._best = self._rounded.get_weights()

    def on_train_end(self, logs=None):
        self._rounded.set_weights(self._best)

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        off, validation = self._validate()
        if not math.isfinite(logs.get("loss", 0.0) + off):
            raise UserError(
                f"training diverged in epoch {epoch + 1}; try a lower --learning-rate"
            )
        metrics = {k: v for k, v in validation.metrics.items() if k != "n_examples"}
        logs.update({f"val_{name}": value for name, value in metrics.items()})
        logs["val_difference"] = off
        self.history.append({"epoch": epoch + 1, **logs})
        if off < self._least:
            self._least, self.best_epoch = off, epoch + 1
            self._best = self._rounded.get_weights()

    def _validate(self):
        rounded = self._evaluator.predict(self._rounded, "validating")
        return difference(rounded, self._original), rounded


def difference(predictions, original):
    """The root mean square difference of the logits of two predictions.

    >>> from training.evaluation.clips import ClipPredictions
    >>> one = ClipPredictions(np.array([[3.0, 1.0]]), np.array([0]))
    >>> two = ClipPredictions(np.array([[3.0, 3.0]]), np.array([0]))
    >>> round(difference(one, two), 3)
    1.414
    """
    return float(np.sqrt(np.mean((predictions.logits - original.logits) ** 2)))
