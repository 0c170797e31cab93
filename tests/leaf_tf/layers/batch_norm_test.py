"""Moving averages are the weighted means of what was seen, from the first step on."""

import keras
import numpy as np
import pytest

from leaf_tf.encoders.bcresnet import SubSpectralNorm
from leaf_tf.encoders.images import with_corrected_norms
from leaf_tf.encoders.masked import MaskedBatchNormalization
from leaf_tf.layers import BatchNormalization, TemporalBatchNorm
from tests.leaf_tf.parameters import numbers

# Of one group of rows, so that all of them have the same statistics.
LAYERS = {
    "batch_norm": lambda **k: BatchNormalization(**{"momentum": 0.99, **k}),
    "masked": lambda **k: MaskedBatchNormalization(**{"momentum": 0.9, **k}),
    "sub_spectral": lambda **k: SubSpectralNorm(groups=1, **k),
    "temporal": TemporalBatchNorm,
}


@pytest.fixture(params=LAYERS.values(), ids=LAYERS)
def make(request):
    return request.param


def batches(rng, make, n=4):
    """Of means and variances that differ from those at the start, and move."""
    shape = (8, 5, 3) if make is TemporalBatchNorm else (8, 5, 2, 3)
    return [rng.normal(4 + i, 0.1 * (i + 1), shape).astype("float32") for i in range(n)]


def moments(batch):
    flat = batch.astype(np.float64).reshape(-1, batch.shape[-1])
    return flat.mean(axis=0), flat.var(axis=0)


def averages(layer):
    return [np.ravel(numbers(w)) for w in (layer.moving_mean, layer.moving_variance)]


def train(layer, values):
    for batch in values:
        layer(batch, training=True)


def expect(layer, mean, variance, rtol=1e-4):
    found = averages(layer)
    np.testing.assert_allclose(found[0], mean, rtol=rtol)
    np.testing.assert_allclose(found[1], variance, rtol=rtol)


def test_they_are_means_weighted_by_powers_of_the_momentum(make, rng):
    layer, seen = make(), batches(rng, make)
    for n in range(1, len(seen) + 1):
        train(layer, seen[n - 1 : n])
        weights = layer.momentum ** np.arange(n)[::-1]
        weights = weights / weights.sum()
        mean = sum(w * moments(b)[0] for w, b in zip(weights, seen))
        variance = sum(w * moments(b)[1] for w, b in zip(weights, seen))
        expect(layer, mean, variance)


def test_after_one_step_a_batch_is_normalised_by_its_own(make, rng):
    layer, (batch,) = make(), batches(rng, make, 1)
    trained = numbers(layer(batch, training=True))
    np.testing.assert_allclose(numbers(layer(batch)), trained, atol=1e-4)


def test_before_it_they_are_those_of_keras(make, rng):
    layer, (batch,) = make(), batches(rng, make, 1)
    np.testing.assert_allclose(numbers(layer(batch)), batch, rtol=1e-3)


def test_frozen_they_stay(make, rng):
    layer = make()
    layer.build(batches(rng, make, 1)[0].shape)
    layer.trainable = False
    train(layer, batches(rng, make))
    expect(layer, np.zeros(3), np.ones(3))


def test_averages_set_from_outside_are_kept_by_the_momentum(make, rng):
    layer, (batch,) = make(), batches(rng, make, 1)
    layer.build(batch.shape)
    layer.moving_mean.assign(np.full_like(numbers(layer.moving_mean), 2.0))
    train(layer, [batch])
    mean, variance = moments(batch)
    m = layer.momentum
    expect(layer, m * 2 + (1 - m) * mean, m + (1 - m) * variance)


def test_what_was_seen_is_no_weight(make, rng):
    layer = make()
    layer.build(batches(rng, make, 1)[0].shape)
    assert len(layer.weights) == len(layer.get_weights()) == 4
    assert layer.count_params() == 12
    assert len(layer.variables) == len(layer.weights) + 1


def test_it_is_no_float16(make, rng):
    if keras.backend.backend() == "torch":
        pytest.skip("torch has no float16 weights on CPUs")
    layer, seen = make(dtype="float16"), batches(rng, make)
    train(layer, seen)
    assert keras.backend.standardize_dtype(layer.variables[-1].dtype) == "float32"
    assert np.isfinite(averages(layer)).all()


def model_of(make, seen, layer=None):
    model = keras.Sequential([keras.Input(seen[0].shape[1:]), layer or make()])
    model.compile(loss="mse")
    return model


def test_resumed_they_go_on_as_if_never_saved(make, rng, tmp_path):
    seen = batches(rng, make)
    model = model_of(make, seen)
    train(model.layers[0], seen[:2])
    model.save(tmp_path / "model.keras")
    resumed = keras.models.load_model(tmp_path / "model.keras")
    for one in (model, resumed):
        train(one.layers[0], seen[2:])
    np.testing.assert_array_equal(
        averages(model.layers[0]), averages(resumed.layers[0])
    )


def test_fit_moves_them(make, rng):
    seen = batches(rng, make)
    model = model_of(make, seen)
    model.fit(seen[0], seen[0], batch_size=8, epochs=3, verbose=0)
    expect(model.layers[0], *moments(seen[0]))


@pytest.mark.parametrize("kind", [BatchNormalization, MaskedBatchNormalization])
def test_weights_of_keras_load_and_go_on_as_its_own(kind, rng, tmp_path):
    def make(**options):
        return kind(momentum=0.9, **options)

    seen = batches(rng, make)
    keras_own = keras.layers.BatchNormalization(momentum=0.9)
    old = model_of(make, seen, keras_own)
    train(keras_own, seen[:2])
    layer = model_of(make, seen).layers[0]
    store = {}
    keras_own.save_own_variables(store)
    assert len(store) == 4
    layer.load_own_variables({name: numbers(v) for name, v in store.items()})
    outputs = [numbers(one(seen[3])) for one in (layer, keras_own)]
    np.testing.assert_array_equal(*outputs)
    for one in (layer, keras_own):
        train(one, seen[2:])
    np.testing.assert_allclose(averages(layer), averages(keras_own), rtol=1e-5)
    if kind is BatchNormalization:
        old.save_weights(tmp_path / "old.weights.h5")
        new = model_of(make, seen)
        new.load_weights(tmp_path / "old.weights.h5")
        np.testing.assert_array_equal(averages(new.layers[0]), averages(keras_own))


def test_weights_that_saw_nothing_are_corrected_though_a_file_lacks_the_count(rng):
    layer, (batch,) = BatchNormalization(), batches(rng, BatchNormalization, 1)
    layer.build(batch.shape)
    old = {str(i): numbers(weight) for i, weight in enumerate(layer.weights)}
    layer.load_own_variables(old)
    train(layer, [batch])
    expect(layer, *moments(batch))


def test_forgotten_starts_are_not_saved(rng):
    layer, seen = BatchNormalization(momentum=0.1), batches(rng, BatchNormalization)
    train(layer, seen * 3)
    store = {}
    layer.save_own_variables(store)
    assert sorted(store) == ["0", "1", "2", "3"]


def test_a_large_mean_costs_a_small_variance_nothing(rng):
    batch = (1000 + 0.1 * rng.standard_normal((64, 50, 2, 1))).astype("float32")
    layer = BatchNormalization()
    train(layer, [batch])
    expect(layer, *moments(batch), rtol=1e-3)


def test_a_momentum_of_1_moves_nothing(rng):
    layer, seen = BatchNormalization(momentum=1.0), batches(rng, BatchNormalization)
    train(layer, seen)
    expect(layer, np.zeros(3), np.ones(3))


def test_a_network_of_keras_gets_them_with_its_weights(rng):
    inputs = keras.Input((6, 3))
    outputs = keras.layers.BatchNormalization(momentum=0.7, name="norm")(
        keras.layers.Conv1D(4, 1, name="mix")(inputs)
    )
    network = keras.Model(inputs, outputs * 2.0)
    copy = with_corrected_norms(network)
    norm = copy.get_layer("norm")
    assert type(norm) is BatchNormalization
    assert norm.momentum == 0.7
    batch = rng.normal(size=(2, 6, 3)).astype("float32")
    np.testing.assert_array_equal(numbers(copy(batch)), numbers(network(batch)))
