"""What every encoder owes a frontend."""

import warnings

import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf import encoders
from leaf_tf.encoders import masked as masked_layers
from tests.leaf_tf.encoders.networks import is_frame, masked, perturb
from tests.leaf_tf.parameters import numbers
from tests.reference import networks as reference

MASKED = ("small", "bc_resnet", "cnn6", "cnn10", "cnn14")
UNMASKED = ("efficientnet_b0", "mobilenet_v3_small")
LIGHT = ("small", "bc_resnet", "cnn6")


def named(names):
    """Parameters; CNN14 has 80 million weights, in more of the blocks of CNN10."""
    heavy = {"cnn14": [pytest.mark.slow]}
    return [pytest.param(name, marks=heavy.get(name, [])) for name in names]


@pytest.fixture(scope="module")
def encoder():
    """Encoders by name, of 40 filters, each built once."""
    made = {}

    def get(name):
        if name not in made:
            keras.utils.set_random_seed(0)
            made[name] = encoders.ENCODERS[name](n_filters=40)
            if name in MASKED:
                perturb(made[name], np.random.default_rng(0))
        return made[name]

    return get


@pytest.mark.parametrize("name", named(encoders.ENCODERS))
def test_any_length_and_no_leak_between_clips(name, encoder, rng):
    for frames in (1, 22):
        features = rng.normal(size=(3, frames, 40)).astype("float32")
        together = numbers(encoder(name)(features))
        alone = numbers(encoder(name)(features[1:2]))
        assert np.all(np.isfinite(together))
        np.testing.assert_allclose(together[1:2], alone, rtol=1e-3, atol=1e-4)
        assert together.shape[1:] == encoder(name).output_shape[1:]


@pytest.mark.parametrize("name", named(encoders.ENCODERS))
def test_other_numbers_of_filters(name, encoder, rng):
    for n_filters in (1, 23, 50) if name in LIGHT else (23,):
        other = encoders.ENCODERS[name](n_filters)
        features = rng.normal(size=(2, 1, n_filters)).astype("float32")
        outputs = numbers(other(features))
        assert outputs.shape[1:] == encoder(name).output_shape[1:]
        assert np.all(np.isfinite(outputs))


@pytest.mark.parametrize("name", named(MASKED))
def test_a_padded_clip_gives_the_embedding_of_the_clip_alone(name, encoder, rng):
    frames, lengths = 21, [21, 1, 2, 7, 10]
    features = rng.normal(size=(len(lengths), frames, 40)).astype("float32")
    features *= 1 + 100 * ~is_frame(lengths, frames)[:, :, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        together = masked(encoder(name), 40).predict(
            [features, is_frame(lengths, frames)], verbose=0
        )
    for row, (clip, length) in enumerate(zip(features, lengths)):
        alone = numbers(encoder(name)(clip[None, :length]))[0]
        np.testing.assert_allclose(together[row], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", LIGHT)
def test_statistics_of_training_leave_padding_out(name, encoder, rng):
    # Two clips of one length, and the same with another length of junk behind: what
    # batch normalisation learns, and the gradients, must be the same.
    clips = rng.normal(size=(2, 11, 40)).astype("float32")
    junk = 50 + rng.normal(size=(2, 6, 40)).astype("float32")
    padded = np.concatenate([clips, junk], axis=1)
    start = [numbers(weight) for weight in encoder(name).weights]
    found = []
    for features in (clips, padded):
        model = encoders.ENCODERS[name](n_filters=40)
        model.set_weights(start)
        for layer in model._flatten_layers():
            if "dropout" in getattr(layer, "__dict__", {}):
                layer.dropout = 0.0
            if isinstance(layer, (keras.layers.Dropout, keras.layers.SpatialDropout2D)):
                layer.rate = 0.0
        learner = masked(model, 40)
        learner.compile(
            keras.optimizers.SGD(1.0), "mse", jit_compile=False, run_eagerly=True
        )
        mask = is_frame([11, 11], features.shape[1])
        target = np.zeros((2, *model.output_shape[1:]), "float32")
        learner.train_on_batch([features, mask], target)
        found.append([numbers(weight) for weight in model.weights])
    for weight, before, alone, together in zip(model.weights, start, *found):
        if weight.name != "bias":
            assert np.any(alone != before), weight.path
        scale = np.abs(alone - before).max() + 1e-3
        np.testing.assert_allclose(
            (together - alone) / scale, 0, atol=2e-3, err_msg=weight.path
        )


@pytest.mark.parametrize("name", UNMASKED)
def test_who_cannot_honour_a_mask_says_so(name, encoder, rng):
    features = rng.normal(size=(2, 5, 40)).astype("float32")
    with pytest.warns(UserWarning, match=f"{name} takes padded frames.*into windows"):
        masked(encoder(name), 40)([features, is_frame([5, 3], 5)])


@pytest.mark.parametrize("name", LIGHT)
def test_keras_file_and_config_round_trip(name, encoder, rng, tmp_path):
    encoder(name).save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    assert isinstance(loaded, masked_layers.Encoder)
    lengths = [9, 4]
    features = rng.normal(size=(2, 9, 40)).astype("float32")
    batch = [features, is_frame(lengths, 9)]
    np.testing.assert_allclose(
        numbers(masked(loaded, 40)(batch)),
        numbers(masked(encoder(name), 40)(batch)),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("name", LIGHT)
def test_half_precision(name, encoder, rng):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = encoders.ENCODERS[name](40)
    finally:
        keras.config.set_dtype_policy(before)
    half.set_weights(encoder(name).get_weights())
    features = rng.normal(size=(2, 12, 40)).astype("float32")
    outputs = half(features)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    expected = numbers(encoder(name)(features))
    outputs = numbers(keras.ops.cast(outputs, "float32"))
    assert np.abs(outputs - expected).max() < 0.05 * np.abs(expected).max()


def test_behind_a_frontend_that_is_told_lengths(encoder, rng):
    waveform = keras.Input((None,))
    lengths = keras.Input((), dtype="int32")
    frontend = leaf_tf.MelFilterbanks(name="frontend")
    outputs = encoder("small")(frontend(waveform, lengths=lengths))
    model = keras.Model([waveform, lengths], outputs)
    clips = rng.uniform(-1, 1, (2, 4000)).astype("float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        together = model.predict([clips, np.array([4000, 1700])], verbose=0)
    alone = numbers(encoder("small")(frontend(clips[1:, :1700])))
    np.testing.assert_allclose(together[1:], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "name, twin",
    [
        ("small", reference.small),
        ("cnn6", lambda *inputs: reference.pann(*inputs, 1, 4, 4)),
        ("cnn10", lambda *inputs: reference.pann(*inputs, 2, 4, 4)),
        ("bc_resnet", reference.bc_resnet),
    ],
)
def test_against_the_reference(name, twin, encoder, rng):
    weights = [np.float64(numbers(weight)) for weight in encoder(name).weights]
    for frames in (1, 19):
        features = rng.normal(size=(frames, 40)).astype("float32")
        expected = twin(features, weights)
        assert np.abs(expected).max() > 0.1
        found = numbers(encoder(name)(features[None]))[0]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
