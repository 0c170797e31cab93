"""The devices of a run: one, those of one host, those of many hosts."""

import atexit
import contextlib
import json
import os
import sys
import tempfile

import keras
import numpy as np

from leaf_files import quiet
from leaf_files.errors import UserError
from leaf_tf.frontends.base import frontends_of
from training.fit.meeting import meet


class OneDevice:
    """The device that the backend chooses.

    Attributes:
        is_first: Whether this process writes the run's files and prints.
        part, n_parts: Number of the part of each batch that this process computes,
            and number of the parts.
        n_devices: Number of devices over which a batch is split.

    >>> device = OneDevice()
    >>> device.is_first, device.n_parts
    (True, 1)
    """

    is_first = True
    part, n_parts = 0, 1
    n_devices = 1

    def making(self):
        """The context in which models are made."""
        return contextlib.nullcontext()

    def training(self):
        """The context in which models are trained."""
        return contextlib.nullcontext()

    def ready(self, model):
        """Changes a new model so that it trains as on one device."""

    def sync(self, model):
        """Brings a model's variables up to date in the middle of `fit`."""
        # During `fit` JAX keeps them in a separate state.
        if hasattr(model, "jax_state_sync"):
            model.jax_state_sync()

    def predictor(self, model):
        """A model with the same weights that predicts here, on any batch."""
        return model

    def together(self):
        """The context of the hosts' common work: a failure of one ends all."""
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def own_folder(self, path):
        """The folder of this process's checkpoints and logs: `path` on the first host.

        Under JAX, writing a model is a computation, which all hosts do or none. So the
        others write as well, to a temporary folder.
        """
        if self.is_first:
            yield path
            return
        with tempfile.TemporaryDirectory() as folder:
            yield folder

    def leave(self):
        """Ends the hosts' common work."""

    def first_says(self, value):
        """The first host's value of a bool."""
        return value

    def require_alike(self, name, value):
        """Raises a `UserError` unless all hosts have the same value."""


class _Spread(OneDevice):
    """Runs on several devices."""

    def __init__(self):
        self._copy = None

    def predictor(self, model):
        # A batch of `predict_on_batch` would be split, or computed once a device.
        plans = _plans(model)
        if self._copy is None or _plans(self._copy) != plans:
            self._copy = keras.Model.from_config(model.get_config())
            for frontend, plan in zip(frontends_of(self._copy), plans):
                if plan is not None:
                    frontend.adopt_plan(plan)
        self._copy.set_weights(model.get_weights())
        return self._copy


class Mirrored(_Spread):
    """All devices of this host: each has the model and a part of each batch.

    Batch normalisation uses statistics of the whole batch. Runs by TensorFlow's
    MirroredStrategy.

    Args:
        batch_size: A multiple of the number of devices.

    Raises:
        UserError: `batch_size` isn't such a multiple.
    """

    def __init__(self, batch_size):
        import tensorflow as tf

        super().__init__()
        devices = tf.config.list_logical_devices("GPU")
        devices = devices or tf.config.list_logical_devices("CPU")
        self._strategy = tf.distribute.MirroredStrategy([d.name for d in devices])
        self.n_devices = len(devices)
        _require_multiple(batch_size, self.n_devices, "devices of this host")

    def making(self):
        return self._strategy.scope()

    def ready(self, model):
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True


class Hosts(_Spread):
    """All devices of many hosts: each has the model and a part of each batch.

    Runs by Keras's JAX backend and `DataParallel`. The first host writes the run's
    files; all evaluate the same clips, and so agree on the next step.

    Args:
        settings: `HostSettings`.
        config: The run's `FitConfig`, the same on all; its `batch_size` is a multiple
            of the number of all devices.

    Raises:
        UserError: The batch size isn't such a multiple, or the hosts don't connect.
    """

    def __init__(self, settings, config):
        import jax

        super().__init__()
        _keep_gpus_from_tensorflow()
        # Hosts without accelerators communicate by gloo.
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        if settings.index == 0:
            print(
                f"waiting at {settings.coordinator} for {settings.n_hosts} hosts",
                flush=True,
            )
        meet(settings, json.dumps(config.to_dict()))
        with quiet.native_output_hidden():  # gloo prints the hosts that are connected
            keras.distribution.initialize(
                settings.coordinator, settings.n_hosts, settings.index
            )
            self.n_devices = jax.device_count()
        self.part, self.n_parts = settings.index, settings.n_hosts
        self.is_first = settings.index == 0
        _require_multiple(config.batch_size, self.n_devices, "devices of all hosts")
        self._distribution = keras.distribution.DataParallel(auto_shard_dataset=False)

    @contextlib.contextmanager
    def together(self):
        from jax.errors import JaxRuntimeError

        try:
            yield
        except JaxRuntimeError as error:
            _leave_at_exit(1)
            if "Gloo" not in str(error) and "coordination" not in str(error):
                raise
            raise UserError(
                "another host failed, which ends the run; see the output of the "
                "others, and start all of them again with --resume"
            ) from error
        except BaseException as error:
            _leave_at_exit(130 if isinstance(error, KeyboardInterrupt) else 1)
            raise

    def making(self):
        return self._distribution.scope()

    def training(self):
        return self._distribution.scope()

    def predictor(self, model):
        weights = model.get_weights()
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            copy = super().predictor(model)
            copy.set_weights(weights)
        finally:
            keras.distribution.set_distribution(before)
        return _Local(copy)

    def leave(self):
        import jax

        jax.distributed.shutdown()

    def first_says(self, value):
        from jax.experimental import multihost_utils

        return bool(multihost_utils.broadcast_one_to_all(np.array(value)))

    def require_alike(self, name, value):
        from jax.experimental import multihost_utils

        own_value = np.frombuffer(str(value).encode()[:4096].ljust(4096), np.uint8)
        first = multihost_utils.broadcast_one_to_all(own_value)
        if not np.array_equal(own_value, first):
            raise UserError(
                f"this host has another {name} than the first host: {value}; the first "
                f"has {bytes(np.asarray(first)).decode(errors='replace').rstrip()}"
            )


class _Local:
    """A model that predicts outside the current distribution."""

    def __init__(self, model):
        self._model = model

    def predict_on_batch(self, waveform):
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            return self._model.predict_on_batch(waveform)
        finally:
            keras.distribution.set_distribution(before)


def _plans(model):
    """The plan of each frontend of a model, None of those without one."""
    return [frontend.plan for frontend in frontends_of(model)]


def _leave_at_exit(code):
    """Ends the process without JAX's wait for the other hosts, which may be gone."""

    def leave():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    atexit.register(leave)


def _keep_gpus_from_tensorflow():
    """Hides the GPUs from TensorFlow, which only reads clips, and would take them."""
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")


def _require_multiple(batch_size, n_devices, devices):
    if batch_size % n_devices:
        raise UserError(
            f"a batch of {batch_size} windows can't be split evenly over the "
            f"{n_devices} {devices}; choose a --batch-size that is a multiple of "
            f"{n_devices}"
        )
