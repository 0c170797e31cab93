"""A layer as the function that its backend would really run, compiled or not.

Each engine gives functions of one waveform that return when the result is there.
"""

import keras
import numpy as np


class TensorFlowEngine:
    """tf.function, as a graph or through XLA."""

    modes = ("graph", "XLA")

    def forward(self, layer, shape, mode):
        return self._run(layer, shape, mode)

    def frozen(self, layer, shape, mode):
        """Weights as constants, so that what depends on them alone is folded."""
        import tensorflow as tf
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2,
        )

        from leaf_tf.frontends.live_plan import weights_stay

        signature = [tf.TensorSpec(shape, tf.float32)]
        traced = tf.function(layer, input_signature=signature, autograph=False)
        with weights_stay():
            constant = convert_variables_to_constants_v2(traced.get_concrete_function())
        return self._run(lambda waveform: constant(waveform)[0], shape, mode)

    def training(self, layer, shape, mode):
        """Forward and backward to all weights that are trained."""
        import tensorflow as tf

        weights = [weight.value for weight in layer.trainable_weights]

        def step(waveform):
            with tf.GradientTape() as tape:
                features = layer(waveform, training=True)
                loss = tf.reduce_sum(tf.square(features))
            return tape.gradient(loss, weights) if weights else features

        return self._run(step, shape, mode)

    def _run(self, function, shape, mode):
        import tensorflow as tf

        compiled = tf.function(
            function,
            input_signature=[tf.TensorSpec(shape, tf.float32)],
            jit_compile=mode == "XLA",
            autograph=False,
        )
        waveform = tf.constant(_noise(shape))

        def call():
            for tensor in tf.nest.flatten(compiled(waveform)):
                tensor.numpy()

        return call


class JaxEngine:
    """jax.jit."""

    modes = ("XLA",)

    def forward(self, layer, shape, mode):
        import jax

        values = self._values(layer)
        compiled = jax.jit(lambda values, x: layer.stateless_call(*values, x)[0])
        waveform = jax.numpy.asarray(_noise(shape))
        return lambda: jax.block_until_ready(compiled(values, waveform))

    def frozen(self, layer, shape, mode):
        """Weights as constants of the compiled function."""
        import jax

        values = self._values(layer)
        compiled = jax.jit(lambda x: layer.stateless_call(*values, x)[0])
        waveform = jax.numpy.asarray(_noise(shape))
        return lambda: jax.block_until_ready(compiled(waveform))

    def training(self, layer, shape, mode):
        """Forward and backward to all weights that are trained."""
        import jax

        trained, fixed = self._values(layer)
        if not trained:
            return self.forward(layer, shape, mode)

        def loss(trained, x):
            features, _ = layer.stateless_call(trained, fixed, x)
            return jax.numpy.sum(features**2)

        compiled = jax.jit(jax.grad(loss))
        waveform = jax.numpy.asarray(_noise(shape))
        return lambda: jax.block_until_ready(compiled(trained, waveform))

    def _values(self, layer):
        return (
            [variable.value for variable in layer.trainable_variables],
            [variable.value for variable in layer.non_trainable_variables],
        )


class TorchEngine:
    """Plain eager torch."""

    modes = ("eager",)

    def forward(self, layer, shape, mode):
        import torch

        waveform = self._waveform(shape)

        def call():
            with torch.no_grad():
                layer(waveform)
            self._wait()

        return call

    def frozen(self, layer, shape, mode):
        """Eager torch computes the kernels at every call all the same."""
        return self.forward(layer, shape, mode)

    def training(self, layer, shape, mode):
        """Forward and backward to all weights that are trained."""
        if not layer.trainable_weights:
            return self.forward(layer, shape, mode)
        waveform = self._waveform(shape)

        def call():
            layer.zero_grad()
            (layer(waveform) ** 2).sum().backward()
            self._wait()

        return call

    def _waveform(self, shape):
        return keras.ops.convert_to_tensor(_noise(shape))

    def _wait(self):
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()


def current_engine():
    """The engine of Keras's backend."""
    engines = {
        "tensorflow": TensorFlowEngine,
        "jax": JaxEngine,
        "torch": TorchEngine,
    }
    return engines[keras.backend.backend()]()


def _noise(shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
