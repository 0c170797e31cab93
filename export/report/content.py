"""What an export says about itself, for programs."""

import importlib.metadata

from export.source.clips import describe

_DISTRIBUTIONS = ("keras", "tensorflow", "ai-edge-litert")


def build_report(source, clips, keras, artifacts, left_out):
    """The content of `report.json`.

    `sample_rate`, `window_samples` and `heads` are what `export predict` needs to
    run an artifact. A list `heads` has an entry for each head, in one order; of a
    model of one head, what it says stands beside the list, too.

    Args:
        source: `export.source.opening.Source`.
        clips: list of `export.source.clips.Clips`, one per head.
        keras: list of what was measured on the Keras model, one dict per head.
        artifacts: {name: dict of what was measured on the artifact}; that of a
            classifier with `heads`.
        left_out: {name: why} of artifacts that weren't asked for and failed.
    """
    heads = [
        {
            "labels": list(head.labels),
            "activation": head.activation,
            "activation_from": head.activation_from,
            "clips": describe([own]),
        }
        for head, own in zip(source.heads, clips)
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
        "versions": _versions(),
    }


def _versions():
    import leaf_tf

    others = {name: importlib.metadata.version(name) for name in _DISTRIBUTIONS}
    return {"leaf_tf": leaf_tf.__version__, **others}
