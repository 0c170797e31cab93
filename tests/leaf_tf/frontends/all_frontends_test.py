"""What every frontend owes a Keras user."""

import keras
import numpy as np
import pytest
from keras import ops

import leaf_tf
from leaf_tf.frontends import FRONTENDS
from tests.leaf_tf.parameters import numbers, perturb

TENSORFLOW = keras.backend.backend() == "tensorflow"
needs_tensorflow = pytest.mark.skipif(
    not TENSORFLOW, reason="tests TensorFlow's own tracing"
)

pytestmark = pytest.mark.parametrize("frontend", FRONTENDS.values(), ids=FRONTENDS)

# Silence, an impulse, full scale, 0 Hz, denormals and the scale of 16-bit integers.
SIGNALS = np.stack(
    [
        np.zeros(3200),
        np.eye(1, 3200, 1600)[0],
        np.sign(np.sin(np.arange(3200))),
        np.ones(3200),
        np.full(3200, 1e-40),
        32768 * np.sin(np.arange(3200)),
    ]
)


def noise(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


@pytest.mark.parametrize("samples, frames", [(1, 1), (160, 1), (561, 4), (16000, 100)])
def test_same_features_for_both_ranks_and_as_declared(frontend, samples, frames, rng):
    waveform = noise(rng, 2, samples)
    layer = frontend()
    if frontend is leaf_tf.TimeDomainFilterbanks:  # whole windows only
        frames = max(frames - 2, 1)
    features = layer(waveform)
    assert tuple(features.shape) == (2, frames, 40)
    assert layer.compute_output_shape((2, samples)) == (2, frames, 40)
    assert layer.compute_output_shape((None, None, 1)) == (None, None, 40)
    again = layer(waveform[..., None])
    np.testing.assert_array_equal(numbers(features), numbers(again))


def test_sequential_and_functional_with_unknown_length(frontend, rng):
    small = {"n_filters": 8, "sample_rate": 8000}
    sequential = keras.Sequential([keras.Input((None,)), frontend(**small)])
    inputs = keras.Input((None, 1))
    functional = keras.Model(inputs, frontend(**small)(inputs))
    assert sequential.output_shape == (None, None, 8)
    layer = frontend(**small)
    layer.build((None, None))
    sequential.set_weights(layer.get_weights())
    functional.set_weights(layer.get_weights())
    for samples in (1, 500, 10400):
        waveform = noise(rng, 2, samples)
        expected = numbers(layer(waveform))
        for outputs in (
            sequential.predict(waveform, verbose=0),
            functional.predict(waveform[..., None], verbose=0),
        ):
            np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_keras_file_round_trip(frontend, rng, tmp_path):
    layer = frontend(n_filters=8, sample_rate=8000, window_len=20.0)
    model = keras.Sequential([keras.Input((None,)), layer, keras.layers.Dense(3)])
    if layer.weights:
        perturb(layer, rng)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    waveform = noise(rng, 2, 3000)
    np.testing.assert_array_equal(numbers(model(waveform)), numbers(loaded(waveform)))
    assert loaded.layers[0].get_config() == layer.get_config()


def test_weights_round_trip(frontend, rng, tmp_path):
    def build():
        return keras.Sequential([keras.Input((None,)), frontend(n_filters=8)])

    model, other = build(), build()
    if model.weights:
        perturb(model.layers[0], rng)
    model.save_weights(tmp_path / "all.weights.h5")
    other.load_weights(tmp_path / "all.weights.h5")
    waveform = noise(rng, 1, 2000)
    np.testing.assert_array_equal(numbers(model(waveform)), numbers(other(waveform)))


def test_config_round_trip_with_a_layer_as_compression(frontend):
    layer = frontend(compression=leaf_tf.PCEN(alpha=0.5, floor=1e-6), min_freq=100.0)
    copy = frontend.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy.compression.get_config()["alpha"] == 0.5
    assert copy.compression is not layer.compression


def test_a_clip_does_not_depend_on_its_neighbours(frontend, rng):
    layer = frontend()
    waveform = noise(rng, 3, 4000)
    alone = numbers(layer(waveform[1:2]))
    waveform[0] *= 1000
    together = numbers(layer(waveform))
    np.testing.assert_allclose(together[1:2], alone, rtol=1e-5, atol=1e-5)


LENGTHS = np.array([4003, 4000, 3999, 1601, 700, 161, 80, 1])


@pytest.mark.parametrize("options", [{}, {"mean_var_norm": True}], ids=str)
def test_a_padded_clip_gives_what_it_gives_alone(frontend, options, rng):
    layer = frontend(**options)
    clips = [noise(rng, 1, length) for length in LENGTHS]
    # What follows a clip is no sound, and not heard either.
    padded = noise(rng, len(LENGTHS), LENGTHS.max())
    for row, clip in zip(padded, clips):
        row[: clip.size] = clip[0]
    mask = np.arange(LENGTHS.max()) < LENGTHS[:, None]
    by_lengths = numbers(layer(padded, lengths=LENGTHS))
    np.testing.assert_array_equal(by_lengths, numbers(layer(padded, mask=mask)))
    for row, clip in zip(by_lengths, clips):
        alone = numbers(layer(clip))[0]
        # Two frames alike, brought to variance 1, show their last bits.
        atol = 1e-4 if options else 1e-5
        np.testing.assert_allclose(row[: len(alone)], alone, rtol=1e-5, atol=atol)
        assert not row[len(alone) :].any()


def test_a_pooled_classifier_ignores_the_padding_in_predict(frontend, rng):
    waveform = keras.Input((None,), name="waveform")
    lengths = keras.Input((), dtype="int32", name="lengths")
    features = frontend(n_filters=4, sample_rate=8000)(waveform, lengths=lengths)
    outputs = keras.layers.GlobalAveragePooling1D()(features)
    model = keras.Model([waveform, lengths], keras.layers.Dense(3)(outputs))
    padded = noise(rng, len(LENGTHS), LENGTHS.max())
    together = model.predict([padded, LENGTHS], verbose=0)
    for row, clip, length in zip(together, padded, LENGTHS):
        alone = numbers(model([clip[None, :length], np.array([length])]))
        np.testing.assert_allclose(row, alone[0], rtol=1e-5, atol=1e-5)


@needs_tensorflow
def test_a_saved_model_ignores_what_is_masked(frontend, rng, tmp_path):
    import tensorflow as tf

    inputs = keras.Input((None,))
    features = frontend(n_filters=4, sample_rate=8000)(inputs)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(features))

    @tf.function(
        input_signature=[tf.TensorSpec((None, None)), tf.TensorSpec((None,), "int32")]
    )
    def serve(waveform, lengths):
        return model(waveform, mask=tf.sequence_mask(lengths, tf.shape(waveform)[1]))

    module = tf.Module()
    module.model, module.serve = model, serve
    tf.saved_model.save(module, tmp_path)
    padded = noise(rng, len(LENGTHS), LENGTHS.max())
    loaded = tf.saved_model.load(tmp_path)
    together = loaded.serve(padded, LENGTHS.astype("int32"))
    for row, clip, length in zip(together, padded, LENGTHS):
        alone = numbers(model(clip[None, :length]))
        np.testing.assert_allclose(row, alone[0], rtol=1e-5, atol=1e-5)


def test_no_clip_is_longer_than_the_batch(frontend, rng):
    layer, waveform = frontend(n_filters=4), noise(rng, 2, 1000)
    too_long = numbers(layer(waveform, lengths=[5000, 1001]))
    np.testing.assert_allclose(too_long, numbers(layer(waveform)), atol=1e-5)


@pytest.mark.parametrize(
    "lengths, message",
    [
        (np.array([1.0]), "`lengths` must be integers"),
        (np.array([[1]]), r"`lengths` must be of shape \(batch,\)"),
    ],
)
def test_refuses_other_lengths(frontend, lengths, message, rng):
    with pytest.raises(ValueError, match=message):
        frontend()(noise(rng, 1, 100), lengths=lengths)


@pytest.mark.parametrize(
    "policy", ["float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16"]
)
@needs_tensorflow
def test_finite_outputs_and_gradients(frontend, policy):
    import tensorflow as tf

    layer = frontend(dtype=policy)
    layer.build((None, None))
    with tf.GradientTape() as tape:
        features = layer(SIGNALS.astype("float32"))
        loss = tf.reduce_mean(tf.cast(features, tf.float32))
    assert features.dtype.name in policy
    assert np.all(np.isfinite(numbers(ops.cast(features, "float32"))))
    for gradient in tape.gradient(loss, layer.trainable_variables):
        assert np.all(np.isfinite(gradient))


@pytest.mark.skipif(
    not TENSORFLOW, reason="JAX has no float64 unless told so; Keras on torch mixes it"
)
def test_float64_policy(frontend, rng):
    waveform = noise(rng, 1, 2000)
    double, layer = frontend(dtype="float64"), frontend()
    single = numbers(layer(waveform))
    double.build((None, None))
    double.set_weights(layer.get_weights())
    features = double(waveform.astype("float64"))
    assert keras.backend.standardize_dtype(features.dtype) == "float64"
    np.testing.assert_allclose(numbers(features), single, rtol=1e-4, atol=1e-4)


@needs_tensorflow
def test_jit_compile(frontend, rng):
    import tensorflow as tf

    waveform = noise(rng, 2, 2000)
    layer = frontend(n_filters=8, sample_rate=8000)
    compiled = tf.function(layer, jit_compile=True)
    np.testing.assert_allclose(
        compiled(waveform), layer(waveform), rtol=1e-4, atol=1e-4
    )


def test_fits_with_jit(frontend, rng):
    """A step that is compiled is the step that is not, of each weight."""
    waveforms = noise(rng, 8, 400)
    waveforms[::2] = np.cumsum(waveforms[::2], axis=1) / 20
    labels = np.arange(8) % 2

    def step(jit_compile):
        """The loss before, and how each weight that is learned moved."""
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((400,)),
                frontend(n_filters=4, sample_rate=8000),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dense(2),
            ]
        )
        # Not Adam, which makes a whole step of a gradient that is rounding alone.
        model.compile(
            keras.optimizers.SGD(0.1),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            run_eagerly=not jit_compile,
            jit_compile=jit_compile,
        )
        before = [numbers(weight).copy() for weight in model.trainable_weights]
        fitted = model.fit(waveforms, labels, batch_size=8, shuffle=False, verbose=0)
        after = [numbers(weight) for weight in model.trainable_weights]
        moves = [new - old for new, old in zip(after, before)]
        [loss] = fitted.history["loss"]
        return loss, moves, [np.spacing(np.abs(old).max()) for old in before]

    loss, moves, roundings = step(jit_compile=False)
    compiled_loss, compiled_moves, _ = step(jit_compile=True)
    assert compiled_loss == pytest.approx(loss, rel=1e-3)
    for move, compiled, rounding in zip(moves, compiled_moves, roundings):
        assert np.all(np.isfinite(compiled)) and np.any(compiled)
        atol = 0.02 * np.abs(move).max() + 4 * rounding
        np.testing.assert_allclose(compiled, move, rtol=0, atol=atol)


@needs_tensorflow
def test_gradients_are_slopes(frontend, rng):
    """In float64: what is learned goes where the loss falls, and as steeply."""
    import tensorflow as tf

    options = {"learn_filters": True} if frontend is leaf_tf.MelFilterbanks else {}
    layer = frontend(n_filters=4, sample_rate=8000, dtype="float64", **options)
    layer.build((None, None))
    for weight in layer.trainable_weights:  # off the bounds, and what starts as 0
        values = numbers(weight)
        values = values * rng.uniform(0.98, 1.02, values.shape)
        weight.assign(values + rng.uniform(0, 1e-3, values.shape))
    waveform = rng.uniform(-0.5, 0.5, (2, 800))
    features = layer(waveform)
    wanted = rng.normal(size=features.shape)

    def loss():
        return tf.reduce_sum(layer(waveform) * wanted)

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, layer.trainable_variables)
    assert len(gradients) > 0
    for weight, gradient in zip(layer.trainable_weights, gradients):
        steepness = np.linalg.norm(gradient)
        assert steepness > 0
        start = numbers(weight).copy()
        step = 1e-6 * numbers(gradient) / steepness
        weight.assign(start + step)
        above = loss()
        weight.assign(start - step)
        below = loss()
        weight.assign(start)
        slope = float(above - below) / 2e-6
        assert slope == pytest.approx(steepness, rel=1e-3), weight.path


@pytest.mark.parametrize(
    "waveform, message",
    [
        (np.zeros((1, 100, 2), "float32"), "mix the channels down with keras.ops.mean"),
        (np.zeros((1, 1, 100, 1), "float32"), "merge the other axes into the batch"),
        (np.zeros((100,), "float32"), "add the batch axis with waveform"),
        (np.zeros((1, 100), "int16"), "divide 16-bit samples by 32768"),
    ],
    ids=["stereo", "rank 4", "rank 1", "integers"],
)
def test_refuses_other_inputs_with_advice(frontend, waveform, message):
    with pytest.raises(ValueError, match=message):
        frontend()(waveform)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n_filters": -1}, "`n_filters` must be an integer of at least 1"),
        ({"sample_rate": 0}, "`sample_rate` must be an integer of at least 1"),
        ({"window_stride": 0.01}, "`window_stride` must be at least one sample"),
        ({"window_len": 0.0}, "`window_len` must be at least one sample"),
        ({"sample_rate": 8000, "max_freq": 7800.0}, "sample_rate / 2 = 4000.0 Hz"),
        ({"compression": "cube"}, "`compression`.* must be .* a Keras layer"),
    ],
)
def test_bad_arguments(frontend, arguments, message):
    with pytest.raises(ValueError, match=message):
        frontend(**arguments)


def masked_clips(rng):
    """Sounds of 900 and 300 samples, with exact zeros within and after them."""
    clips = noise(rng, 2, 1200, 1)
    clips[:, 100:200] = 0
    clips[0, 900:], clips[1, 300:] = 0, 0
    return clips, np.array([900, 300])


def test_masking_before_a_frontend(frontend, rng, tmp_path):
    clips, lengths = masked_clips(rng)
    layer = frontend(n_filters=4, sample_rate=8000)
    pool = keras.layers.GlobalAveragePooling1D()
    inputs = keras.Input((None, 1))
    masked = keras.layers.Masking()(inputs)
    functional = keras.Model(inputs, pool(layer(masked)))
    sequential = keras.Sequential(
        [keras.Input((1200, 1)), keras.layers.Masking(), layer, pool]
    )
    expected = [
        numbers(pool(layer(clip[None, :length])))
        for clip, length in zip(clips, lengths)
    ]
    functional.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for model in (functional, sequential, loaded):
        np.testing.assert_allclose(
            numbers(model(clips)), np.concatenate(expected), rtol=1e-4, atol=1e-5
        )


def test_a_mask_as_an_argument_of_a_functional_model(frontend, rng):
    clips, lengths = masked_clips(rng)
    layer = frontend(n_filters=4, sample_rate=8000)
    waveform = keras.Input((None,))
    mask = keras.Input((None,), dtype="bool")
    model = keras.Model([waveform, mask], layer(waveform, mask=mask))
    features = numbers(model([clips[..., 0], clips[..., 0] != 0]))
    # What is masked within a sound belongs to it.
    by_lengths = numbers(layer(clips[..., 0], lengths=lengths))
    np.testing.assert_allclose(features, by_lengths, atol=1e-6)


def classifier(frontend, **options):
    inputs = keras.Input((None,))
    layer = frontend(n_filters=4, sample_rate=8000, **options)
    pooled = keras.layers.GlobalAveragePooling1D()(layer(inputs))
    return keras.Model(inputs, keras.layers.Dense(3)(pooled))


@pytest.mark.parametrize("mode", ["int8", "float8"])
@pytest.mark.filterwarnings("ignore:.*does not have a `quantize` method")
def test_quantize_leaves_a_frontend_as_it_is(frontend, mode, rng):
    model = classifier(frontend, mean_var_norm=True, spec_augment=True)
    assert [part.name for part in model._flatten_layers() if not part.built] == []
    layer, waveform = model.layers[1], noise(rng, 1, 800)
    features = numbers(layer(waveform))
    model.quantize(mode)
    assert model.layers[-1].quantization_mode == mode
    np.testing.assert_array_equal(numbers(layer(waveform)), features)


@pytest.mark.parametrize("keep_compression", [False, True])
def test_what_is_frozen_stays_frozen(frontend, keep_compression, tmp_path):
    options = {"learn_filters": True} if frontend is leaf_tf.MelFilterbanks else {}
    if frontend is not leaf_tf.SincNet:
        options["compression"] = "pcen"
    model = classifier(frontend, **options)
    layer = model.layers[1]
    layer.freeze(keep_compression)
    learned = {weight.name for weight in layer.trainable_weights}
    if not keep_compression or frontend is leaf_tf.SincNet:
        assert learned == set()
    else:
        # SincNet+ doesn't learn how its PCEN smooths.
        smoothing = set() if frontend is leaf_tf.SincNetPlus else {"smooth_coef"}
        assert learned == {"alpha", "delta", "root"} | smoothing
    model.save(tmp_path / "model.keras")
    for copy in (
        keras.models.load_model(tmp_path / "model.keras"),
        keras.models.clone_model(model),
    ):
        assert {w.name for w in copy.layers[1].trainable_weights} == learned


def test_trainable_of_a_part_is_saved(frontend):
    layer = frontend(n_filters=4, compression=keras.layers.Dense(4, name="own"))
    assert "trainable_parts" not in layer.get_config()
    layer.build((None, None))
    layer.compressing.trainable = False
    copy = frontend.from_config(layer.get_config())
    copy.build((None, None))
    own, of_copy = layer.trainable_weights, copy.trainable_weights
    assert [w.name for w in of_copy] == [w.name for w in own]
    copy.compressing.trainable = True
    again = frontend.from_config(copy.get_config())
    again.build((None, None))
    assert len(again.trainable_weights) == len(own) + 2


@needs_tensorflow
def test_ragged_clips_are_as_long_as_they_are(frontend, rng):
    import tensorflow as tf

    clips = [noise(rng, 900), noise(rng, 300)]
    layer = frontend(n_filters=4, sample_rate=8000)
    values = np.concatenate(clips)
    ragged = tf.RaggedTensor.from_row_lengths(values, [900, 300])
    columns = tf.RaggedTensor.from_row_lengths(values[:, None], [900, 300])
    # As `keras.utils.audio_dataset_from_directory(ragged=True)` has them.
    twice = tf.ragged.constant([clip[:, None].tolist() for clip in clips])
    assert twice.ragged_rank == 2
    mapped = tf.data.Dataset.from_tensors(twice).map(layer)
    for features in (layer(ragged), layer(columns), next(iter(mapped))):
        for row, clip in zip(numbers(features), clips):
            alone = numbers(layer(clip[None]))[0]
            np.testing.assert_allclose(row[: len(alone)], alone, rtol=1e-5, atol=1e-5)
            assert not row[len(alone) :].any()
    with pytest.raises(ValueError, match="`lengths` must be left out with a ragged"):
        layer(ragged, lengths=np.array([900, 300]))


@keras.saving.register_keras_serializable("tests")
class CallAlone(keras.layers.Layer):
    """A compression of one's own that tells no output shape."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3)

    def call(self, inputs):
        return self.dense(ops.sqrt(ops.relu(inputs) + 1))


@keras.saving.register_keras_serializable("tests")
class AsImage(keras.layers.Layer):
    def call(self, inputs):
        return inputs[..., None]


@keras.saving.register_keras_serializable("tests")
class Forgetful(keras.layers.Layer):
    def call(self, inputs):
        ops.sqrt(inputs)


@keras.saving.register_keras_serializable("tests")
class Twice(keras.layers.Layer):
    def call(self, inputs):
        return inputs, inputs, inputs


def test_a_compression_with_call_alone(frontend, rng, tmp_path):
    inputs = keras.Input((None,))
    layer = frontend(n_filters=4, sample_rate=8000, compression=CallAlone())
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, None, 3)
    assert all(part.built for part in model._flatten_layers())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    waveform = noise(rng, 1, 800)
    np.testing.assert_array_equal(numbers(loaded(waveform)), numbers(model(waveform)))


def test_a_compression_to_other_axes_is_refused(frontend):
    for wrong in (AsImage(), keras.layers.GlobalAveragePooling1D()):
        with pytest.raises(ValueError, match="`compression` must be a layer from ener"):
            frontend(n_filters=4, compression=wrong)(keras.Input((None,)))


def test_a_compression_to_no_tensor_is_refused(frontend):
    for wrong, given in ((Forgetful(), "NoneType"), (Twice(), "tuple")):
        with pytest.raises(ValueError, match=rf"to features .* 4\) to {given}"):
            frontend(n_filters=4, compression=wrong)(keras.Input((None,)))
