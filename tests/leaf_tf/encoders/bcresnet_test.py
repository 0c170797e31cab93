import numpy as np
import pytest

from leaf_tf import encoders
from leaf_tf.encoders.bcresnet import BroadcastedBlock, SubSpectralNorm
from tests.leaf_tf.parameters import numbers


@pytest.mark.parametrize(
    "rows, groups_of_rows",
    [
        (10, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
        (7, [0, 0, 1, 2, 2, 3, 4]),
        (2, [0, 1]),
    ],
)
def test_each_group_of_rows_has_mean_0_and_variance_1(rows, groups_of_rows, rng):
    image = rng.normal(size=(4, 30, rows, 2)).astype("float32")
    image = image * (1 + np.arange(rows)[:, None]) + 3 * np.arange(rows)[:, None]
    layer = SubSpectralNorm(epsilon=1e-9)
    outputs = numbers(layer(image.astype("float32"), training=True))
    groups_of_rows = np.array(groups_of_rows)
    for group in range(max(groups_of_rows) + 1):
        inside = groups_of_rows == group
        part = outputs[:, :, inside]
        np.testing.assert_allclose(part.mean(axis=(0, 1, 2)), 0, atol=1e-4)
        np.testing.assert_allclose(part.var(axis=(0, 1, 2)), 1, rtol=1e-3)
        mean = image[:, :, inside].mean(axis=(0, 1, 2))
        variance = image[:, :, inside].var(axis=(0, 1, 2))
        np.testing.assert_allclose(
            numbers(layer.moving_mean)[group], mean, rtol=1e-3, atol=1e-4
        )
        np.testing.assert_allclose(
            numbers(layer.moving_variance)[group], variance, rtol=1e-3
        )


def test_frozen_it_uses_and_keeps_its_moving_statistics(rng):
    image = rng.normal(2, 3, size=(2, 5, 10, 1)).astype("float32")
    layer = SubSpectralNorm()
    layer.build(image.shape)
    layer.trainable = False
    outputs = numbers(layer(image, training=True))
    np.testing.assert_allclose(outputs, image / np.sqrt(1 + 1e-5), rtol=1e-6)
    np.testing.assert_array_equal(numbers(layer.moving_mean), np.zeros((5, 1)))


def test_refuses_a_width_without_channels():
    with pytest.raises(ValueError, match="`width` must be at least 0.125. Received: 0"):
        encoders.bc_resnet(40, width=0)


def test_a_frozen_part_of_a_block_stays_frozen():
    block = BroadcastedBlock(8, transition=True)
    block.build((None, None, 10, 4))
    assert "trainable_parts" not in block.get_config()
    block.widen.trainable = False
    block.rows_norm.trainable = False
    copy = BroadcastedBlock.from_config(block.get_config())
    copy.build((None, None, 10, 4))
    names = [weight.path.split("/", 1)[1] for weight in block.trainable_weights]
    assert [w.path.split("/", 1)[1] for w in copy.trainable_weights] == names
