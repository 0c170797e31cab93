"""`python -m export predict ARTIFACT CLIP...`."""

import json
from pathlib import Path

import numpy as np

from export.commands.places import expanded
from export.commands.running import predict_parser
from export.commands.saying import say
from export.contract.averaging import clip_probabilities
from export.runners.opening import OpenArtifact, open_artifact
from leaf_files.clips import hear_clip
from leaf_files.decisions import NONE_OF_THESE
from leaf_files.errors import UserError
from leaf_files.oddities import warn_of
from leaf_files.walk import shown
from leaf_files.windows import cut_windows


def main(argv: list[str]) -> int:
    """Runs the command; see `export.commands.running` for its options.

    Returns:
        0, or 1 when a clip could not be read; the others are answered still.

    Example:

    >>> main(["artifacts", "clip.wav", "--top", "1"])
    clip.wav (1 s)
      ...  0...
    0
    """
    arguments = predict_parser().parse_args(argv)
    model = open_artifact(arguments.artifact, arguments.sample_rate)
    if model.note:
        say("predict", "note", model.note)
    paths, refusals = expanded(arguments.clips)
    for refusal in refusals:
        say("predict", "error", refusal)
    answers, exit_code = [], 1 if refusals else 0
    for path in paths:
        try:
            answer = predict_clip(model, path, arguments.top)
        except UserError as error:
            say("predict", "error", error)
            exit_code = 1
            continue
        answers.append(answer)
        if not arguments.json:
            print(_text(answer, model.heads), flush=True)
    if arguments.json:
        print(json.dumps(answers, indent=2))
    return exit_code


def predict_clip(model: OpenArtifact, path: str | Path, n_top: int) -> dict:
    """The top labels of one clip, calibrated; oddities of its sound go to stderr.

    Args:
        model: The artifact at work.
        path: Audio file.
        n_top: Number of labels.

    Returns:
        dict: `clip`, `seconds`, `windows`, and `labels`, a list of {`label`,
        `probability`}, the most probable first; for a model of several heads, `heads`
        instead, {name: such a list}. `decided` has the labels that are decided on, a
        list, [] for none of these; of several heads {name: such a list}.

    Raises:
        UserError: The clip can't be read.

    Example:

    >>> answer = predict_clip(open_artifact("artifacts"), "clip.wav", n_top=1)
    >>> answer["windows"], len(answer["labels"])
    (2, 1)
    """
    clip = hear_clip(path, model.sample_rate)
    warn_of(path, clip.oddities)
    windows = cut_windows(clip.waveform, model.window_samples)
    probabilities = model.runner.probabilities(windows)
    answers, decided = {}, {}
    for head in model.heads:
        of_clip = clip_probabilities(probabilities[head.name], head.activation)
        answers[head.name] = _top_labels(head, of_clip, n_top)
        found = head.decisions.decided(of_clip, head.labels, head.activation)
        decided[head.name] = list(found)
    return {
        "clip": str(path),
        "seconds": round(clip.waveform.size / clip.sample_rate, 3),
        "windows": len(windows),
        **({"labels": answers[""]} if "" in answers else {"heads": answers}),
        "decided": decided.get("", decided),
    }


def _top_labels(head, of_clip, n_top):
    probabilities = head.decisions.calibrated(of_clip, head.activation)
    top = np.argsort(-probabilities, kind="stable")[:n_top]
    return [
        {"label": head.labels[i], "probability": float(probabilities[i])} for i in top
    ]


def _text(answer, heads):
    refusing = {head.name for head in heads if head.decisions.can_refuse}
    lines = [f"{shown(answer['clip'])} ({answer['seconds']:g} s)"]
    for name, labels in answer.get("heads", {"": answer.get("labels")}).items():
        if name:
            lines.append(f"  {name}:")
        indent = "    " if name else "  "
        width = max(len(entry["label"]) for entry in labels)
        decided = answer["decided"]
        decided = decided[name] if isinstance(decided, dict) else decided
        if name in refusing and not decided:
            lines.append(f"{indent}{NONE_OF_THESE}")
        lines += [
            f"{indent}{entry['label']:<{width}}  {entry['probability']:.4f}"
            for entry in labels
        ]
    return "\n".join(lines)
