"""Asks each runtime the same, and times them in turn."""

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.runtimes.rows import BASELINE, KERAS, ROWS
from benchmarks.speed import machine
from benchmarks.timing import interleave
from export.contract.layout import REPORT_JSON
from export.contract.probes import Run, probe_windows
from export.report.parity import keras_probabilities, keras_stream
from export.runners.stream import StreamRunner
from export.runtimes.table import RUNTIMES
from export.source.opening import open_source
from export.source.stages import as_input
from leaf_files.errors import UserError
from leaf_files.json_files import read_json


@dataclasses.dataclass(frozen=True)
class Opened:
    """A runtime that has loaded a file.

    Attributes:
        version: Its version.
        run: (n, window_samples) -> {head: (n, classes)}.
        turn: Function of (sound, repeats): seconds a call by its own clock; None
            where ours is as good.
    """

    version: str
    run: Run
    turn: Callable[[np.ndarray, int], float] | None = None


class Call:
    """A function of no argument for `interleave`, with a clock of its own, perhaps."""

    def __init__(self, opened, sound):
        self._opened, self._sound = opened, sound
        if opened.turn is not None:
            self.turn = lambda repeats: opened.turn(sound, repeats)

    def __call__(self):
        self._opened.run(self._sound)


def measure(source, folder, seconds_each, only=None):
    """Compares runtimes with Keras on probes, and times one window.

    Args:
        source: Run folder or `.keras` file, of which the artifacts were exported.
        folder: The artifact folder, a Path.
        seconds_each: Time for each runtime.
        only: Names of runtimes; all by default.

    Returns:
        A dict for JSON: "machine", "window_samples", "sample_rate", "n_windows"; and
        "rows", each with "runtime", "title" and "file", and either "absent", a reason,
        or "version", "max_difference" to Keras, "median_ms", "quartiles_ms" and
        "ratio" to LiteRT's Interpreter on the file of the same kind.
    """
    asking = _Asking(source, folder)
    rows = [row for row in ROWS if only is None or row.runtime in only]
    rows = [row for row in rows if row.file == KERAS or (folder / row.file).exists()]
    entries, calls = {}, {}
    with contextlib.ExitStack() as stack:
        openers = _Openers(stack, folder)
        for row in rows:
            print(f"{row.title}, {row.file}", file=sys.stderr, flush=True)
            entry: dict = {"runtime": row.runtime, "title": row.title, "file": row.file}
            entries[row] = entry
            try:
                opened = asking.keras() if row.file == KERAS else openers.open(row)
                entry["max_difference"] = asking.difference(row, opened.run)
            except UserError as error:
                entry["absent"] = str(error).replace(f"{folder}/", "")
                continue
            entry["version"] = opened.version
            calls[row] = Call(opened, asking.sound(row))
        times = interleave(calls, seconds_each)
    for row, value in times.items():
        entries[row]["median_ms"] = 1e3 * value.median
        entries[row]["quartiles_ms"] = [1e3 * q for q in value.quartiles]
        for other in times:
            # Of a stream beside a stream, of windows beside windows.
            if other.runtime == BASELINE and other.is_stream == row.is_stream:
                entries[row]["ratio"] = value.median / times[other].median
    return {
        "machine": machine(),
        "sample_rate": asking.sample_rate,
        "window_samples": asking.window_samples,
        "n_windows": len(asking.windows),
        "rows": list(entries.values()),
    }


class _Asking:
    """What is asked, and Keras's answers."""

    def __init__(self, source, folder):
        report = read_json(folder / REPORT_JSON)
        self.sample_rate = report["sample_rate"]
        self.window_samples = report["window_samples"]
        self._model = open_source(str(source), self.window_samples / self.sample_rate)
        self.windows = probe_windows(self.sample_rate, self.window_samples)
        self._of_windows = keras_probabilities(self._model, self.windows)
        self._folder = folder

    def difference(self, row, run):
        """The largest difference in probability; NaN stays NaN."""
        expected = self._of_windows
        if row.is_stream:
            sound = self.windows.reshape(-1)
            expected = keras_stream(self._model, self._facts(row), sound)
        answers = run(self.windows)
        return max(
            (float(np.max(np.abs(answers[h] - expected[h]))) for h in expected),
            key=lambda difference: (np.isnan(difference), difference),
        )

    def keras(self):
        """Keras itself, compiled, one window at a time."""
        import keras

        def turn(windows, repeats):
            windows = as_input(self._model.model, windows)
            started = time.perf_counter()
            for _ in range(repeats):
                self._model.model.predict_on_batch(windows)
            return (time.perf_counter() - started) / repeats

        def run(windows):
            answers = [keras_probabilities(self._model, w[None]) for w in windows]
            return {h: np.concatenate([a[h] for a in answers]) for h in answers[0]}

        return Opened(keras.__version__, run, turn)

    def sound(self, row):
        """What is timed: a window, or a chunk."""
        if not row.is_stream:
            return self.windows[:1]
        return self.windows[0, : self._facts(row).chunk_samples]

    def _facts(self, row):
        return StreamRunner(self._folder / row.file).facts


class _Openers:
    """Opens files; starts Chromium when a row asks for it first."""

    def __init__(self, stack, folder):
        self._stack, self._folder, self._in_browser = stack, folder, None

    def open(self, row):
        path = self._folder / row.file
        if row.runtime in RUNTIMES:
            runtime = RUNTIMES[row.runtime]
            return Opened(runtime.version, runtime.load(path))
        if row.runtime == "tensorflow-c":
            from benchmarks.runtimes.c_program import open_program

            return self._stack.enter_context(open_program(path))
        if self._in_browser is None:
            from benchmarks.runtimes.browser import page_of

            self._in_browser = self._stack.enter_context(page_of(self._folder))
        return self._in_browser(row.runtime, row.file)
