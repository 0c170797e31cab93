"""What a model card says of decisions: temperature, thresholds, none of these."""

from collections.abc import Mapping, Sequence

import numpy as np

from export.contract.heads import Head
from export.tflite_format.score_units import score_units
from leaf_files.command_line import script
from leaf_files.decisions import NONE_OF_THESE, Decisions
from leaf_files.run_folder import SIGMOID
from leaf_files.tables import aligned_table

_IN_GRAPH = "temperature_in_graph"  # in `chosen_by`, of `export --calibrated`


def decision_lines(heads: Sequence[Mapping]) -> list[str]:
    """Lines on how the probabilities of each head become decisions; [] for no heads.

    Args:
        heads: The list `heads` of `report.json`.

    Example:

    >>> decisions = Decisions(thresholds={"wren": 0.8}, none_below=0.5).to_dict()
    >>> head = {"name": "", "labels": ["tit", "wren"], "activation": "softmax"}
    >>> print(*decision_lines([{**head, "decisions": decisions}])[:5], sep="\\n")
    The most probable label, if it reaches its threshold; else (none of these).
    <BLANKLINE>
    | label | decided on from |
    | ----- | --------------: |
    | tit   |          0.5000 |
    """
    lines: list[str] = []
    for entry in heads:
        head = head_of(entry)
        if lines:
            lines.append("")
        if head.name:
            lines += [f"**{head.name}**", ""]
        lines += _lines(head)
    return lines


def head_of(entry: Mapping) -> Head:
    """The head of an entry of the list `heads` of `report.json`.

    Example:

    >>> head_of({"name": "", "labels": ["no", "yes"], "activation": "softmax"}).labels
    ('no', 'yes')
    """
    decisions = entry.get("decisions")
    return Head(
        entry["name"],
        tuple(entry["labels"]),
        entry["activation"],
        decisions=Decisions.from_dict(decisions) if decisions else Decisions(),
    )


def _lines(head):
    decisions = head.decisions
    is_sigmoid = head.activation == SIGMOID
    default = 0.5 if is_sigmoid and not decisions.none_below else None
    levels = decisions.levels(head.labels, default)
    if decisions.can_refuse:
        which = "Each label that" if is_sigmoid else "The most probable label, if it"
        lines = [f"{which} reaches its threshold; else {NONE_OF_THESE}."]
    elif is_sigmoid:
        lines = [f"Each label from 0.5 on, else {NONE_OF_THESE}: no thresholds chosen."]
    else:
        lines = ["Always the most probable label: no thresholds were chosen."]
    lines += _temperature(decisions)
    if decisions.can_refuse:
        lines += ["", *_table(head, levels)]
    if not decisions.is_identity:
        lines += ["", _of_mediapipe(head)]
    return lines


def _temperature(decisions):
    chosen = decisions.chosen_by.get("temperature")
    how = f" ({_told(chosen)})" if isinstance(chosen, Mapping) and chosen else ""
    inside = decisions.chosen_by.get(_IN_GRAPH)
    if inside is not None:
        return [f"The files divide logits by a temperature of {inside:.4g}{how}."]
    if decisions.temperature == 1.0:
        return []
    return [
        f"Thresholds are of probabilities at logits divided by a temperature of "
        f"{decisions.temperature:.4g}{how},",
        f"which `{script('export')} predict` does; `--calibrated` puts it into the "
        "files.",
    ]


def _table(head, levels):
    chosen = head.decisions.chosen_by.get("thresholds")
    chosen = chosen if isinstance(chosen, Mapping) else {}
    of_all = head.decisions.chosen_by.get("none_below")
    rows = []
    for label, level in zip(head.labels, levels):
        own = chosen.get(label) if label in head.decisions.thresholds else of_all
        if not np.isfinite(level):
            rows.append([label, f"never: {NONE_OF_THESE}", ""])
        else:
            told = _told(own) if isinstance(own, Mapping) else ""
            rows.append([label, f"{level:.4f}" if level else "always", told])
    titles = ["label", "decided on from", "chosen for"]
    if not any(row[2] for row in rows):
        titles, rows = titles[:2], [row[:2] for row in rows]
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return aligned_table(titles, cells)


def _told(chosen):
    """How something was chosen, in words: the entry's plain values."""
    words = []
    if "target" in chosen and "value" in chosen:
        words.append(f"{chosen['target']} {_plain(chosen['value'])}")
    for name, value in chosen.items():
        if name not in ("target", "value") and isinstance(value, (int, float, str)):
            words.append(f"{name} {_plain(value)}")
    return ", ".join(words)


def _plain(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _of_mediapipe(head):
    if score_units(head) is not None:
        return "MediaPipe's AudioClassifier does this by itself, window by window."
    return (
        "MediaPipe's AudioClassifier returns the probabilities as they are: its "
        "metadata can't say this."
    )
