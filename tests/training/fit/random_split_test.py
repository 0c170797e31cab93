import json

import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from tests.training.runs import SAMPLE_RATE, noise, small_config
from training.evaluation.report import splits_in_words
from training.fit import fitting
from training.fit.fitting import fit
from training.fit.random_split import random_config
from training.run.folder import RunFolder
from training.settings.config import FitConfig

PATTERN = "([^/]+)__"


@pytest.fixture(scope="module")
def grouped(tmp_path_factory):
    """Low against high noise, 3 clips a class by each of 6 groups."""
    folder = tmp_path_factory.mktemp("grouped")
    random = np.random.default_rng(0)
    for label in ("high", "low"):
        for n in range(18):
            path = folder / label / f"g{n % 6}__{n}.flac"
            write_clip(path, noise(random, 0.3, label == "high"), SAMPLE_RATE)
    return folder


def config_of(folder, pooling, **settings):
    quick = {"encoder": pooling, "epochs": 1, "steps_per_epoch": 2}
    return small_config(folder, **quick, **settings)


def test_a_finished_run_gets_its_like_on_a_random_split(
    grouped, pooling, no_figures, tmp_path, monkeypatch, capsys
):
    config = config_of(grouped, pooling, group_pattern=PATTERN)
    path = tmp_path / "run"
    [before] = fit(config, path)["tasks"].values()
    assert "random_split" not in before

    def cut(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "_compare_splits", cut)
        with pytest.raises(KeyboardInterrupt):
            fit(config, path, resume=True, compare_splits=True)
    metrics = fit(config, path, resume=True, compare_splits=True)
    assert metrics == json.loads((path / "metrics.json").read_text())
    [entry] = metrics["tasks"].values()
    assert entry["accuracy"] == before["accuracy"]
    other = RunFolder(path / "random_split")
    [random] = other.read_metrics()["tasks"].values()
    for name, value in entry["random_split"].items():
        assert value == random[name]
    assert FitConfig.read(other.config) == random_config(config)
    assert entry["n_groups"]["test"] >= 1 and "n_groups" not in random
    said = splits_in_words(entry)
    assert said in capsys.readouterr().out
    assert said[1:] in (path / "report.md").read_text()
    assert fit(config, path, resume=True, compare_splits=True) == metrics
    assert "is finished" in capsys.readouterr().out


def test_words():
    entry = {
        "accuracy": 0.223,
        "intervals": {"accuracy": [0.181, 0.27]},
        "random_split": {"accuracy": 0.99, "intervals": {"accuracy": None}},
    }
    assert splits_in_words(entry) == (
        "unseen groups: accuracy 22.3 % (18.1 to 27.0); a random split would have said "
        "99.0 %"
    )


@pytest.mark.parametrize(
    "settings, said",
    [
        ({}, "the groups of folder:.* aren't known: name them by --group-pattern"),
        ({"group_by": "none"}, "--group-by none leaves groups aside"),
        ({"task": "synthetic"}, "the splits of synthetic are fixed"),
    ],
)
def test_where_a_random_split_would_be_no_other_one(settings, said, grouped, tmp_path):
    config = small_config(grouped, **settings)
    with pytest.raises(UserError, match=said):
        fit(config, tmp_path / "run", compare_splits=True)
    assert not (tmp_path / "run").exists()
