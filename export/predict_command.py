"""`python -m export predict ARTIFACT CLIP...`."""

import json
import sys

import numpy as np

from export.arguments import predict_parser
from export.averaging import clip_probabilities
from export.opening import open_artifact
from files.clips import read_clip
from files.command_line import one_line
from files.errors import UserError
from files.windows import cut_windows


def main(argv):
    """Runs the command; see `export.arguments` for what it takes.

    Returns:
        0, or 1 when a clip could not be read; the others are answered still.
    """
    arguments = predict_parser().parse_args(argv)
    model = open_artifact(arguments.artifact, arguments.sample_rate)
    if model.note:
        print(
            one_line(f"python -m export predict: note: {model.note}"), file=sys.stderr
        )
    answers, exit_code = [], 0
    for path in arguments.clips:
        try:
            answer = predict_clip(model, path, arguments.top)
        except UserError as error:
            message = f"python -m export predict: error: {error}"
            print(one_line(message), file=sys.stderr)
            exit_code = 1
            continue
        answers.append(answer)
        if not arguments.json:
            print(_text(answer), flush=True)
    if arguments.json:
        print(json.dumps(answers, indent=2))
    return exit_code


def predict_clip(model, path, n_top):
    """The top labels of one clip.

    Args:
        model: `export.opening.OpenArtifact`.
        path: Audio file.
        n_top: How many labels.

    Returns:
        dict: `clip`, `seconds`, `windows`, and `labels`, a list of {`label`,
        `probability`}, the most probable first; of a model of several heads, `heads`
        instead, {name: such a list}.

    Raises:
        UserError: The clip can't be read.
    """
    waveform, sample_rate = read_clip(path, model.sample_rate)
    windows = cut_windows(waveform, model.window_samples)
    probabilities = model.runner.probabilities(windows)
    answers = {
        head.name: _top_labels(head, probabilities[head.name], n_top)
        for head in model.heads
    }
    return {
        "clip": str(path),
        "seconds": round(waveform.size / sample_rate, 3),
        "windows": len(windows),
        **({"labels": answers[""]} if "" in answers else {"heads": answers}),
    }


def _top_labels(head, window_probabilities, n_top):
    probabilities = clip_probabilities(window_probabilities, head.activation)
    top = np.argsort(-probabilities, kind="stable")[:n_top]
    return [
        {"label": head.labels[i], "probability": float(probabilities[i])} for i in top
    ]


def _text(answer):
    lines = [f"{answer['clip']} ({answer['seconds']:g} s)"]
    for name, labels in answer.get("heads", {"": answer.get("labels")}).items():
        if name:
            lines.append(f"  {name}:")
        indent = "    " if name else "  "
        width = max(len(entry["label"]) for entry in labels)
        lines += [
            f"{indent}{entry['label']:<{width}}  {entry['probability']:.4f}"
            for entry in labels
        ]
    return "\n".join(lines)
