"""What a model card says of scores and calibration."""

from collections.abc import Iterator, Mapping

from export.contract.layout import REPORT_MD
from export.report.judging import share_interval
from export.report.scores import ACCURACY, MEAN_AVERAGE_PRECISION
from leaf_files.tables import aligned_table, code, plain_table

_SCORES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "mAP": "mean average precision",
    "auc": "area under the ROC curve",
}
_OF_EXPORT = {ACCURACY: "accuracy", MEAN_AVERAGE_PRECISION: "mean average precision"}


def test_lines(report: Mapping) -> list[str]:
    """Lines on how well the model does, as far as that is known.

    Args:
        report: Result of `export.report.content.build_report`.

    Example:

    >>> report = json.loads(Path("artifacts/report.json").read_text())
    >>> print(test_lines(report)[0])
    Its run has no scores. On 6 clips (evaluation_clips), by the Keras model:
    """
    tasks = [
        task
        for task in (report.get("training") or {}).get("tasks", ())
        if "test" in task
    ]
    lines = _of_tasks(tasks) if tasks else _of_clips(report)
    return [
        *lines,
        "",
        "Scores are the Keras model's, of whole clips. What each file loses against "
        f"it, if anything, is in [{REPORT_MD}]({REPORT_MD}).",
    ]


test_lines.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's


def _of_tasks(tasks):
    rows = [
        [
            code(task["name"]),
            str(task["test"].get("n_examples", "?")),
            _SCORES[name],
            f"{value:.4f}",
            _interval(task["test"], name),
        ]
        for task in tasks
        for name, value in task["test"]["scores"].items()
    ]
    titles = ["data", "test clips", "score", "value", "95 % interval"]
    lines = list(plain_table(titles, rows))
    for task in tasks:
        lines += ["", *_calibration(task)]
    return lines


def _interval(test, name):
    if name not in test["intervals"]:
        return "not known"
    low, high = test["intervals"][name]
    n, over = test.get("n_intervals_over"), test["intervals_over"]
    return f"{low:.4f} to {high:.4f}" + (f", over {n} {over}" if n and over else "")


def _calibration(task) -> Iterator[str]:
    calibration = task["test"]["calibration"]
    if "ece" not in calibration:
        yield f"Calibration on {code(task['name'])}: not measured."
        return
    before = calibration.get("ece_uncalibrated")
    without = "" if before is None else f", {before:.3f} without it"
    yield (
        f"Calibration on {code(task['name'])}: with the temperature "
        f"{calibration.get('temperature', 1):.4g}, probabilities and how often they "
        f"are right differ by {calibration['ece']:.3f} in the mean{without}."
    )


def _of_clips(report):
    scores = [
        (head, name, value)
        for head, keras in zip(report["heads"], report["keras"]["heads"])
        for name, value in keras.items()
        if name in _OF_EXPORT and value is not None
    ]
    if not scores:
        return ["Its scores are not known: no clips with labels were at hand."]
    clips = report["clips"]
    rows = [
        [
            *([head["name"]] if head["name"] else []),
            _OF_EXPORT[name],
            f"{value:.4f}",
            _exact_interval(value, head["clips"]["n_clips"])
            if name == ACCURACY
            else "",
        ]
        for head, name, value in scores
    ]
    titles = [*["head"] * (len(rows[0]) - 3), "score", "value", "95 % interval"]
    return [
        f"Its run has no scores. On {clips['n_clips']} clips "
        f"({clips['origin']}), by the Keras model:",
        "",
        *aligned_table(titles, rows),
    ]


def _exact_interval(accuracy, n_clips):
    low, high = share_interval(round(accuracy * n_clips), n_clips)
    return f"{low:.4f} to {high:.4f}, over clips"
