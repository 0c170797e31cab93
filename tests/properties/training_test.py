"""Training that is too harsh to learn anything gives no NaN."""

import keras
import pytest

import leaf_tf
from leaf_tf.frontends import FRONTENDS
from leaf_tf.layers.compressions import COMPRESSIONS
from tests.counts import slow

STEPS = slow(2000)
SMALL = {"n_filters": 3, "sample_rate": 8000, "window_len": 5.0, "window_stride": 5.0}

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="trains in one tf.function"
)


@keras.saving.register_keras_serializable("tests")
class OfficialPCEN(keras.layers.Layer):
    """PCEN as leaf-audio computes it: alpha and root are clipped, delta is not."""

    def build(self, input_shape):
        values = {"alpha": 0.96, "delta": 2.0, "root": 2.0, "smooth": 0.04}
        for name, value in values.items():
            weight = self.add_weight(
                name=name,
                shape=input_shape[-1:],
                initializer=keras.initializers.Constant(value),
            )
            setattr(self, name, weight)

    def call(self, energies):
        import tensorflow as tf

        smooth = tf.clip_by_value(tf.convert_to_tensor(self.smooth), 0.0, 1.0)
        means = [energies[:, 0]]
        for frame in range(1, energies.shape[1]):
            means.append(smooth * energies[:, frame] + (1.0 - smooth) * means[-1])
        alpha = tf.minimum(self.alpha, 1.0)
        exponent = 1.0 / tf.maximum(self.root, 1.0)
        normalized = energies / (1e-12 + tf.stack(means, axis=1)) ** alpha
        return (normalized + self.delta) ** exponent - self.delta**exponent

    def compute_output_shape(self, input_shape):
        return input_shape


def steps_until_nan(frontend, most):
    """Trains at a rate of 1.0 on noise with random labels.

    Returns:
        The step that made a NaN or an Inf; None if none of `most` steps did.
    """
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    layers = [frontend, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((400,)), *layers])
    optimizer = keras.optimizers.Adam(1.0)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train():
        step, is_finite = tf.constant(0), tf.constant(True)
        while is_finite and step < most:
            noise = tf.random.uniform((4, 400), -1.0, 1.0)
            labels = tf.random.uniform((4,), 0, 2, tf.int32)
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                    labels, model(noise, training=True)
                )
                loss = tf.reduce_mean(losses)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            sums = [tf.reduce_sum(value) for value in (loss, *model.variables)]
            is_finite = tf.reduce_all(tf.math.is_finite(tf.stack(sums)))
            step += 1
        return is_finite, step

    is_finite, step = train()
    return None if is_finite else int(step)


def test_the_official_pcen_breaks():
    """So the rate is harsh enough to show what is mended here."""
    frontend = leaf_tf.Leaf(**SMALL, method="exact", compression=OfficialPCEN())
    assert steps_until_nan(frontend, STEPS) is not None


def test_five_hundred_steps():
    frontend = leaf_tf.Leaf(**SMALL, method="exact")
    assert steps_until_nan(frontend, 500) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", FRONTENDS)
def test_thousands_of_steps(name):
    assert steps_until_nan(FRONTENDS[name](**SMALL), STEPS) is None


@pytest.mark.slow
@pytest.mark.parametrize("compression", [c for c in COMPRESSIONS if c != "none"])
def test_thousands_of_steps_of_each_compression(compression):
    options = {"learn_filters": True, "compression": compression}
    frontend = leaf_tf.MelFilterbanks(**SMALL, **options)
    assert steps_until_nan(frontend, STEPS) is None
