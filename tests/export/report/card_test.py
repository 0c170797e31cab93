"""Cards of made-up reports say what is known, and no more."""

import copy

import pytest

from export.report.card import card_markdown
from export.report.how_to_run import how_to_run
from leaf_files.decisions import Decisions
from tests.cards import head_of

TASK = {
    "name": "folder:birds",
    "head": "birds",
    "about": {"split": "80/10/10 within each class by the seed"},
    "clips": {"train": 80, "validation": 10, "test": 12},
    "groups": {},
    "test": {
        "scores": {"accuracy": 0.75, "macro_f1": 0.7},
        "intervals": {"accuracy": [0.5, 0.9]},
        "intervals_over": "clips",
        "n_intervals_over": 12,
        "n_examples": 12,
        "calibration": {"temperature": 1.5, "ece": 0.05, "ece_uncalibrated": 0.11},
    },
}
HEAD = {
    "name": "",
    "output": "probabilities",
    "labels_file": "labels.txt",
    "labels": ["tit|mouse", "wren"],
    "activation": "softmax",
    "clips": {"origin": "evaluation_clips", "n_clips": 6, "n_windows": 6},
}
REPORT = {
    "source": "garden: birds",
    "sample_rate": 16000,
    "window_samples": 8000,
    "notes": [],
    "heads": [HEAD],
    "clips": HEAD["clips"],
    "keras": {"heads": [{"accuracy": 4 / 6}]},
    "artifacts": {},
    "training": {"frontend": "leaf", "encoder": "small", "tasks": [TASK]},
    "versions": {"leaf_tf": "1.0"},
}
FILES = {"model.tflite": {"bytes": 1234, "sha256": "ab" * 32}}


def card(files=FILES, **changes):
    return card_markdown({**copy.deepcopy(REPORT), **changes}, files)


def with_task(**changes):
    return {"tasks": [{**TASK, **changes}]}


def section(text, title):
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_head_is_what_a_hub_of_models_reads():
    head = head_of(card())
    assert head["pipeline_tag"] == "audio-classification"
    assert head["metrics"] == ["accuracy", "f1"]
    assert {"tflite", "audio"} <= set(head["tags"]) and "onnx" not in head["tags"]
    assert "license" not in head  # nobody said one
    [entry] = head["model-index"]
    assert entry["name"] == "garden: birds"
    [result] = entry["results"]
    assert result["task"]["type"] == "audio-classification"
    name = {"type": "folder:birds", "name": "folder:birds", "split": "test"}
    assert result["dataset"] == name
    accuracy, f1 = result["metrics"]
    interval = "accuracy (95 % interval 0.5000 to 0.9000, over clips)"
    assert accuracy == {"type": "accuracy", "value": 0.75, "name": interval}
    assert f1 == {"type": "f1", "value": 0.7, "name": "macro-F1"}


def test_without_scores_the_head_claims_none():
    head = head_of(card(training={}, files={"model.onnx": FILES["model.tflite"]}))
    assert "metrics" not in head and "model-index" not in head
    assert "onnx" in head["tags"] and "tflite" not in head["tags"]


def test_scores_stand_with_their_intervals_and_calibration():
    tested = section(card(), "How it was tested")
    row = (
        "| `folder:birds` | 12 | accuracy | 0.7500 | 0.5000 to 0.9000, over 12 clips |"
    )
    assert row in tested
    assert "| macro-F1 | 0.7000 | not known |" in tested
    assert (
        "temperature 1.5" in tested and "by 0.050 in the mean, 0.110 without" in tested
    )


def test_scores_of_clips_at_export_have_their_exact_interval():
    tested = section(card(training={}), "How it was tested")
    # 4 of 6 by Clopper and Pearson.
    assert "0.6667 | 0.2228 to 0.9567, over clips |" in tested
    assert "6 clips (evaluation_clips)" in tested
    unlabelled = card(training={}, keras={"heads": [{"accuracy": None}]})
    assert "scores are not known" in section(unlabelled, "How it was tested")


def test_what_is_not_known_of_data_is_said():
    data = section(card(training={}), "Data and licences")
    assert "Trained on: not known. Licence of the data: not known." in data
    assert "Licence of the model: not known" in data
    data = section(card(), "Data and licences")
    assert "| `folder:birds` | 80 | 10 | 12 | not known |" in data
    about = {"licence": "CC BY 4.0", "homepage": "https://example.org"}
    data = section(card(training=with_task(about=about)), "Data and licences")
    assert "| 12 | CC BY 4.0 | <https://example.org> |" in data


def test_the_licence_of_the_model_is_what_its_maker_names():
    text = card(license="cc-by-4.0")
    assert head_of(text)["license"] == "cc-by-4.0"
    assert "Licence of the model: cc-by-4.0." in section(text, "Data and licences")


def test_a_random_split_is_a_limit_and_groups_are_counted():
    limits = section(card(), "Limits")
    assert "80/10/10 within each class by the seed" in limits
    assert "the scores flatter" in limits
    groups = {**TASK["test"], "intervals_over": "groups", "n_intervals_over": 7}
    limits = section(card(training=with_task(test=groups)), "Limits")
    assert "are of 7 groups of speakers" in limits and "flatter" not in limits
    assert "tell as much as the interval says" in limits
    one = {**groups, "n_intervals_over": 1, "intervals": {}}
    limits = section(card(training=with_task(test=one)), "Limits")
    assert (
        "are of 1 group of" in limits and "of others the scores tell little" in limits
    )


def test_the_split_of_a_data_set_is_named_and_an_unknown_one_called_unknown():
    about = {"split": "official, no actor in two", "split_by": "the data set"}
    limits = section(card(training=with_task(about=about)), "Limits")
    assert "those that the data set names (official, no actor in two)" in limits
    assert "flatter" not in limits
    limits = section(card(training=with_task(about={})), "Limits")
    assert "were held out isn't known" in limits


def test_a_model_without_a_way_to_refuse_says_so():
    assert "It knows no other sounds" in section(card(), "Limits")
    decided = {**HEAD, "decisions": Decisions(none_below=0.6).to_dict()}
    text = card(heads=[decided])
    assert "It knows no other sounds" not in text
    assert "other sounds than it was trained with may pass" in section(text, "Limits")
    assert "| wren       |          0.6000 |" in section(text, "Decisions")
    assert "nothing above 8000 Hz" in section(text, "Limits")


@pytest.mark.parametrize(
    "files, expected",
    [
        (["model_int8.tflite"], ["LiteRT, Python", "MediaPipe", "A web page"]),
        (["model.onnx"], ["ONNX Runtime"]),
        (["saved_model/1/saved_model.pb"], ["SavedModel", "TF Serving, REST"]),
        (["frontend.tflite"], []),
    ],
)
def test_only_files_that_are_there_are_run(files, expected):
    report = {**REPORT, "artifacts": {"saved_model": {"signatures": ["about"]}}}
    text = "\n".join(how_to_run(report, dict.fromkeys(files)))
    titles = [s for s in text.splitlines() if s.startswith("### ")]
    assert titles == [f"### {title}" for title in expected]
    if files == ["model_int8.tflite"]:
        assert text.count("model_int8.tflite") == 4 and '"model.tflite' not in text


def test_a_microcontrollers_file_says_what_it_takes():
    measured = {"arena_bytes": 61234, "stream": {"chunk_samples": 1600}}
    report = {**REPORT, "artifacts": {"micro_int8": measured}}
    text = " ".join(how_to_run(report, {"micro_int8.tflite": None}))
    assert "### A microcontroller: micro_int8.tflite" in text
    assert "an arena of 61,234 bytes, 1600 samples at a time" in text
    files = {"micro_int8.c": FILES["model.tflite"]}
    assert "| `micro_int8.c` | 1,234 | the file of that name as C |" in card(
        files=files
    )


def test_labels_and_names_that_are_markup_are_shown_as_they_are():
    text = card()
    assert "**2 labels**, one of them a clip (softmax)" in text
    assert "`tit|mouse`, `wren`." in text
    assert "# garden: birds\n" in text
    report = {**REPORT, "source": "garden: birds"}
    report["artifacts"] = {"saved_model": {"signatures": []}}
    served = "\n".join(how_to_run(report, {"saved_model/1/saved_model.pb": None}))
    assert "models/garden_birds:predict" in served


def test_files_stand_with_their_checksums():
    row = f"| `model.tflite` | 1,234 | LiteRT, float32: one window | `{'ab' * 32}` |"
    assert row in section(card(), "Files")
