import keras
import numpy as np
import pytest
from keras import ops

from leaf_tf.layers.spec_augment import SpecAugment, interpolated, warped_times
from tests.leaf_tf.parameters import numbers

BACKEND = keras.backend.backend()
OFF = {"time_warp": 0, "n_freq_masks": 0, "n_time_masks": 0}
# Nothing else in a test's features.
MASKED = -7.0


def augmented(features, mask=None, **arguments):
    """Of a fresh layer with the same seed each time, and only what is asked for."""
    layer = SpecAugment(**{**OFF, "mask_value": MASKED, "seed": 3, **arguments})
    return numbers(layer(features.astype("float32"), training=True, mask=mask))


def widths_of_single_masks(is_masked):
    """(clips, places) -> width of the mask of each clip, which is in one piece."""
    rises = np.diff(is_masked.astype(int), axis=1, prepend=0) == 1
    assert rises.sum(axis=1).max() <= 1
    return is_masked.sum(axis=1)


def assert_even(values, size):
    """Each of 0 ... size - 1 as often as the others, to 5 standard deviations."""
    counts = np.bincount(values, minlength=size)
    assert len(counts) == size
    expected = len(values) / size
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


@pytest.mark.parametrize("training", [None, False])
def test_identity_outside_training(training, rng):
    features = rng.normal(size=(3, 50, 8)).astype("float32")
    outputs = SpecAugment()(features, training=training)
    np.testing.assert_array_equal(numbers(outputs), features)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="reads TensorFlow's graph")
def test_leaves_nothing_in_the_graph_of_inference():
    import tensorflow as tf

    layer = SpecAugment()
    graph = tf.function(lambda x: layer(x, training=False)).get_concrete_function(
        tf.TensorSpec([None, None, 40])
    )
    kinds = {operation.type for operation in graph.graph.get_operations()}
    assert kinds <= {"Placeholder", "Identity", "NoOp"}


def test_a_frequency_mask_hides_whole_channels_of_any_width(rng):
    features = rng.normal(size=(3000, 4, 12))
    outputs = augmented(features, n_freq_masks=1, freq_mask=5)
    is_masked = outputs == MASKED
    np.testing.assert_array_equal(is_masked, is_masked[:, :1].repeat(4, axis=1))
    np.testing.assert_array_equal(
        outputs[~is_masked], features.astype("float32")[~is_masked]
    )
    widths = widths_of_single_masks(is_masked[:, 0])
    assert_even(widths, 6)
    firsts = is_masked[:, 0].argmax(axis=1)
    assert_even(firsts[widths == 5], 12 - 5 + 1)


def test_a_time_mask_hides_whole_frames_of_any_width(rng):
    features = rng.normal(size=(3000, 20, 3))
    outputs = augmented(
        features, n_time_masks=1, time_mask=100, time_mask_fraction=0.25
    )
    is_masked = outputs == MASKED
    np.testing.assert_array_equal(is_masked, is_masked[:, :, :1].repeat(3, axis=2))
    widths = widths_of_single_masks(is_masked[:, :, 0])
    assert_even(widths, 6)
    assert_even(is_masked[widths == 5, :, 0].argmax(axis=1), 20 - 5 + 1)
    narrow = augmented(features, n_time_masks=1, time_mask=3, time_mask_fraction=1.0)
    assert_even(widths_of_single_masks(narrow[:, :, 0] == MASKED), 4)


def test_as_many_masks_as_asked_for(rng):
    features = rng.normal(size=(500, 50, 60))
    for hidden in (
        augmented(features, n_freq_masks=3, freq_mask=2)[:, 0],
        augmented(features, n_time_masks=3, time_mask=2)[:, :, 0],
    ):
        is_masked = hidden == MASKED
        rises = np.diff(is_masked.astype(int), axis=1, prepend=0) == 1
        assert rises.sum(axis=1).max() == 3
        assert is_masked.sum(axis=1).max() == 6


def test_default_width_is_27_of_80_channels():
    for channels, widest in ((80, 27), (40, 13), (2, 0)):
        features = np.zeros((1000, 1, channels))
        outputs = augmented(features, n_freq_masks=1)
        widths = (outputs[:, 0] == MASKED).sum(axis=1)
        assert widths.max() == widest


def test_masks_may_be_wider_than_the_image():
    features = np.zeros((500, 5, 3))
    outputs = augmented(
        features,
        n_freq_masks=1,
        freq_mask=100,
        n_time_masks=1,
        time_mask=100,
        time_mask_fraction=1.0,
    )
    parts = (outputs == MASKED).mean(axis=(1, 2))
    assert parts.min() == 0 and parts.max() == 1


def test_masks_hold_the_mean_of_their_clip(rng):
    features = rng.normal(size=(50, 30, 10)) + 100 * np.arange(50)[:, None, None]
    outputs = augmented(features, n_freq_masks=2, n_time_masks=2, mask_value="mean")
    is_masked = np.abs(outputs - features) > 1e-3
    assert is_masked.any(axis=(1, 2)).mean() > 0.9
    means = np.broadcast_to(features.mean(axis=(1, 2), keepdims=True), features.shape)
    np.testing.assert_allclose(outputs[is_masked], means[is_masked], rtol=1e-5)


def test_warp_equals_linear_interpolation_in_float64(rng):
    features = rng.normal(size=(5, 40, 3))
    center = np.array([10.0, 20.3, 25.0, 1.5, 38.0])
    shift = np.array([0.0, 4.1, 13.5, 0.25, -37.5])
    times = warped_times(
        40,
        ops.full((5, 1), 39.0),
        ops.convert_to_tensor(center[:, None], "float32"),
        ops.convert_to_tensor(shift[:, None], "float32"),
    )
    outputs = numbers(interpolated(ops.convert_to_tensor(features, "float32"), times))
    frames = np.arange(40)
    for n in range(5):
        expected = np.interp(frames, [0, center[n] + shift[n], 39], [0, center[n], 39])
        np.testing.assert_allclose(numbers(times)[n], expected, atol=2e-5)
        for channel in range(3):
            np.testing.assert_allclose(
                outputs[n, :, channel],
                np.interp(expected, frames, features[n, :, channel]),
                atol=1e-4,
            )


def test_a_warp_up_to_an_end_leaves_one_part():
    """The part before, or behind, the point has vanished but for its outer frame."""
    shift = ops.convert_to_tensor([[-10.0], [29.0], [0.0]], "float32")
    times = warped_times(40, ops.full((3, 1), 39.0), ops.full((3, 1), 10.0), shift)
    frames = np.arange(40)
    expected = np.stack([10 + frames * 29 / 39, frames * 10 / 39, frames])
    expected[0, 0], expected[1, 39] = 0, 10
    np.testing.assert_allclose(numbers(times), expected, atol=1e-5)


@pytest.mark.parametrize("frames, reach", [(401, 80), (101, 25)])
def test_warp_of_a_ramp_is_the_closed_form(frames, reach):
    """A ramp becomes the two lines that the frames come from."""
    last = frames - 1
    frame = np.arange(frames)
    ramp = np.broadcast_to(frame[None, :, None], (400, frames, 1))
    outputs = augmented(ramp, time_warp=80)[:, :, 0]
    np.testing.assert_array_equal(outputs[:, [0, -1]], [[0, last]] * 400)
    centers, shifts = [], []
    for warped in outputs:
        slopes = (warped[1] - warped[0], warped[-1] - warped[-2])
        if min(slopes) < 1e-2 or max(slopes) > 4 or abs(slopes[0] - slopes[1]) < 0.1:
            continue  # Where the bend is can't be told to a frame.
        bend = last * (1 - slopes[1]) / (slopes[0] - slopes[1])
        center = slopes[0] * bend
        np.testing.assert_allclose(
            warped, np.interp(frame, [0, bend, last], [0, center, last]), atol=0.02
        )
        centers.append(center)
        shifts.append(bend - center)
    assert len(shifts) > 100
    assert np.min(centers) > reach - 0.1 and np.max(centers) < last - reach + 0.1
    assert np.abs(shifts).max() < reach + 0.1
    assert np.min(shifts) < -0.8 * reach and np.max(shifts) > 0.8 * reach


def test_clips_and_calls_differ_and_seeds_repeat(rng):
    features = np.repeat(rng.normal(size=(1, 100, 40)), 20, axis=0).astype("float32")
    for only in (
        {"time_warp": 10},
        {"n_freq_masks": 2, "freq_mask": 27},
        {"n_time_masks": 2, "time_mask": 100},
    ):
        layers = [SpecAugment(**{**OFF, **only, "seed": s}) for s in (1, 1, 2)]
        first, again, other = (numbers(y(features, training=True)) for y in layers)
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)
        assert not np.array_equal(first, numbers(layers[0](features, training=True)))
        assert len({clip.tobytes() for clip in first}) > 15


def test_a_padded_clip_is_augmented_as_it_would_be_alone(rng):
    features = rng.normal(size=(5, 60, 20)).astype("float32")
    lengths = np.array([0, 1, 33, 33, 60])
    is_frame = np.arange(60) < lengths[:, None]
    features[~is_frame] = 1e9
    arguments = {
        "time_warp": 20,
        "n_freq_masks": 2,
        "n_time_masks": 2,
        "time_mask": 30,
        "time_mask_fraction": 0.5,
        "mask_value": "mean",
    }
    outputs = augmented(features, mask=is_frame, **arguments)
    np.testing.assert_array_equal(outputs[~is_frame], features[~is_frame])
    assert not np.array_equal(outputs[is_frame], features[is_frame])
    for length in (1, 33, 60):
        alone = augmented(features[:, :length], **arguments)
        np.testing.assert_allclose(
            outputs[lengths == length, :length], alone[lengths == length], atol=1e-4
        )


def test_masks_scale_with_the_clip_not_the_batch():
    """In clips of 10 of 1000 frames a mask of a fifth has up to 2."""
    is_frame = np.broadcast_to(np.arange(1000) < 10, (500, 1000))
    outputs = augmented(
        np.zeros((500, 1000, 1)),
        mask=is_frame,
        n_time_masks=1,
        time_mask=100,
        time_mask_fraction=0.2,
    )
    is_masked = outputs[:, :, 0] == MASKED
    assert not is_masked[:, 10:].any()
    assert is_masked.any(axis=0)[:10].all()
    assert_even(is_masked.sum(axis=1), 3)


def test_passes_the_mask_on():
    inputs = keras.Input((None, 4))
    masked = keras.layers.Masking(0.0)(inputs)
    outputs = SpecAugment(**{**OFF, "n_time_masks": 1})(masked)
    assert outputs._keras_mask is not None


def test_gradient_is_1_where_features_pass_and_0_where_hidden(rng):
    features = rng.normal(size=(8, 30, 10)).astype("float32")
    arguments = {"n_freq_masks": 1, "freq_mask": 5, "n_time_masks": 1}
    gradient = gradient_of_sum(
        lambda x: SpecAugment(**{**OFF, **arguments, "mask_value": MASKED, "seed": 5})(
            x, training=True
        ),
        features,
    )
    outputs = augmented(features, **arguments, seed=5)
    np.testing.assert_array_equal(gradient, (outputs != MASKED).astype(float))


def test_gradient_of_the_warp_is_what_each_frame_gives(rng):
    features = rng.normal(size=(4, 30, 2)).astype("float32")
    gradient = gradient_of_sum(
        lambda x: SpecAugment(**{**OFF, "time_warp": 7, "seed": 5})(x, training=True),
        features,
    )
    # The warp is linear, so the outputs of unit impulses are its matrix.
    impulses = np.broadcast_to(np.eye(30, dtype="float32"), (4, 30, 30))
    given = augmented(impulses, time_warp=7, seed=5).sum(axis=1)
    np.testing.assert_allclose(gradient[:, :, 0], given, atol=1e-5)
    np.testing.assert_allclose(gradient[:, :, 1], given, atol=1e-5)


def gradient_of_sum(function, values):
    """d sum(function(values)) / d values, on each backend."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        inputs = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(function(inputs))
        return tape.gradient(total, inputs).numpy()
    if BACKEND == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: function(x).sum())(values))
    inputs = ops.convert_to_tensor(values).clone().requires_grad_(True)
    function(inputs).sum().backward()
    return numbers(inputs.grad)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_trains_with_unknown_shapes_and_new_masks_each_step(jit_compile, rng):
    if jit_compile and BACKEND == "torch":
        pytest.skip("compiling takes torch long")
    inputs = keras.Input((None, 12))
    outputs = SpecAugment(seed=1)(inputs)
    # Counts what is hidden: its weight falls by the part that is not.
    outputs = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(outputs)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(outputs))
    model.compile("sgd", "mse", jit_compile=jit_compile)
    features = rng.normal(size=(6, 50, 12)).astype("float32")
    losses = [model.train_on_batch(features, np.zeros((6, 1))) for _ in range(3)]
    assert np.all(np.isfinite(losses))
    np.testing.assert_allclose(
        model.predict(features, verbose=0)[:, 0],
        (features @ numbers(model.layers[2].kernel)).mean(axis=(1, 2)),
        rtol=1e-4,
        atol=1e-5,
    )


def test_computes_in_float32_under_half_precision_policies(rng):
    features = rng.normal(size=(4, 50, 10)).astype("float32") + 100
    exact = augmented(features, time_warp=10, n_time_masks=2, mask_value="mean")
    for policy in ("mixed_float16", "mixed_bfloat16"):
        layer = SpecAugment(
            time_warp=10, n_freq_masks=0, n_time_masks=2, seed=3, dtype=policy
        )
        outputs = layer(features, training=True)
        assert keras.backend.standardize_dtype(outputs.dtype) in policy
        outputs = numbers(ops.cast(outputs, "float32"))
        np.testing.assert_allclose(outputs, exact, rtol=2.0**-8)


def test_a_saved_layer_augments_alike(tmp_path, rng):
    features = rng.normal(size=(4, 50, 10)).astype("float32")
    layer = SpecAugment(5, 1, 4, 3, 9, 0.5, mask_value=0.25, seed=11)
    model = keras.Sequential([keras.Input((None, 10)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].get_config() == layer.get_config()
    np.testing.assert_array_equal(
        numbers(loaded(features, training=True)),
        numbers(model(features, training=True)),
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"time_mask": -1}, "`time_mask` must be an integer of at least 0. Received"),
        ({"time_warp": 2.5}, "`time_warp` must be an integer of at least 0. Receiv"),
        ({"n_freq_masks": True}, "`n_freq_masks` must be an integer of at least 0."),
        ({"freq_mask": "wide"}, "`freq_mask` must be an integer of at least 0. Rec"),
        ({"time_mask_fraction": 1.1}, r"must be a number in \[0, 1\]. Received: 1.1"),
        ({"mask_value": "zero"}, '`mask_value` must be "mean" or a finite number. R'),
        ({"mask_value": float("nan")}, "finite number. Received: nan"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SpecAugment(**arguments)
