"""A server that fails, answers wrongly or grows is told from one that holds."""

import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import load
from export.__main__ import dispatch
from leaf_files import command_line
from tests.export.models import classifier, mel

WAVEFORMS = [np.full((1, 4), value, np.float32) for value in (0.1, 0.5)]


def answer(waveform):
    return {"": waveform[:, :2]}


def run(*argv):
    words = ["load", *(str(word) for word in argv)]
    return command_line.run(benchmarks.dispatch, words, "python -m benchmarks")


def test_a_server_that_holds():
    results = load.serve(answer, WAVEFORMS, n_clients=4, seconds=0.5)
    assert results["errors"] == {} and results["largest_difference"] == 0
    assert results["n_requests"] >= 4
    assert load.held({"server": results, "stream": None})
    memory = results["memory"]
    assert 0 < memory["late_bytes"] <= memory["peak_bytes"]


def test_answers_that_depend_on_the_neighbours_are_seen():
    asked = []

    def mixed_up(waveform):
        asked.append(waveform)
        return answer(asked[max(0, len(asked) - 2)] if len(asked) > 2 else waveform)

    results = load.serve(mixed_up, WAVEFORMS, n_clients=2, seconds=0.5)
    np.testing.assert_allclose(results["largest_difference"], 0.4, rtol=1e-6)
    assert not load.held({"server": results, "stream": None})


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_no_numbers_are_seen(number):
    one_by_one = threading.get_ident()

    def broken(waveform):
        is_client = threading.get_ident() != one_by_one
        return answer(waveform * (number if is_client else 1))

    results = load.serve(broken, WAVEFORMS, n_clients=1, seconds=0.3)
    assert results["largest_difference"] == np.inf


def test_failures_are_counted_by_their_words():
    one_by_one = threading.get_ident()

    def busy(waveform):
        if threading.get_ident() != one_by_one and waveform[0, 0] > 0.3:
            raise RuntimeError("no session left\nat line 7")
        return answer(waveform)

    results = load.serve(busy, WAVEFORMS, n_clients=2, seconds=0.5)
    assert results["errors"]["RuntimeError: no session left"] > 0
    assert results["n_requests"] > sum(results["errors"].values())
    assert not load.held({"server": results, "stream": None})


def test_memory_that_grows_is_seen():
    kept = []

    def leaking(waveform):
        if len(kept) < 60:
            kept.append(np.ones(2**20))  # 8 MiB
            threading.Event().wait(0.01)
        return answer(waveform)

    memory = load.serve(leaking, WAVEFORMS, n_clients=2, seconds=0.6)["memory"]
    assert memory["late_bytes"] - memory["early_bytes"] > 2**25


class Runner:
    """As a `StreamRunner`: tells the mean of the last chunks, or of all it heard."""

    facts = SimpleNamespace(sample_rate=100, chunk_samples=10, window_samples=50)

    def __init__(self, forgets):
        self._forgets = forgets
        self.reset()

    def reset(self):
        self._sums = [0.0]

    def hear(self, chunk):
        self._sums.append(self._sums[-1] + chunk.mean())
        if self._forgets:
            self._sums = self._sums[-6:]
        mean = (self._sums[-1] - self._sums[0]) / (len(self._sums) - 1)
        return {"": np.array([mean])}


@pytest.mark.parametrize("forgets", [True, False])
def test_a_stream_that_goes_astray_is_seen(forgets):
    results = load.stream(Runner(forgets), hours=0.5)
    assert results["n_chunks"] == 18_000
    assert (results["largest_difference"] < load.TOLERANCE) == forgets
    server = load.serve(answer, WAVEFORMS, n_clients=1, seconds=0.3)
    assert load.held({"server": server, "stream": results}) == forgets


@pytest.mark.slow
def test_an_exported_model_holds(tmp_path, capsys):
    keras_file, folder = tmp_path / "model.keras", tmp_path / "out"
    classifier(layer=mel()).save(keras_file)
    options = ("--output", folder, "--window", "0.5", "--streaming")
    formats = ("--formats", "saved_model,tflite", "--quantize", "none")
    assert not dispatch([str(word) for word in (keras_file, *options, *formats)])
    numbers = tmp_path / "load.json"
    few = ("--clients", 4, "--seconds", 1, "--stream-hours", 0.01)
    capsys.readouterr()
    assert not run(folder, *few, "--json", numbers)
    table = capsys.readouterr().out
    results = json.loads(numbers.read_text())
    assert results["server"]["n_requests"] >= 4
    assert f"{results['server']['n_requests']} requests" in table
    assert results["server"]["largest_difference"] < load.TOLERANCE
    streamed = results["stream"]
    np.testing.assert_allclose(streamed["hours"], 0.01, rtol=0.01)
    assert streamed["largest_difference"] < load.TOLERANCE
    assert "Stream of 0.01 h" in table
    assert run(folder / "model.tflite", *few) == 1
    assert "another kind of artifact" in capsys.readouterr().err
