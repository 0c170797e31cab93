import csv
import json
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

import leaf_tf  # noqa: F401  (the layers by which models load)
from tests.training.runs import write_noises


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Clips, and an encoder that draws nothing at random, unlike our own."""
    folder = tmp_path_factory.mktemp("devices")
    write_noises(folder / "clips", n_clips=6)
    features = keras.Input((None, 8))
    # A bias before batch normalisation has no gradient but rounding's.
    outputs = keras.layers.Conv1D(8, 3, padding="same", use_bias=False)(features)
    outputs = keras.layers.BatchNormalization(momentum=0.9)(outputs)
    outputs = keras.layers.ReLU()(outputs)
    outputs = keras.layers.GlobalAveragePooling1D()(outputs)
    keras.Model(features, outputs).save(folder / "encoder.keras")
    return folder


def history(run):
    with open(run / "history.csv", newline="") as file:
        return [
            {name: float(value) for name, value in row.items() if name != "seconds"}
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module", params=["mel_pcen", "leaf"])
def two_devices(folder, request):
    frontend = request.param
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.on_two_devices", folder, frontend],
        check=True,
        capture_output=True,
        text=True,
    )
    return {**json.loads(done.stdout.splitlines()[-1]), "runs": folder / frontend}


@pytest.mark.slow  # a process that trains twice
def test_two_devices_learn_as_one(two_devices):
    """Batch normalisation included: its statistics are those of the whole batch."""
    assert two_devices["n_devices"] == 2
    one, both = (history(two_devices["runs"] / name) for name in ("one", "both"))
    assert len(one) == len(both) == 2
    for row, expected in zip(both, one):
        assert row == pytest.approx(expected, rel=1e-4, abs=1e-5)
    [task] = two_devices["one"]["tasks"]
    both, one = (two_devices[name]["tasks"][task] for name in ("both", "one"))
    for metric in ("accuracy", "loss", "macro_f1"):
        assert both[metric] == pytest.approx(one[metric], rel=1e-4, abs=1e-5)


@pytest.mark.slow  # a process that trains twice
def test_their_models_are_of_one_kind(two_devices):
    one, both = (
        keras.models.load_model(two_devices["runs"] / name / "model.keras")
        for name in ("one", "both")
    )
    # Which only TensorFlow could load.
    assert not any(
        getattr(layer, "synchronized", 0) for layer in both._flatten_layers()
    )
    for weight, expected in zip(both.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow  # a process that trains twice
def test_a_batch_that_cannot_be_split_is_refused(two_devices):
    assert two_devices["refusal"] == (
        "a batch of 7 windows can't be split evenly over the 2 devices of this host; "
        "choose a --batch-size that is a multiple of 2"
    )


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(folder, run, index, n_hosts, port, *options):
    """Host `index` of a run, as a user starts it; keeps its weights in a file."""
    argv = [sys.executable, "-m", "tests.training.on_hosts"]
    argv += [
        folder / f"{run}{index}.npz",
        "fit",
        "--task",
        f"folder:{folder / 'clips'}",
    ]
    argv += ["--output", folder / run, "--encoder", folder / "encoder.keras"]
    argv += ["--n-filters", 8, "--sample-rate", 8000, "--window-seconds", 0.25]
    argv += ["--epochs", 2, "--steps-per-epoch", 4, "--batch-size", 8]
    argv += ["--distribute", "hosts", "--coordinator", f"127.0.0.1:{port}"]
    argv += ["--n-hosts", n_hosts, "--host-index", index, *options]
    return subprocess.Popen(
        [str(word) for word in argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes):
    """[(exit code, stdout, stderr)] of hosts that work together."""
    try:
        said = [process.communicate(timeout=500) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(p.returncode, *texts) for p, texts in zip(processes, said)]


@pytest.fixture(scope="module")
def jax_there():
    pytest.importorskip("jax", reason="needs the extra `jax`")


@pytest.fixture(scope="module")
def hosts(folder, jax_there):
    """What two hosts said that shared a run, which they do in ./two; one did ./one."""
    port = free_port()
    two = finish(*(start(folder, "two", index, 2, port) for index in (0, 1)))
    [alone] = finish(start(folder, "alone", 0, 1, free_port()))
    assert [code for code, _, _ in (*two, alone)] == [0, 0, 0], (two, alone)
    return two


def weights(path):
    with np.load(path) as file:
        return [file[name] for name in file.files]


@pytest.mark.slow
def test_two_hosts_end_with_the_same_weights_as_one(folder, hosts):
    first, second = (weights(folder / f"two{index}.npz") for index in (0, 1))
    alone = weights(folder / "alone0.npz")
    assert len(first) == len(second) == len(alone) > 10
    for one, other, expected in zip(first, second, alone):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, expected, rtol=1e-3, atol=1e-5)
    for row, expected in zip(history(folder / "two"), history(folder / "alone")):
        assert row == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.slow
def test_the_first_host_speaks_and_the_others_are_silent(folder, hosts):
    (_, first, errors), (_, second, other_errors) = hosts
    assert first.startswith("waiting at 127.0.0.1:")
    assert first.endswith(f"the run lies in {folder / 'two'}\n")
    assert second == errors == other_errors == ""


@pytest.mark.slow
def test_what_jax_trained_tensorflow_exports(folder, hosts):
    artifacts = folder / "artifacts"
    subprocess.run(
        [sys.executable, "-m", "export", folder / "two", "--output", artifacts],
        check=True,
        capture_output=True,
    )
    report = json.loads((artifacts / "report.json").read_text())
    metrics = json.loads((folder / "two" / "metrics.json").read_text())
    [task] = metrics["tasks"].values()
    assert report["keras"]["accuracy"] == task["accuracy"]
    assert report["artifacts"]["tflite"]["max_difference"] < 1e-4


@pytest.mark.slow
def test_hosts_of_other_settings_refuse_to_go_on(folder, jax_there):
    port = free_port()
    one = start(folder, "other", 0, 2, port)
    other = start(folder, "other", 1, 2, port, "--seed", 1)
    for code, _, error in finish(one, other):
        assert code == 1
        assert "host 1 has other settings than host 0: " in error
        assert error.count("\n") == 1
