import csv
import json
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


@pytest.fixture(scope="module")
def two_devices(folder):
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.on_two_devices", folder],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_two_devices_learn_as_one(folder, two_devices):
    """Batch normalisation included: its statistics are those of the whole batch."""
    assert two_devices["n_devices"] == 2
    one, both = history(folder / "one"), history(folder / "both")
    assert len(one) == len(both) == 3
    for row, expected in zip(both, one):
        assert row == pytest.approx(expected, rel=1e-4, abs=1e-5)
    [task] = two_devices["one"]["tasks"]
    found, expected = (two_devices[name]["tasks"][task] for name in ("both", "one"))
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_their_models_are_of_one_kind(folder, two_devices):
    one, both = (
        keras.models.load_model(folder / name / "model.keras")
        for name in ("one", "both")
    )
    # Which only TensorFlow could load.
    assert not any(
        getattr(layer, "synchronized", 0) for layer in both._flatten_layers()
    )
    for weight, expected in zip(both.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5)


def test_a_batch_that_cannot_be_split_is_refused(two_devices):
    assert two_devices["refusal"] == (
        "a batch of 7 windows can't be split evenly over the 2 devices of this host; "
        "choose a --batch-size that is a multiple of 2"
    )
