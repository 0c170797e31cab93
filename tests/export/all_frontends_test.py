"""Every frontend that `fit` knows goes from clips to a file for phones."""

import json

import pytest

from export.__main__ import dispatch
from tests.training.runs import small_config, write_convolution, write_noises
from training.commands.arguments import FRONTENDS
from training.fit.fitting import fit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def noises(tmp_path_factory):
    return write_noises(tmp_path_factory.mktemp("noises"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_convolution(tmp_path_factory.mktemp("encoders") / "encoder.keras")


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_trains_and_exports(frontend, noises, encoder, tmp_path):
    run, artifacts = tmp_path / "run", tmp_path / "artifacts"
    settings = dict(frontend=frontend, encoder=encoder, epochs=1, steps_per_epoch=2)
    config = small_config(noises, **settings)
    fit(config, run)
    formats = ("--formats", "saved_model,tflite")
    assert not dispatch([str(run), "--output", str(artifacts), *formats])
    report = json.loads((artifacts / "report.json").read_text())
    tflite = report["artifacts"]["tflite"]
    # Builtin operators, in capitals; the learned filters are constants.
    assert all(operator.isupper() for operator in tflite["ops"])
    assert not {"SIN", "COS"} & set(tflite["ops"])
    assert tflite["subgraphs"] == 1
    for name, artifact in report["artifacts"].items():
        most = 0.05 if name.startswith("tflite_") else 1e-4
        assert artifact["max_difference"] < most, name
