"""Every task learns and leaves as a file: through real builders, on small archives."""

import json

import pytest

from export.__main__ import dispatch
from tests.training import miniatures
from tests.training.runs import small_config, write_pooling
from training.fit.fitting import fit

pytestmark = pytest.mark.slow

ALONE = (*miniatures.PAPER, "audioset_balanced", "spoken_digit", "spoken_digit@speaker")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    pytest.importorskip("apache_beam", reason="needs the extra `beam`")
    folder = tmp_path_factory.mktemp("miniatures")
    miniatures.ready(folder)
    return folder


def trained_and_exported(task, data_dir, folder):
    """The metrics of a run of two steps, and the report of its export."""
    encoder = write_pooling(folder / "encoder.keras")
    settings = dict(task=task, data_dir=str(data_dir), encoder=encoder)
    settings.update(epochs=1, steps_per_epoch=2)
    metrics = fit(small_config(None, **settings), folder / "run")
    options = ("--formats", "saved_model,tflite", "--quantize", "none")
    assert not dispatch(
        [str(folder / "run"), "--output", str(folder / "files"), *options]
    )
    return metrics, json.loads((folder / "files" / "report.json").read_text())


@pytest.mark.parametrize("task", ALONE)
def test_each_alone(task, data_dir, tmp_path):
    metrics, report = trained_and_exported(task, data_dir, tmp_path)
    assert metrics["tasks"][task]["n_examples"] > 0
    (head,) = json.loads((tmp_path / "run" / "tasks.json").read_text())["tasks"]
    assert report["heads"][0]["labels"] == head["labels"]
    for name in ("saved_model", "tflite"):
        assert report["artifacts"][name]["max_difference"] < 1e-4


def test_the_eight_of_the_paper_together(data_dir, tmp_path):
    import numpy as np

    from export.runners.litert import LiteRTRunner

    task = ",".join(miniatures.PAPER)
    metrics, report = trained_and_exported(task, data_dir, tmp_path)
    assert set(metrics["tasks"]) >= set(miniatures.PAPER)
    heads = json.loads((tmp_path / "run" / "tasks.json").read_text())["tasks"]
    assert [head["task"] for head in heads] == list(miniatures.PAPER)
    labels = {head["name"]: head["labels"] for head in report["heads"]}
    assert labels == {head["head"]: head["labels"] for head in heads}
    # The file answers for each head by its name.
    runner = LiteRTRunner(tmp_path / "files" / "model.tflite")
    window = np.zeros((1, runner.window_samples), np.float32)
    answers = runner.probabilities(window)
    for head in heads:
        assert answers[head["head"]].shape == (1, len(head["labels"]))
        np.testing.assert_allclose(answers[head["head"]].sum(), 1.0, atol=1e-4)
