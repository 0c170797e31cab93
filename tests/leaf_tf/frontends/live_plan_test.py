"""What was compiled is right for weights that were set afterwards."""

import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf.frontends.live_plan import weights_stay
from tests.leaf_tf.parameters import numbers

OPTIONS = {"n_filters": 5, "sample_rate": 4000, "max_freq": 1900.0}
SIGMA_FACTOR = 1 / 4  # far out of reach of the plan: features would be .05 off
CLOSE = 1e-3

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tests tf.function"
)


@pytest.fixture
def waveform(rng):
    return rng.normal(0, 0.25, (2, 2000)).astype("float32")


def new_model(**options):
    inputs = keras.Input((None,))
    return keras.Model(inputs, leaf_tf.Leaf(**OPTIONS, **options)(inputs))


def set_sigmas(model):
    """Shorter filters, as `set_weights` or a checkpoint may bring them."""
    weights = model.get_weights()
    names = [weight.name for weight in model.weights]
    weights[names.index("sigmas")] *= SIGMA_FACTOR
    model.set_weights(weights)


def exact(model, waveform):
    twin = new_model(method="exact")
    twin.set_weights(model.get_weights())
    return numbers(twin(waveform))


def assert_right(features, model, waveform):
    np.testing.assert_allclose(numbers(features), exact(model, waveform), atol=CLOSE)


@needs_tensorflow
def test_predict_follows_weights_that_are_set(waveform):
    model = new_model()
    before = model.predict(waveform, verbose=0)
    set_sigmas(model)
    after = model.predict(waveform, verbose=0)
    assert np.abs(after - before).max() > 20 * CLOSE
    assert_right(after, model, waveform)


def test_replan_takes_predict_back_to_the_fast_method(waveform):
    model = new_model()
    model.predict(waveform, verbose=0)
    set_sigmas(model)
    model(waveform)  # makes a new plan by itself
    assert leaf_tf.replan(model)
    assert model.predict_function is None
    fast = numbers(model(waveform))
    np.testing.assert_allclose(model.predict(waveform, verbose=0), fast, atol=1e-6)
    assert not leaf_tf.replan(model)
    assert_right(fast, model, waveform)


def test_replan_of_weights_that_have_not_moved_traces_nothing_again(waveform):
    model = new_model()
    assert not leaf_tf.replan(model)  # nothing was traced yet
    model.predict(waveform, verbose=0)
    traced = model.predict_function
    assert not leaf_tf.replan(model)
    assert model.predict_function is traced


@needs_tensorflow
def test_every_holder_of_the_layer_is_right(waveform):
    import tensorflow as tf

    model = new_model()
    outer = keras.Sequential([keras.Input((None,)), model, keras.layers.ReLU()])
    function = tf.function(model.layers[1])
    mapped = tf.data.Dataset.from_tensors(waveform).map(model.layers[1])
    holders = {
        "outer": lambda: outer.predict(waveform, verbose=0),
        "function": lambda: function(waveform),
        "dataset": lambda: next(iter(mapped)),
    }
    for call in holders.values():
        call()
    set_sigmas(model)
    leaf_tf.replan(model)  # retraces none of them
    for call in holders.values():
        assert_right(call(), model, waveform)
    assert leaf_tf.replan(outer)
    assert_right(holders["outer"](), model, waveform)


@needs_tensorflow
def test_gradients_of_a_function_traced_before(waveform):
    import tensorflow as tf

    def gradients(layer, waveform):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(waveform))
        return tape.gradient(loss, [w.value for w in layer.trainable_weights])

    model, twin = new_model(), new_model(method="exact")
    layer = model.layers[1]
    # Of unknown sizes, as Keras traces its training step.
    signature = [tf.TensorSpec((None, waveform.shape[1]))]
    compiled = tf.function(
        lambda waveform: gradients(layer, waveform),
        input_signature=signature,
        autograph=False,
    )
    compiled(waveform)
    set_sigmas(model)
    twin.set_weights(model.get_weights())
    for found, expected in zip(
        compiled(waveform), gradients(twin.layers[1], waveform), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_what_xla_compiled_gives_no_wrong_answer(waveform):
    model = new_model()
    # All of JAX is compiled; torch computes eagerly.
    model.compile(jit_compile=keras.backend.backend() == "tensorflow" or "auto")
    assert_right(model.predict(waveform, verbose=0), model, waveform)
    set_sigmas(model)
    after = model.predict(waveform, verbose=0)
    if keras.backend.backend() == "torch":
        assert_right(after, model, waveform)
    else:
        assert np.isnan(after).all()
    leaf_tf.replan(model)
    assert_right(model.predict(waveform, verbose=0), model, waveform)


@needs_tensorflow
def test_training_goes_on_from_weights_that_are_set(waveform):
    model = new_model()
    model.compile(keras.optimizers.SGD(1e-7), "mse", jit_compile=False)
    targets = np.zeros((2, 50, 5), "float32")
    model.fit(waveform, targets, verbose=0)
    set_sigmas(model)
    filtering = model.layers[1].filtering
    expected = numbers(filtering.bounded(filtering.sigmas))
    callback = leaf_tf.Replan()
    model.fit(waveform, targets, verbose=0, callbacks=[callback])
    # The step traced first would draw them back into the range of its plan.
    found = numbers(filtering.sigmas)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert callback.n_replans == 1


@needs_tensorflow
def test_graphs_of_files_hold_the_fast_method_alone():
    import tensorflow as tf

    layer = leaf_tf.Leaf(**OPTIONS)
    layer.build((None, None))

    def ops():
        function = tf.function(layer, input_signature=[tf.TensorSpec((1, 2000))])
        graph = function.get_concrete_function().graph
        return {operation.type for operation in graph.get_operations()}

    assert {"If", "StatelessIf"} & ops()
    with weights_stay():
        assert not {"If", "StatelessIf"} & ops()
