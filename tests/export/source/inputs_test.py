"""What models do to their waveform before the frontend, at what rates."""

import keras
import numpy as np
import pytest
from keras import layers

import leaf_tf
from export.source.inputs import sample_rate_of, with_full_scale
from leaf_files.errors import UserError

RATE, SAMPLES = 8000, 1200


def mel(rate=RATE, **options):
    return leaf_tf.MelFilterbanks(n_filters=4, sample_rate=rate, **options)


def model(*steps, shape=(None,), dtype="float32"):
    """From the steps to the features' means."""
    tensor = waveform = keras.Input(shape, dtype=dtype)
    for step in (*steps, layers.GlobalAveragePooling1D()):
        tensor = step(tensor)
    return keras.Model(waveform, tensor)


def opened(*steps, **options):
    return with_full_scale(model(*steps, **options), RATE, SAMPLES, "own.keras")


def refused(message, *steps, **options):
    with pytest.raises(UserError, match=message):
        opened(*steps, **options)


WAVEFORM = np.random.default_rng(0).uniform(-1, 1, (2, SAMPLES)).astype("float32")


@pytest.mark.parametrize(
    "steps",
    [
        [layers.Rescaling(1 / 32768)],
        [layers.Reshape((-1, 1)), layers.Rescaling(1 / 32768), layers.Reshape((-1,))],
        [lambda x: x / 32768.0],
        [lambda x: keras.ops.multiply(x, 1 / 32768)],
        [layers.Rescaling(1 / 32768), layers.Rescaling(0.5), layers.Rescaling(2.0)],
    ],
    ids=["rescaling", "reshaped", "divided", "multiplied", "with gains"],
)
def test_a_division_by_full_scale_is_left_out(steps):
    whole = model(*steps, mel())
    cut, note = with_full_scale(whole, RATE, SAMPLES, "own.keras")
    assert "divides its waveform by 32768 first" in note
    taken = WAVEFORM.reshape(2, *(s or SAMPLES for s in cut.input_shape[1:]))
    np.testing.assert_allclose(cut(taken), whole(32768 * WAVEFORM), atol=1e-4)


def test_integers_are_divided_likewise():
    cut, note = opened(layers.Rescaling(1 / 32767), mel(), dtype="int16")
    assert cut.inputs[0].dtype == "float32" and "by 32767 first" in note
    refused("takes a waveform of int16; the files take float32", mel(), dtype="int16")


@pytest.mark.parametrize(
    "steps",
    [
        [mel()],
        [layers.Rescaling(2.0), mel()],
        [layers.Rescaling(32768.0), mel()],
        [layers.Reshape((-1, 1)), layers.Cropping1D((10, 0)), mel()],
        [layers.Reshape((-1, 1)), layers.ZeroPadding1D(20), mel()],
        [lambda x: x[:, 100:], mel()],
        [layers.Normalization(None, mean=0.0, variance=0.01), mel()],
        [lambda x: x / (keras.ops.max(keras.ops.abs(x), 1, keepdims=True) + 1), mel()],
        [keras.Sequential([keras.Input((None,)), layers.Rescaling(0.5), mel()])],
    ],
    ids=["none", "gain", "up", "cut", "filled", "item", "normal", "peak", "within"],
)
def test_what_keeps_rate_and_scale_passes(steps):
    same = model(*steps)
    found, note = with_full_scale(same, RATE, SAMPLES, "own.keras")
    assert found is same and note == ""


def test_a_scale_that_cannot_be_left_out_is_refused():
    message = "makes its waveform 3.277e[+]04 times quieter before the frontend"
    within = keras.Sequential(
        [keras.Input((None,)), layers.Rescaling(1 / 32768), mel()]
    )
    refused(message, within)
    variance = 32768.0**2
    refused(message, layers.Normalization(None, mean=0.0, variance=variance), mel())
    refused("1000 times quieter", layers.Rescaling(0.001), mel())


def test_another_number_of_samples_is_refused():
    refused(
        r"makes 600 samples of 1200 before its frontend \(halved\), so its waveform is "
        "not one of the frontend's 8000 Hz",
        layers.Reshape((-1, 1)),
        layers.AveragePooling1D(2, name="halved"),
        mel(),
    )
    refused(
        "makes 2400 samples", layers.Reshape((-1, 1)), layers.UpSampling1D(2), mel()
    )


@pytest.mark.parametrize(
    "step",
    [
        lambda x: x[:, ::2],
        lambda x: x[:, 100::3],
        lambda x: keras.ops.reshape(x, (-1, SAMPLES // 2, 2))[:, :, 0],
    ],
    ids=["every second", "every third", "reshaped"],
)
def test_samples_left_out_in_between_are_seen(step):
    refused("samples of 1200 before its frontend .*get_item", step, mel())


def test_a_model_has_one_rate():
    assert sample_rate_of(model(mel()), "own.keras") == RATE
    within = keras.Sequential([keras.Input((None,)), mel(name="a")])
    waveform = keras.Input((None,))
    two = keras.Model(waveform, [within(waveform), mel(16000, name="b")(waveform)])
    with pytest.raises(
        UserError, match="one sample rate; received a 8000 Hz and b 160"
    ):
        sample_rate_of(two, "own.keras")
    clips = keras.Input((None, 800))
    wrapped = keras.Model(clips, layers.TimeDistributed(mel())(clips))
    assert sample_rate_of(wrapped, "own.keras") == RATE
    bare = keras.Model(waveform, layers.Reshape((-1, 1))(waveform))
    with pytest.raises(UserError, match="no layer of own.keras has a sample_rate"):
        sample_rate_of(bare, "own.keras")
