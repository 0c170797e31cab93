"""The frontends that are compared: name -> function that makes a built layer.

All take 16 kHz, 40 filters, windows of 401 samples, hops of 160.
"""

import keras

import leaf_tf

BASELINE = "tf.signal log-mel"


class SignalLogMel(keras.layers.Layer):
    """Log-mel as TensorFlow's own guide writes it, on tf.signal."""

    def build(self, input_shape):
        import tensorflow as tf

        self.triangles = tf.signal.linear_to_mel_weight_matrix(
            40, 257, 16000, 60.0, 7800.0
        )

    def call(self, waveform):
        import tensorflow as tf

        spectrum = tf.signal.stft(waveform, 401, 160, 512, pad_end=True)
        powers = tf.square(tf.abs(spectrum))
        return tf.math.log(tf.matmul(powers, self.triangles) + 1e-5)


def keras_mel():
    """Keras's own mel layer, at the same settings."""
    return keras.layers.MelSpectrogram(
        fft_length=512,
        sequence_stride=160,
        sequence_length=401,
        sampling_rate=16000,
        num_mel_bins=40,
        min_freq=60.0,
        max_freq=7800.0,
    )


MAKERS = {
    "exact LEAF": lambda: leaf_tf.Leaf(method="exact"),
    "fast LEAF": lambda: leaf_tf.Leaf(),
    "leaf_tf mel": lambda: leaf_tf.MelFilterbanks(),
    "keras mel": keras_mel,
}
# The same layer, its weights as constants.
FROZEN = {"fast LEAF, frozen": "fast LEAF"}
LEARNED = ("exact LEAF", "fast LEAF")


def make(name):
    """The layer of a contestant, built."""
    layer = SignalLogMel() if name == BASELINE else MAKERS[name]()
    layer.build((None, None))
    return layer


def names():
    """The contestants that run on this backend, the baseline first."""
    if keras.backend.backend() == "tensorflow":
        return (BASELINE, *MAKERS)
    return tuple(MAKERS)


def baseline():
    """The contestant that ratios are relative to on this backend."""
    return BASELINE if BASELINE in names() else "leaf_tf mel"
