"""What a run says of its training, and what it says where files are damaged."""

import json

import pytest

from export.source.training import training_facts
from leaf_files.atomic import write_json
from leaf_files.run_folder import Head, digest_of, tasks_json

ABOUT = {"split": "official", "licence": "CC BY 4.0"}
HEAD = Head("folder:/home/me/birds/", "birds", ("tit", "wren"), about=ABOUT)
SCORES = {
    "accuracy": 0.8,
    "n_examples": 20,
    "intervals": {"accuracy": [0.6, 0.9], "macro_f1": None},
    "intervals_over": "groups",
    "n_intervals_over": 5,
    "n_groups": {"train": 20, "validation": 5, "test": 5},
    "per_class": {},
    "calibration": {"temperature": 1.5, "ece": 0.1},
}


@pytest.fixture
def run(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"a model")
    write_json(tmp_path / "config.json", {"frontend": "leaf", "encoder": "small"})
    write_json(tmp_path / "tasks.json", tasks_json([HEAD]))
    splits = {"train": {"clips": 80}, "test": {"clips": 20, "fingerprint": "ab"}}
    record = {
        "tasks": [{"head": "birds", "splits": splits}],
        "files": {"model.keras": digest_of(tmp_path / "model.keras")},
    }
    write_json(tmp_path / "data.json", record)
    metrics = {"tasks": {HEAD.task: SCORES}, "parameters": {"total": 50000}}
    write_json(tmp_path / "metrics.json", metrics)
    return tmp_path


def test_it_says_what_is_known_and_no_path_of_the_users(run):
    assert training_facts(run) == {
        "frontend": "leaf",
        "encoder": "small",
        "parameters": 50000,
        "tasks": [
            {
                "name": "folder:birds",
                "head": "birds",
                "about": ABOUT,
                "clips": {"train": 80, "test": 20},
                "groups": {"train": 20, "validation": 5, "test": 5},
                "test": {
                    "scores": {"accuracy": 0.8},
                    "intervals": {"accuracy": [0.6, 0.9]},
                    "intervals_over": "groups",
                    "calibration": {"temperature": 1.5, "ece": 0.1},
                    "n_examples": 20,
                    "n_intervals_over": 5,
                },
            }
        ],
    }


def test_scores_of_another_model_are_not_told(run):
    (run / "model.keras").write_bytes(b"another")
    [task] = training_facts(run)["tasks"]
    assert "test" not in task and task["clips"] == {"train": 80, "test": 20}


@pytest.mark.parametrize("name", ["config", "tasks", "data", "metrics"])
@pytest.mark.parametrize("content", ["", "[]", "{", '{"tasks": 3}', '{"tasks": [3]}'])
def test_damaged_files_leave_out_what_they_would_say(run, name, content):
    (run / f"{name}.json").write_text(content)
    facts = training_facts(run)
    json.dumps(facts, allow_nan=False)
    assert len(facts["tasks"]) == (name != "tasks")


def test_numbers_that_json_has_not_are_left_out(run):
    text = (run / "metrics.json").read_text()
    (run / "metrics.json").write_text(
        text.replace("0.8", "NaN").replace("1.5", "1e999")
    )
    [task] = training_facts(run)["tasks"]
    assert "test" not in task
