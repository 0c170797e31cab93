"""`python -m benchmarks frontends`: how long each frontend takes, beside mel."""

import datetime
import os
import platform
import subprocess
import sys

import keras

from benchmarks import contestants, tflite
from benchmarks.engines import current_engine
from benchmarks.timing import interleave

# (batch, seconds of audio); the last one for memory and growth with length.
SHAPES = ((1, 1), (8, 1), (32, 1), (1, 10), (1, 600))
# The same, of other settings.
SHAPE_OF_SETTINGS = (4, 1)
# Exact LEAF holds all energies at every sample: 600 s would be 6 GB of them.
EXACT_MAX_SECONDS = 10


def measure(seconds_each, quick=False, shapes=None):
    """All comparisons of the current backend.

    Args:
        seconds_each: Time to spend on each contestant of a comparison.
        quick: Only batches of 8 clips of 1 s, and TFLite.
        shapes: Only these, of (batch, seconds), both ways: for a GPU, which wants
            larger ones.

    Returns:
        A dict for JSON: "machine", and "rows", one a contestant and comparison.
    """
    engine = current_engine()
    rows = []
    for batch, seconds in shapes or (((8, 1),) if quick else SHAPES):
        for mode in engine.modes:
            for step in ("forward", "forward + backward"):
                if step != "forward" and not shapes and (batch, seconds) != (8, 1):
                    continue
                rows += _compare(engine, batch, seconds, mode, step, seconds_each)
    if shapes:
        return {"machine": machine(), "rows": rows}
    if keras.backend.backend() == "tensorflow":
        rows += tflite.measure(seconds_each)
    if not quick:
        rows += peak_memory()
    return {"machine": machine(), "rows": rows}


def measure_settings(seconds_each, settings):
    """Other filterbanks than the paper's, forward, in the backend's first mode.

    Args:
        seconds_each: Time to spend on each contestant of a comparison.
        settings: {name: `Setting`}.

    Returns:
        As `measure`; rows have "setting" besides.
    """
    engine = current_engine()
    rows = []
    for name, setting in settings.items():
        for row in _compare(
            engine,
            *SHAPE_OF_SETTINGS,
            engine.modes[0],
            "forward",
            seconds_each,
            setting,
        ):
            row["setting"] = name
            row["comparison"] += f", {setting} ({name})"
            rows.append(row)
    return {"machine": machine(), "rows": rows}


def _compare(
    engine, batch, seconds, mode, step, seconds_each, setting=contestants.PAPER
):
    shape = (batch, seconds * setting.sample_rate)
    run = engine.forward if step == "forward" else engine.training
    calls = {}
    for name in contestants.names():
        # Of a few seconds, and of the paper's filters: others would take minutes.
        if name == "exact LEAF" and (
            seconds > EXACT_MAX_SECONDS or setting != contestants.PAPER
        ):
            continue
        calls[name] = run(contestants.make(name, setting), shape, mode)
    if step == "forward":
        for name, learned in contestants.FROZEN.items():
            layer = contestants.make(learned, setting)
            calls[name] = engine.frozen(layer, shape, mode)
    title = f"{batch} x {seconds} s, {mode}, {step}"
    times = interleave(
        calls,
        seconds_each,
        min_rounds=3 if seconds > 100 else 5,
        report=lambda name, number: _say(f"{title}: {name}") if number == 1 else None,
    )
    baseline = times[contestants.baseline()]
    return [
        {
            "comparison": title,
            "batch": batch,
            "seconds": seconds,
            "mode": mode,
            "step": step,
            "contestant": name,
            "median_ms": 1e3 * value.median,
            "quartiles_ms": [1e3 * quartile for quartile in value.quartiles],
            "ratio": value.median / baseline.median,
        }
        for name, value in times.items()
    ]


def peak_memory():
    """Peak resident memory of 10 minutes through each frontend, a process each."""
    rows = []
    for name in contestants.names():
        if name == "exact LEAF":
            continue
        _say(f"peak memory, 600 s: {name}")
        command = [sys.executable, "-m", "benchmarks.memory", name]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        before, peak = map(int, result.stdout.split()[-2:])
        rows.append(
            {
                "comparison": "peak memory, 1 x 600 s",
                "contestant": name,
                "peak_mib": peak / 2**20,
                "added_mib": (peak - before) / 2**20,
            }
        )
    return rows


def machine():
    """Where and when, for whoever reads the numbers."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "python": platform.python_version(),
    }


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _say(line):
    print(line, file=sys.stderr, flush=True)
