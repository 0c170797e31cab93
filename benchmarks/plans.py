"""`python -m benchmarks plans`: makes the plans that come with leaf_tf."""

import json
import time

from keras import ops

import leaf_tf
from benchmarks.settings import KNOWN, Setting
from leaf_files.atomic import write_text
from leaf_tf.dsp import multirate
from leaf_tf.dsp.multirate import kept

# Besides well-known classifiers: what `Leaf`, `fit` and its presets start with.
SETTINGS = sorted(
    {
        *KNOWN.values(),  # those of long windows, too
        *(Setting(n, rate) for n in (8, 16, 40, 64) for rate in (8000, 16000)),
        *(Setting(n, rate) for n in (40, 64) for rate in (22050, 32000, 44100, 48000)),
    }
)
# Digits of the numbers that plans were made of.
_DIGITS = 8


def start_of(setting):
    """What a plan is made of: the filters that a `Leaf` of a setting starts with.

    Returns:
        Keyword arguments of `multirate.plan_multirate`.

    >>> arguments = start_of(Setting(8, 8000))
    >>> len(arguments["sigmas"]), arguments["kernel_size"], arguments["strides"]
    (8, 201, 80)
    """
    leaf = leaf_tf.Leaf(**setting._asdict())
    leaf.build((None, None))
    bank = [
        [float(f"{value:.{_DIGITS}g}") for value in ops.convert_to_numpy(values)]
        for values in leaf.bounded_weights()
    ]
    return {
        **dict(zip(("center_freqs", "sigmas", "pooling_widths"), bank)),
        "kernel_size": leaf.filtering.kernel_size,
        "pool_size": leaf.pooling.kernel_size,
        "strides": leaf.pooling.strides,
        "tolerance": leaf.tolerance,
    }


def write(path=kept.SHIPPED):
    """Makes all plans, and writes the file that comes with leaf_tf.

    Args:
        path: The file.

    Returns:
        A list of dicts for JSON, one a setting: "setting", "processor_seconds",
        "multiplications" a sample.
    """
    rows, lines = [], []
    for setting in SETTINGS:
        started = time.process_time()
        plan = multirate.plan_multirate(**start_of(setting))
        rows.append(
            {
                "setting": str(setting),
                "processor_seconds": time.process_time() - started,
                "multiplications": plan.multiplications_per_sample,
            }
        )
        config = json.dumps(plan.get_config(), separators=(",", ":"))
        lines.append(f"{json.dumps(str(setting))}: {config}")
    # One plan a line, so that a change shows which are others.
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")
    return rows
