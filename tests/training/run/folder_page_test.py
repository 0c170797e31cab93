"""The page on the run folder names all that is in one."""

import dataclasses
import json
import re

import numpy as np

import leaf_tf
from leaf_tf.visualize import Drift
from tests import pages
from tests.training.run.folder_test import noise_set
from tests.training.runs import small_config
from training.evaluation.clips import MultiLabelPredictions
from training.evaluation.frontend_metrics import frontend_metrics
from training.evaluation.scores import scored

PAGE = "run_folder.md"


def read(path):
    return json.loads(path.read_text())


def columns(path):
    return path.read_text().splitlines()[0].split(",")


def test_files(finished):
    names = [name.rstrip("/") for name in pages.named(PAGE)]
    assert [
        path.name for path in finished.path.iterdir() if path.name not in names
    ] == []


def test_keys(finished):
    for name in ("metrics.json", "tasks.json"):
        content = read(finished.path / name)
        assert pages.unnamed(content, pages.named(PAGE, name)) == [], name
    names = pages.named(PAGE, "data.json and data.csv")
    assert pages.unnamed(read(finished.path / "data.json"), names) == []


def test_columns(finished):
    for file, section in (
        ("history.csv", "history.csv"),
        ("predictions.csv", "predictions.csv"),
        ("data.csv", "data.json and data.csv"),
        ("evaluation_clips/clips.csv", "evaluation_clips/clips.csv"),
    ):
        names = pages.named(PAGE, section)
        found = columns(finished.path / file)
        found = [re.sub("^probability .*", "probability LABEL", c) for c in found]
        assert [c for c in found if c not in names] == [], file


def test_keys_of_several_labels_and_of_learned_frontends():
    classes = np.array([[1, 0], [0, 1], [1, 1]])
    test = MultiLabelPredictions(np.zeros((3, 2)), classes)
    entry = scored(dataclasses.replace(test, groups="xyz"), ("a", "b"))
    metrics = {"tasks": {"t": entry}, "average": test.metrics}
    leaf = leaf_tf.Leaf(4, 8000, window_len=4.0, window_stride=2.0)
    leaf.build((None, None))
    config = small_config("clips", window_seconds=0.1)
    metrics |= frontend_metrics(leaf, [noise_set(2)], config, n_replans=0)
    names = pages.named(PAGE, "metrics.json")
    assert pages.unnamed(metrics, names) == []
    drift = {field.name: 0.0 for field in dataclasses.fields(Drift)}
    assert pages.unnamed({"filter_drift": drift}, names) == []
