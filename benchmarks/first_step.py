"""A training that ends after its first step, in a process of its own.

    python -m benchmarks.first_step TASK RUN [OPTION ...]

Prints what `python -m training fit` prints, then "first step", the peak of its resident
bytes, and the seconds of processor that it took.
"""

import functools
import sys
import time

from benchmarks.memory import peak_bytes
from leaf_files import command_line


class _Begun(Exception):
    """The first step is done."""


def main(task, run, *options):
    import keras

    from training.__main__ import dispatch

    class FirstStep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise _Begun

    fit = keras.Model.fit

    @functools.wraps(fit)
    def fit_one_step(model, *args, callbacks, **settings):
        return fit(model, *args, callbacks=[FirstStep()], **settings)

    keras.Model.fit = fit_one_step
    try:
        dispatch(["fit", "--task", task, "--output", run, *options])
    except _Begun:
        print("first step", peak_bytes(), time.process_time(), flush=True)
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(
        command_line.run(lambda words: main(*words), sys.argv[1:], "benchmarks start")
    )
