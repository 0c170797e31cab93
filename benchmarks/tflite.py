"""The frontends as TFLite files: 1 s, one clip, 1 and 2 threads, and their errors."""

import tempfile

import numpy as np

from benchmarks import contestants
from benchmarks.timing import interleave
from leaf_files.quiet import import_tensorflow, native_logs_hidden

NAMES = (contestants.BASELINE, "exact LEAF", "fast LEAF", "leaf_tf mel")
SAMPLES = 16000


def measure(seconds_each):
    """Rows as those of `benchmarks.speed`."""
    rows = []
    contents = {name: convert(contestants.make(name)) for name in NAMES}
    for threads in (1, 2):
        title = f"1 x 1 s, TFLite, {threads} thread{'s' * (threads > 1)}"
        calls = {name: call(content, threads) for name, content in contents.items()}
        times = interleave(calls, seconds_each)
        for name, value in times.items():
            rows.append(
                {
                    "comparison": title,
                    "batch": 1,
                    "seconds": 1,
                    "mode": "TFLite",
                    "threads": threads,
                    "step": "forward",
                    "contestant": name,
                    "median_ms": 1e3 * value.median,
                    "quartiles_ms": [1e3 * q for q in value.quartiles],
                    "ratio": value.median / times[contestants.BASELINE].median,
                    "bytes": len(contents[name]),
                }
            )
    return rows


def convert(layer, samples=SAMPLES):
    """A TFLite file of a layer, weights and what they make folded to constants.

    Args:
        layer: A built frontend.
        samples: Length of the waveform that it takes.
    """
    tf = import_tensorflow()
    from export.contract.layout import INPUT, OUTPUT
    from export.writers.folding import fold
    from leaf_tf.frontends.live_plan import weights_stay

    signature = [tf.TensorSpec((1, samples), tf.float32, name=INPUT)]
    serve = tf.function(
        lambda waveform: {OUTPUT: layer(waveform)},
        input_signature=signature,
        autograph=False,
    )
    with weights_stay(), native_logs_hidden(), tempfile.TemporaryDirectory() as folder:
        folded = fold(serve.get_concrete_function())
        tf.saved_model.save(tf.Module(), folder, signatures={"serving_default": folded})
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()


def call(content, threads, samples=SAMPLES):
    """A function of no argument that runs a TFLite file once, on noise.

    Args:
        content: The file, bytes.
        threads: Number of threads.
        samples: Length of the waveform that it takes.
    """
    from ai_edge_litert.interpreter import Interpreter

    with native_logs_hidden():
        interpreter = Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    waveform = np.random.default_rng(0).uniform(-1, 1, (1, samples))
    (place,) = interpreter.get_input_details()
    interpreter.set_tensor(place["index"], waveform.astype("float32"))
    return interpreter.invoke
