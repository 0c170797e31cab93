"""`python -m benchmarks load`: a SavedModel under many clients, a stream for hours."""

import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.speed import machine
from export.contract.layout import SAVED_MODEL, STREAMING, artifact_folder
from export.runners.opening import open_artifact
from export.runners.saved_model import SavedModelRunner
from export.runners.stream import StreamRunner
from leaf_files.errors import UserError, first_line

TOLERANCE = 1e-5  # of probabilities, between two orders of adding up
_N_REQUESTS = 32
_SETTLE_SECONDS = 5.0  # TensorFlow's own pools and the stream's memory of its past
_SAMPLES_OF_MEMORY = 200


def measure(path, n_clients=50, seconds=60.0, stream_hours=1.0):
    """Holds the artifacts of a folder under load.

    Args:
        path: Folder that `python -m export` wrote, or its SavedModel.
        n_clients: Threads that ask the SavedModel, each again as soon as it is
            answered.
        seconds: Duration of their requests.
        stream_hours: Hours of sound for the streaming model, where there is one.

    Returns:
        A dict for JSON: "machine", "server" as of `serve`, and "stream" as of
        `stream`, None without such a file.

    Raises:
        UserError: There is no SavedModel.
    """
    path = Path(path)
    inside = path / SAVED_MODEL
    opened = open_artifact(inside if inside.is_dir() else path)
    if not isinstance(opened.runner, SavedModelRunner):
        raise UserError(
            f"{path} must be the folder that python -m export wrote, or the SavedModel "
            "in it; it is another kind of artifact"
        )
    _say(f"{n_clients} clients, {seconds:g} s")
    random = np.random.default_rng(0)
    waveforms = [
        _sound(random, batch, samples) for batch, samples in _sizes(random, opened)
    ]
    results = {
        "machine": machine(),
        "artifact": str(path),
        "server": serve(opened.runner.probabilities, waveforms, n_clients, seconds),
        "stream": None,
    }
    streaming = artifact_folder(opened.path) / STREAMING
    if streaming.is_file():
        _say(f"{STREAMING}, {stream_hours:g} h")
        results["stream"] = stream(StreamRunner(streaming), stream_hours)
    return results


def held(results):
    """Whether nothing failed and all answers were right."""
    parts = [part for part in (results["server"], results["stream"]) if part]
    right = all(part["largest_difference"] <= TOLERANCE for part in parts)
    return right and not results["server"]["errors"]


def serve(ask, waveforms, n_clients, seconds):
    """Asks from many threads at once, after asking one by one.

    Args:
        ask: Function, (batch, samples) -> {head: (batch, classes)}.
        waveforms: Waveforms of the requests, in a random order for each client.
        n_clients, seconds: See `measure`.

    Returns:
        A dict: "n_clients", "n_requests", "errors" as {text: count},
        "largest_difference" to the answers given one by one, "latency_ms" of the
        median and of 99 in 100, "requests_per_second", "memory" as of `_Memory`.
    """
    expected = [ask(waveform) for waveform in waveforms]
    clients = [
        _Client(ask, waveforms, expected, np.random.default_rng(seed))
        for seed in range(n_clients)
    ]
    memory = _Memory(seconds)
    started = time.perf_counter()
    deadline = started + seconds
    for client in clients:
        client.ask_until(deadline)
    while (now := time.perf_counter()) < deadline:
        memory.look(now - started)
        time.sleep(min(seconds / _SAMPLES_OF_MEMORY, deadline - now))
    for client in clients:
        client.join()
    took = time.perf_counter() - started
    times = np.concatenate([client.times for client in clients])
    errors: dict[str, int] = {}
    for client in clients:
        for text, count in client.errors.items():
            errors[text] = errors.get(text, 0) + count
    median, slow = np.quantile(times, (0.5, 0.99)) if times.size else (0.0, 0.0)
    return {
        "n_clients": n_clients,
        "n_requests": int(times.size + sum(errors.values())),
        "errors": errors,
        "largest_difference": max(client.difference for client in clients),
        "latency_ms": {"median": 1e3 * float(median), "99 in 100": 1e3 * float(slow)},
        "requests_per_second": times.size / took,
        "memory": memory.summary(),
    }


def stream(runner, hours):
    """Streams noise and tones for hours, and compares the last answer.

    Args:
        runner: `export.runners.stream.StreamRunner`.
        hours: Hours of sound.

    Returns:
        A dict: "hours", "n_chunks", "real_time_factor", "largest_difference" of the
        last answer to that of a stream which heard the last seconds alone, "memory" as
        of `_Memory`.
    """
    facts = runner.facts
    chunk_seconds = facts.chunk_samples / facts.sample_rate
    n_chunks = max(1, round(3600 * hours / chunk_seconds))
    random = np.random.default_rng(0)
    # A minute again and again, of which no chunk is a whole part.
    minute = _sound(random, 1, 60 * facts.sample_rate + 1)[0]
    remembered = facts.window_samples / facts.sample_rate + _SETTLE_SECONDS
    first = max(0, n_chunks - int(np.ceil(remembered / chunk_seconds)))
    memory = _Memory(n_chunks)
    runner.reset()
    started = time.perf_counter()
    for index in range(n_chunks):
        answer = runner.hear(_chunk(minute, index, facts.chunk_samples))
        if index % max(1, n_chunks // _SAMPLES_OF_MEMORY) == 0:
            memory.look(index)
    took = time.perf_counter() - started
    runner.reset()
    for index in range(first, n_chunks):
        alone = runner.hear(_chunk(minute, index, facts.chunk_samples))
    return {
        "hours": n_chunks * chunk_seconds / 3600,
        "n_chunks": n_chunks,
        "real_time_factor": took / (n_chunks * chunk_seconds),
        "largest_difference": _difference(answer, alone),
        "memory": memory.summary(),
    }


class _Client(threading.Thread):
    """Asks again and again, and compares."""

    def __init__(self, ask, waveforms, expected, random):
        super().__init__(daemon=True)
        self._ask, self._random = ask, random
        self._waveforms, self._expected = waveforms, expected
        self._deadline = 0.0
        self.times, self.errors, self.difference = [], {}, 0.0

    def ask_until(self, deadline):
        """Starts the thread, which ends at the deadline."""
        self._deadline = deadline
        self.start()

    def run(self):
        while time.perf_counter() < self._deadline:
            index = self._random.integers(len(self._waveforms))
            started = time.perf_counter()
            try:
                answer = self._ask(self._waveforms[index])
            except Exception as error:  # any failure is what is counted here
                text = first_line(f"{type(error).__name__}: {error}")
                self.errors[text] = self.errors.get(text, 0) + 1
                continue
            self.times.append(time.perf_counter() - started)
            difference = _difference(answer, self._expected[index])
            self.difference = max(self.difference, difference)


class _Memory:
    """Resident memory of this process along a load."""

    def __init__(self, whole):
        self._whole = whole
        self._process = psutil.Process()
        self._places, self._bytes = [], []

    def look(self, place):
        self._places.append(place / self._whole)
        self._bytes.append(self._process.memory_info().rss)

    def summary(self):
        """Medians of what it was in the second tenth and in the last, bytes."""
        places, sizes = np.array(self._places), np.array(self._bytes)
        early = sizes[(places >= 0.1) & (places < 0.2)]
        late = sizes[places >= 0.9]
        return {
            "early_bytes": int(np.median(early)) if early.size else int(sizes[0]),
            "late_bytes": int(np.median(late)) if late.size else int(sizes[-1]),
            "peak_bytes": int(sizes.max()),
        }


def _sizes(random, opened):
    """(batch, samples): from a tenth of a window to two, if the model takes any."""
    low, high = max(1, opened.window_samples // 10), 2 * opened.window_samples
    if opened.runner.window_samples is not None:
        low = high = opened.runner.window_samples
    return [
        (1 + int(index % 3 == 2), int(random.integers(low, high + 1)))
        for index in range(_N_REQUESTS)
    ]


def _sound(random, batch, samples):
    """Tones in noise, each row its own, (batch, samples) float32."""
    phases = 2 * np.pi * random.uniform(0.005, 0.4, (batch, 1)) * np.arange(samples)
    noise = random.uniform(-0.1, 0.1, (batch, samples))
    return (0.3 * np.sin(phases) + noise).astype(np.float32)


def _chunk(sound, index, size):
    places = (index * size + np.arange(size)) % len(sound)
    return sound[places]


def _difference(answer, expected):
    """The largest of all heads; infinite where it is no number."""
    differences = [np.abs(answer[head] - expected[head]).max() for head in expected]
    largest = float(max(differences))
    return largest if np.isfinite(largest) else float("inf")


def _say(line):
    print(line, file=sys.stderr, flush=True)
