"""The frontends that are compared: name -> function from a `Setting` to a layer."""

import keras

import leaf_tf
from benchmarks.settings import KNOWN

BASELINE = "tf.signal log-mel"
PAPER = KNOWN["leaf"]
_MIN_FREQ = 60.0
_MOST_FREQ = 7800.0


class SignalLogMel(keras.layers.Layer):
    """Log-mel as TensorFlow's own guide writes it, on tf.signal."""

    def __init__(self, setting):
        super().__init__()
        self.setting = setting

    def build(self, input_shape):
        import tensorflow as tf

        self.triangles = tf.signal.linear_to_mel_weight_matrix(
            self.setting.n_filters,
            _fft_length(self.setting) // 2 + 1,
            self.setting.sample_rate,
            _MIN_FREQ,
            _max_freq(self.setting),
        )

    def call(self, waveform):
        import tensorflow as tf

        window, hop = _window(self.setting)
        n_fft = _fft_length(self.setting)
        spectrum = tf.signal.stft(waveform, window, hop, n_fft, pad_end=True)
        powers = tf.square(tf.abs(spectrum))
        return tf.math.log(tf.matmul(powers, self.triangles) + 1e-5)


def keras_mel(setting):
    """Keras's own mel layer, at the same settings."""
    window, hop = _window(setting)
    return keras.layers.MelSpectrogram(
        fft_length=_fft_length(setting),
        sequence_stride=hop,
        sequence_length=window,
        sampling_rate=setting.sample_rate,
        num_mel_bins=setting.n_filters,
        min_freq=_MIN_FREQ,
        max_freq=_max_freq(setting),
    )


def _window(setting):
    """Samples of a window of 25 ms, as `Leaf` has it, and of a hop."""
    return setting.sample_rate * 25 // 1000 + 1, setting.sample_rate // 100


def _fft_length(setting):
    """The next power of two."""
    return 1 << (_window(setting)[0] - 1).bit_length()


def _max_freq(setting):
    """Upper edge of the bank, Hz, as `Leaf` has it."""
    return min(_MOST_FREQ, 0.975 * setting.sample_rate / 2)


MAKERS = {
    "exact LEAF": lambda setting: leaf_tf.Leaf(method="exact", **setting._asdict()),
    "fast LEAF": lambda setting: leaf_tf.Leaf(**setting._asdict()),
    "leaf_tf mel": lambda setting: leaf_tf.MelFilterbanks(*setting[:2]),
    "keras mel": keras_mel,
}
# The same layer, its weights as constants.
FROZEN = {"fast LEAF, frozen": "fast LEAF"}
LEARNED = ("exact LEAF", "fast LEAF")


def make(name, setting=PAPER):
    """The layer of a contestant, built."""
    layer = SignalLogMel(setting) if name == BASELINE else MAKERS[name](setting)
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
