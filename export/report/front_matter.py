"""The head of a model card: YAML, by which a hub of models finds and shows it."""

import json
from collections.abc import Mapping

from export.contract.layout import ONNX, SAVED_MODEL, STREAMING

_TASK = {"type": "audio-classification", "name": "Audio classification"}
# {our name of a score: (name of a metric on the hub, in words)}.
_METRICS = {
    "accuracy": ("accuracy", "accuracy"),
    "macro_f1": ("f1", "macro-F1"),
    "mAP": ("mean_average_precision", "mean average precision"),
    "auc": ("roc_auc", "area under the ROC curve"),
}


def front_matter(report: Mapping, files: Mapping) -> list[str]:
    """The lines of YAML above a model card, with the marks around them.

    There is no `license` where nobody named one: who trained the model knows it.

    Args:
        report: Result of `export.report.content.build_report`.
        files: The paths in the folder are its keys.

    Example:

    >>> report = json.loads(Path("artifacts/report.json").read_text())
    >>> print(*front_matter(report, report["files"])[:4], sep="\\n")
    ---
    library_name: "leaf_tf"
    pipeline_tag: "audio-classification"
    tags:
    """
    results = _results(report)
    names = {m["type"]: None for r in results for m in r["metrics"]}
    content = {
        **({"license": report["license"]} if report.get("license") else {}),
        "library_name": "leaf_tf",
        "pipeline_tag": _TASK["type"],
        "tags": _tags(files),
        **({"metrics": list(names)} if names else {}),
    }
    if results:
        content["model-index"] = [{"name": report["source"], "results": results}]
    return ["---", *_yaml(content), "---"]


def _tags(files):
    formats = {
        "litert": any(path.endswith(".tflite") for path in files),
        "tflite": any(path.endswith(".tflite") for path in files),
        "tf-serving": any(path.startswith(f"{SAVED_MODEL}/") for path in files),
        "onnx": ONNX in files,
        "streaming": STREAMING in files,
    }
    return [
        "audio",
        "learnable-frontend",
        *(tag for tag, there in formats.items() if there),
    ]


def _results(report):
    return [
        {
            "task": _TASK,
            "dataset": {"type": task["name"], "name": task["name"], "split": "test"},
            "metrics": [
                {
                    "type": _METRICS[name][0],
                    "value": round(value, 4),
                    "name": _METRICS[name][1] + _interval(task["test"], name),
                }
                for name, value in task["test"]["scores"].items()
            ],
        }
        for task in (report.get("training") or {}).get("tasks", ())
        if "test" in task
    ]


def _interval(test, name):
    if name not in test["intervals"]:
        return ""
    low, high = test["intervals"][name]
    over = f", over {test['intervals_over']}" if test["intervals_over"] else ""
    return f" (95 % interval {low:.4f} to {high:.4f}{over})"


def _yaml(value, indent=""):
    """Lines of YAML; texts as JSON has them, which YAML takes in any case."""
    for name, content in value.items():
        if isinstance(content, dict):
            yield f"{indent}{name}:"
            yield from _yaml(content, f"{indent}  ")
        elif isinstance(content, list):
            yield f"{indent}{name}:"
            for item in content:
                if isinstance(item, dict):
                    first, *rest = _yaml(item, f"{indent}  ")
                    yield f"{indent}- {first.strip()}"
                    yield from rest
                else:
                    yield f"{indent}- {json.dumps(item)}"
        else:
            yield f"{indent}{name}: {json.dumps(content)}"
