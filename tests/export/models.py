"""Small models that tell sounds apart, without training."""

import keras
import numpy as np

import leaf_tf

SAMPLE_RATE = 8000
N_FILTERS = 6
N_CLASSES = 4


def frontend(method="fast"):
    """A LEAF whose weights have moved, two of them out of their bounds."""
    leaf = leaf_tf.Leaf(n_filters=N_FILTERS, sample_rate=SAMPLE_RATE, method=method)
    leaf.build((None, None))
    rng = np.random.default_rng(1)
    for weight in leaf.weights:
        weight.assign(weight * rng.uniform(0.8, 1.2, weight.shape))
    leaf.filtering.center_freqs.assign([-0.1, 0.3, 0.7, 1.2, 2.0, 3.5])
    return leaf


def mel():
    """A frontend of as many features that costs less to trace and to convert.

    PCEN keeps them as small as LEAF's: the probabilities are not near 0 and 1.
    """
    return leaf_tf.MelFilterbanks(
        n_filters=N_FILTERS, sample_rate=SAMPLE_RATE, compression="pcen"
    )


def classifier(
    input_shape=(None,),
    head=None,
    features=lambda features: features,
    method="fast",
    layer=None,
):
    """waveform -> (batch, N_CLASSES), by default logits.

    Args:
        input_shape: Of the waveform, without the batch.
        head: From the embedding to the output; a Dense layer "logits" if None.
        features: Applied to the frontend's output.
        method: Of the frontend.
        layer: The frontend; the one of `method` if None.
    """
    keras.utils.set_random_seed(0)
    waveform = keras.Input(input_shape, name="waveform")
    outputs = features((layer or frontend(method))(waveform))
    outputs = keras.layers.Conv1D(12, 3, padding="same", activation="swish")(outputs)
    outputs = keras.layers.GlobalAveragePooling1D()(outputs)
    # The probabilities depend on the sound, and are not near 0 and 1, where no
    # mistake would show.
    spread = keras.initializers.RandomNormal(stddev=1.5, seed=0)
    if head is None:
        head = keras.layers.Dense(N_CLASSES, kernel_initializer=spread, name="logits")
    return keras.Model(waveform, head(outputs))


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def two_heads(features=lambda features: features, layer=None):
    """waveform -> {"points": (batch, N_CLASSES), "winds": (batch, 3)}, logits."""
    one = classifier(features=features, layer=layer)
    waveform, embedding = one.input, one.layers[-1].input
    spread = keras.initializers.RandomNormal(stddev=1.5, seed=1)
    return keras.Model(
        waveform,
        {
            head: keras.layers.Dense(
                n, kernel_initializer=spread, name=f"logits_{head}"
            )(embedding)
            for head, n in (("winds", 3), ("points", N_CLASSES))
        },
    )
