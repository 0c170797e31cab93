"""Writes a model of random weights, a clip, and an export of it with a stream.

python .ci/small_artifacts.py FOLDER: makes FOLDER/clip.wav and FOLDER/sounds.
"""

import sys
from pathlib import Path

import numpy as np
import soundfile

RATE = 8000


def main(folder):
    import keras

    import leaf_tf
    from export.__main__ import dispatch

    keras.utils.set_random_seed(0)
    frontend = leaf_tf.Leaf(n_filters=8, sample_rate=RATE)
    layers = [
        keras.Input((None,)),
        frontend,
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(3, activation="softmax"),
    ]
    model = folder / "model.keras"
    keras.Sequential(layers).save(model)
    t = np.arange(2 * RATE) / RATE
    soundfile.write(folder / "clip.wav", 0.3 * np.sin(2 * np.pi * 400 * t * t), RATE)
    options = ["--formats", "tflite", "--quantize", "none,float16,dynamic"]
    options.append("--streaming")
    return dispatch([str(model), "--output", str(folder / "sounds"), *options])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
