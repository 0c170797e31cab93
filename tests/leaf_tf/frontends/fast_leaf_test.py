"""Fast LEAF stays the paper's function, also while its filters move."""

import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf.dsp.multirate import allowed_errors, predicted_errors
from tests.leaf_tf.parameters import numbers, parameters_of, perturb

# The promise for white noise at mel initialisation (README).
MAX_ERROR, MEAN_ERROR = 1e-2, 3e-4


def exact_twin(layer):
    """The same frontend by the definition, with the same weights."""
    twin = leaf_tf.Leaf.from_config({**layer.get_config(), "method": "exact"})
    twin.build((None, None))
    twin.set_weights(layer.get_weights())
    return twin


def errors(layer, waveform):
    """Largest and mean difference of the features from the definition."""
    difference = np.abs(numbers(layer(waveform)) - numbers(exact_twin(layer)(waveform)))
    return difference.max(), difference.mean()


def noise(rng, *shape):
    return rng.normal(0, 0.25, shape).clip(-1, 1).astype("float32")


@pytest.mark.parametrize("samples", [1, 100, 161, 700, 12345, 16000])
def test_white_noise(samples, rng):
    largest, mean = errors(leaf_tf.Leaf(), noise(rng, 4, samples))
    assert largest <= MAX_ERROR and mean <= MEAN_ERROR


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_filters": 12, "sample_rate": 24000, "window_len": 32.0},
        {"n_filters": 8, "sample_rate": 8000},
        {"n_filters": 8, "sample_rate": 44100, "max_freq": 20000.0},
        {"n_filters": 12, "window_stride": 7.0, "window_len": 20.0},
        {"n_filters": 10, "window_len": 5.0, "window_stride": 10.0},
        {"n_filters": 1},
        {"n_filters": 16, "preemp": True, "compression": "log"},
    ],
    ids=str,
)
def test_other_rates_windows_and_hops(arguments, rng):
    layer = leaf_tf.Leaf(**arguments)
    waveform = noise(rng, 2, layer.sample_rate // 2)
    largest, mean = errors(layer, waveform)
    # Log features of a small energy are its relative error.
    assert largest <= 3 * MAX_ERROR and mean <= 2 * MEAN_ERROR


def test_random_filters_out_of_bounds_are_planned_for(rng):
    layer = leaf_tf.Leaf(n_filters=12)
    layer.build((None, None))
    perturb(layer, rng)
    largest, mean = errors(layer, noise(rng, 2, 8000))
    assert largest <= 3 * MAX_ERROR and mean <= 2 * MEAN_ERROR


def test_a_lower_tolerance_is_more_exact(rng):
    waveform = noise(rng, 2, 16000)
    means = [
        errors(leaf_tf.Leaf(n_filters=12, tolerance=tolerance), waveform)[1]
        for tolerance in (1e-2, 1e-3, 1e-4)
    ]
    assert means[0] > means[1] > means[2]


def test_silence_is_exact():
    silence = np.zeros((1, 16000), "float32")
    assert errors(leaf_tf.Leaf(), silence)[0] == 0.0


def test_weights_that_are_set_are_planned_for(rng):
    waveform = noise(rng, 2, 8000)
    layer = leaf_tf.Leaf()
    layer(waveform)
    plan = layer.plan
    # Filters a fourth as long: the plan for the old ones would miss most of them.
    layer.filtering.sigmas.assign(numbers(layer.filtering.sigmas) / 4)
    largest, mean = errors(layer, waveform)
    assert layer.plan != plan
    assert largest <= 3 * MAX_ERROR and mean <= 2 * MEAN_ERROR


def test_keras_file_keeps_the_plan(rng, tmp_path):
    model = keras.Sequential([keras.Input((None,)), leaf_tf.Leaf(n_filters=10)])
    layer = model.layers[0]
    layer.filtering.sigmas.assign(numbers(layer.filtering.sigmas) / 3)
    expected = model.predict(noise(rng, 1, 4000), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].plan == layer.plan
    rng = np.random.default_rng(20260801)
    outputs = loaded.predict(noise(rng, 1, 4000), verbose=0)
    np.testing.assert_array_equal(outputs, expected)


def test_replan_makes_compiled_functions_follow_set_weights(rng):
    waveform = noise(rng, 1, 8000)
    model = keras.Sequential([keras.Input((None,)), leaf_tf.Leaf(n_filters=10)])
    model.predict(waveform, verbose=0)
    weights = parameters_of(model.layers[0])
    weights["sigmas"] = weights["sigmas"] / 4
    model.set_weights([weights[w.name] for w in model.weights])
    assert leaf_tf.replan(model)
    outputs = model.predict(waveform, verbose=0)
    exact = numbers(exact_twin(model.layers[0])(waveform))
    assert np.abs(outputs - exact).max() <= 3 * MAX_ERROR
    assert not leaf_tf.replan(model)


def drive(model, sigmas, epochs, callbacks):
    """Trains the frontend's sigmas hard in one direction."""
    waveform = np.random.default_rng(0).normal(0, 0.1, (8, 1600)).astype("float32")
    targets = np.zeros((8, 10, 2), "float32")
    model.compile(keras.optimizers.SGD(100.0), "mse", jit_compile=False)
    model.fit(waveform, targets, epochs=epochs, verbose=0, callbacks=callbacks)
    return numbers(model.layers[0].filtering.sigmas) / sigmas


@pytest.mark.parametrize(
    "options", [{}, {"n_filters": 20, "sample_rate": 8000}], ids=str
)
def test_where_optimizers_may_go_errors_stay_small(options, rng):
    layer = leaf_tf.Leaf(**options)
    layer.build((None, None))
    plan = layer.plan
    filtering, pooling = layer.filtering, layer.pooling
    for _ in range(3):
        corner = []
        for weight in (filtering.center_freqs, filtering.sigmas, pooling.widths):
            bounds = weight.constraint
            at_top = rng.integers(0, 2, weight.shape)
            corner.append(np.where(at_top, bounds.max_value, bounds.min_value))
        allowed = allowed_errors(corner[1], layer.kernel_size, plan.tolerance)
        assert np.all(predicted_errors(plan, *corner) < 20 * allowed)


def test_optimizers_stay_within_reach_and_replan_moves_it():
    def build():
        layer = leaf_tf.Leaf(n_filters=2, compression="none")
        return keras.Sequential([keras.Input((None,)), layer])

    model = build()
    sigmas = numbers(model.layers[0].filtering.sigmas)
    moved = drive(model, sigmas, epochs=6, callbacks=[])
    # Without the callback filters stop at the plan's edge...
    assert np.abs(np.log(moved)).max() == pytest.approx(np.log(1.2), rel=1e-3)
    callback = leaf_tf.Replan()
    model = build()
    moved = drive(model, sigmas, epochs=6, callbacks=[callback])
    # ... and with it they go on.
    assert callback.n_replans >= 1
    assert np.abs(np.log(moved)).max() > 1.5 * np.log(1.2)
    waveform = np.random.default_rng(1).normal(0, 0.25, (1, 8000)).astype("float32")
    layer = model.layers[0]
    exact = numbers(exact_twin(layer)(waveform))
    assert np.abs(numbers(layer(waveform)) - exact).max() <= 0.02 * np.abs(exact).max()


def test_bad_arguments():
    with pytest.raises(ValueError, match="`method` must be one of"):
        leaf_tf.Leaf(method="quick")
    with pytest.raises(ValueError, match="`tolerance` must be above 0"):
        leaf_tf.Leaf(tolerance=0.0)


def test_a_plan_can_be_adopted_and_the_exact_method_has_none(rng):
    layer = leaf_tf.Leaf()
    waveform = rng.normal(size=(1, 4000)).astype(np.float32)
    expected = layer(waveform)
    plan = layer.plan
    layer.adopt_plan(plan.compact())
    assert layer.plan == plan.compact() != plan
    np.testing.assert_allclose(layer(waveform), expected, rtol=1e-4)
    exact = leaf_tf.Leaf(method="exact")
    exact.build((None, None))
    with pytest.raises(ValueError, match="computes by no plan"):
        exact.adopt_plan(plan)
