import dataclasses
import json
import shutil

import pytest

from training.__main__ import dispatch
from training.comparison import job
from training.evaluation import evaluating
from training.evaluation.noise import Noise

LOUD, SOFT = Noise(-20.0, "white"), Noise(40.0, "white")


@pytest.fixture
def request_of(finished, tmp_path):
    """request_of(noises): what is asked of a job whose run is finished."""
    run = shutil.copytree(finished.path, tmp_path / "run")

    def make(noises):
        return {
            "config": finished.config.to_dict(),
            "run": str(run),
            "noisy_metrics": str(run / "noisy.json"),
            "noises": [dataclasses.asdict(noise) for noise in noises],
        }

    return make


@pytest.fixture
def asked(monkeypatch):
    """The noises in which models were evaluated."""
    noises = []
    real = evaluating.evaluate

    def evaluate(path, **settings):
        noises.append(settings["noise"])
        return real(path, **settings)

    monkeypatch.setattr(evaluating, "evaluate", evaluate)
    return noises


def test_noise_is_tested_once(finished, request_of, asked, tmp_path):
    before = (tmp_path / "run" / "model.keras").stat().st_mtime_ns
    job.main([json.dumps(request_of([SOFT]))])
    job.main([json.dumps(request_of([SOFT, LOUD]))])
    assert asked == [SOFT, LOUD]
    assert (tmp_path / "run" / "model.keras").stat().st_mtime_ns == before

    known = job.read_noisy_metrics(tmp_path / "run" / "noisy.json")
    task = finished.config.task
    clean = finished.metrics["tasks"][task]
    assert known[SOFT]["tasks"][task]["accuracy"] == clean["accuracy"]
    assert known[SOFT]["tasks"][task]["loss"] == pytest.approx(clean["loss"], abs=0.05)
    # White noise, 20 dB louder than the clip, is neither low nor high.
    assert known[LOUD]["tasks"][task]["loss"] > clean["loss"] + 0.1


def test_a_run_that_is_not_finished_is_trained(finished, request_of, tmp_path):
    (tmp_path / "run" / "metrics.json").unlink()
    job.main([json.dumps(request_of([]))])
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["parameters"] == finished.metrics["parameters"]


def test_noise_at_the_command_line(finished, capsys):
    argv = ("evaluate", str(finished.path), "--noise-snr=-20", "--noise-color", "white")
    assert not dispatch([*argv, "--json"])
    printed = capsys.readouterr()
    assert printed.err.endswith("in white noise at -20 dB\n")
    [found] = json.loads(printed.out)["tasks"].values()
    [expected] = evaluating.evaluate(finished.path, noise=LOUD)
    assert found["loss"] == pytest.approx(expected.predictions.loss)
