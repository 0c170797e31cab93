"""Runs on folders whose clips have groups, several labels, or splits of their own."""

import csv
import json

import pytest

from tests.training.runs import small_config, write_noises
from training.evaluation.evaluating import as_metrics, evaluate
from training.fit.fitting import fit
from training.run.data_record import DataRecord
from training.run.folder import RunFolder


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    """Clips of 5 makers, m0 to m4, each with the classes high, low, both and noise."""
    folder = write_noises(tmp_path_factory.mktemp("grouped"), n_clips=20)
    (folder / "high,low").mkdir()
    (folder / "Noise").mkdir()
    for path in sorted(folder.glob("*/*.flac")):
        number = int(path.stem)
        label = path.parent.name
        if number >= 15:
            label = "high,low" if label == "high" else "Noise"
        path.rename(folder / label / f"m{number % 5}__{path.name}")
    return folder


def test_a_run_tests_on_groups_that_it_never_heard(
    grouped, pooling, no_figures, tmp_path, capsys
):
    config = small_config(
        grouped,
        encoder=pooling,
        epochs=1,
        group_pattern="([^/]+)__",
        folds="groups",
        seed=3,
    )
    metrics = fit(config, tmp_path / "run")
    printed = capsys.readouterr()
    assert "fold 3 of 5 (m3) tests, counted from 0; fold 4 validates" in printed.err
    assert "2 classes; 24 train, 8 validation, 8 test clips; 3, 1, 1 groups" in (
        printed.out
    )
    [found] = metrics["tasks"].values()
    assert found["n_groups"] == {"train": 3, "validation": 1, "test": 1}
    run = RunFolder(tmp_path / "run")
    record = DataRecord.read(run).of_head(grouped.name)
    for split, makers in {"validation": "m4", "test": "m3"}.items():
        files = [clip.file for clip in record.clips[split]]
        assert {file.split("/")[1].partition("__")[0] for file in files} == {makers}
    [entry] = json.loads(run.tasks.read_text())["tasks"]
    assert entry["labels"] == ["high", "low"] and entry["activation"] == "sigmoid"
    assert entry["background"] == "Noise"
    # The same clips are found again, whatever the folds were.
    [again] = as_metrics(evaluate(run.path))["tasks"].values()
    assert again["mAP"] == pytest.approx(found["mAP"])
    assert again["n_examples"] == 8


def test_a_score_that_is_undefined_ends_no_run(grouped, pooling, no_figures, tmp_path):
    """The area under the ROC curve is, where each clip has all labels."""
    splits = {"m3": "validation", "m4": "test"}
    rows = [
        f"{path}\thigh|low\t{splits.get(path.name[:2], 'train')}"
        for path in sorted(grouped.glob("*/*.flac"))
    ]
    table = tmp_path / "clips.tsv"
    table.write_text("\n".join(["path\tlabel\tsplit", *rows]))
    config = small_config(grouped, task=f"table:{table}", encoder=pooling, epochs=1)
    [scores] = fit(config, tmp_path / "run")["tasks"].values()
    assert scores["auc"] is None and scores["d_prime"] is None
    [row] = csv.DictReader((tmp_path / "run" / "history.csv").open())
    assert row["val_auc"] == "" and float(row["val_loss"]) > 0
