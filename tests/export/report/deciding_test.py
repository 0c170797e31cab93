from export.report.deciding import decision_lines
from leaf_files.decisions import NONE_OF_THESE, Decisions

HEAD = {"name": "", "labels": ["no", "yes", "wind"], "activation": "softmax"}


def said(decisions=None, **changes):
    entry = {**HEAD, **changes}
    if decisions is not None:
        entry["decisions"] = decisions.to_dict()
    return "\n".join(decision_lines([entry]))


def test_a_model_without_decisions_says_what_it_does():
    assert said() == "Always the most probable label: no thresholds were chosen."
    words = said(activation="sigmoid")
    assert (
        words == f"Each label from 0.5 on, else {NONE_OF_THESE}: no thresholds chosen."
    )


def test_each_label_has_its_threshold_and_how_it_was_chosen():
    decisions = Decisions(
        temperature=1.5,
        thresholds={"yes": 0.75},
        none_below=0.4,
        background=("wind",),
        chosen_by={
            "temperature": {"clips": 99, "split": "validation"},
            "thresholds": {
                "yes": {"target": "precision", "value": 0.9, "interval": [0.8, 0.95]}
            },
            "none_below": {"target": "recall", "value": 0.5, "clips": 12},
        },
    )
    lines = said(decisions).splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| ")
    ]
    assert cells[2:] == [
        ["no", "0.4000", "recall 0.5, clips 12"],
        ["yes", "0.7500", "precision 0.9"],
        ["wind", f"never: {NONE_OF_THESE}", ""],
    ]
    piped = said(decisions, labels=["no|yes", "yes", "wind"])
    assert r"| no\|yes | " in piped
    assert "temperature of 1.5 (clips 99, split validation)," in said(decisions)
    assert "returns the probabilities as they are" in lines[-1]


def test_what_is_chosen_by_hand_is_told_without_a_reason():
    words = said(Decisions(thresholds={"yes": 0.75}))
    assert "chosen for" not in words
    assert "| no    |          always |" in words


def test_a_temperature_in_the_graph_is_told_as_such():
    decisions = Decisions(none_below=0.6, chosen_by={"temperature_in_graph": 2.0})
    assert "The files divide logits by a temperature of 2." in said(decisions)
    assert "does this by itself" in said(decisions)


def test_each_head_is_named():
    lines = decision_lines([{**HEAD, "name": "a"}, {**HEAD, "name": "b"}])
    assert [line for line in lines if line.startswith("**")] == ["**a**", "**b**"]
