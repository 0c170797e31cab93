"""The content of `report.json`: an export's words about itself, for programs."""

import importlib.metadata
from collections.abc import Mapping, Sequence

from export.source.clips import Clips, describe
from export.source.opening import Source

_DISTRIBUTIONS = ("keras", "tensorflow", "ai-edge-litert")


def build_report(
    source: Source,
    clips: Sequence[Clips],
    keras: Sequence[dict],
    artifacts: Mapping[str, dict],
    left_out: Mapping[str, str],
) -> dict:
    """The content of `report.json`.

    `sample_rate`, `window_samples` and `heads` are what `export predict` needs to
    run an artifact. A list `heads` has an entry for each head, in one order; a single
    head's facts stand beside the list, too.

    Args:
        source: The model.
        clips: Clips of each head.
        keras: Measurements of the Keras model, one dict per head.
        artifacts: {name: measurements of the artifact}; those of a classifier have
            `heads`.
        left_out: {name: reason} of artifacts that weren't asked for and failed.

    Example:

    >>> from export.source.clips import synthetic_clips
    >>> report = build_report(source, [synthetic_clips(8000, 4000)], [{}], {}, {})
    >>> report["sample_rate"], report["labels"]
    (8000, ['north', 'south', 'east', 'west'])
    """
    heads = [
        {
            "labels": list(head.labels),
            "activation": head.activation,
            "activation_from": head.activation_from,
            **head.decisions_entry,
            "clips": describe([head_clips]),
        }
        for head, head_clips in zip(source.heads, clips)
    ]
    names = [
        {"name": h.name, "output": h.output, "labels_file": h.labels_file}
        for h in source.heads
    ]
    return {
        "source": source.name,
        "sample_rate": source.sample_rate,
        "window_samples": source.window_samples,
        "notes": list(source.notes),
        **(heads[0] if len(heads) == 1 else {"clips": describe(clips)}),
        "heads": [{**name, **head} for name, head in zip(names, heads)],
        "keras": {**(keras[0] if len(heads) == 1 else {}), "heads": keras},
        "artifacts": artifacts,
        "left_out": left_out,
        "training": source.training,
        "versions": _versions(),
    }


def _versions():
    import leaf_tf

    others = {name: importlib.metadata.version(name) for name in _DISTRIBUTIONS}
    return {"leaf_tf": leaf_tf.__version__, **others}
