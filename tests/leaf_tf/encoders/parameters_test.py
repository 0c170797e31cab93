"""Parameters against published numbers."""

import keras
import numpy as np
import pytest

from leaf_tf import encoders


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize(
    "name, dims, published",
    [
        ("cnn6", 512, 4_837_455),
        ("cnn10", 512, 5_219_279),
        ("cnn14", 2048, 80_753_615),
    ],
)
def test_pann(name, dims, published):
    # PANN, Table 12, with its 64 mel bands and a classifier of AudioSet's 527.
    encoder = encoders.ENCODERS[name](n_filters=64)
    assert encoder.output_shape == (None, dims)
    assert trainable(encoder) + (dims + 1) * 527 == published


@pytest.mark.parametrize("width, published", [(1, "9.2k"), (8, "321k")])
def test_bc_resnet(width, published):
    # BC-ResNet, Table 2, with a classifier of 12 words.
    encoder = encoders.bc_resnet(n_filters=40, width=width)
    assert encoder.output_shape == (None, 32 * width)
    parameters = trainable(encoder) + (32 * width + 1) * 12
    assert f"{parameters / 1000:.{2 if width == 1 else 3}g}k" == published


@pytest.mark.parametrize(
    "name, original, first_kernel",
    [
        ("efficientnet_b0", keras.applications.EfficientNetB0, 3 * 3 * 32),
        ("mobilenet_v3_small", keras.applications.MobileNetV3Small, 3 * 3 * 16),
    ],
)
def test_keras_applications(name, original, first_kernel):
    # Theirs has three colours.
    colours = original(include_top=False, weights=None, pooling="avg")
    encoder = encoders.ENCODERS[name](n_filters=40)
    assert trainable(encoder) == trainable(colours) - 2 * first_kernel
    assert encoder.output_shape == colours.output_shape
