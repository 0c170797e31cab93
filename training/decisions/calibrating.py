"""The decisions of a run's heads, calibrated on validation clips."""

from leaf_files.decisions import Decisions
from training.decisions.calibration import (
    calibration_entry,
    calibration_in_words,
    fit_temperature,
)


def calibrated(head, validation):
    """The `Decisions` of a head that was just trained.

    Args:
        head: A `Head`.
        validation: Its predictions of the validation clips.

    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.run.folder import RunFolder
    >>> [head] = RunFolder("run").read_heads()
    >>> logits = np.tile([4.0, 0.0], (100, 1))
    >>> predictions = ClipPredictions(logits, np.repeat([0, 1], [80, 20]))
    >>> round(calibrated(head, predictions).temperature, 2)
    2.89
    """
    temperature = fit_temperature(validation)
    return Decisions(
        temperature.value,
        background=(head.background,) if head.background in head.labels else (),
        chosen_by={"temperature": temperature.chosen_by},
    )


def add_calibration(heads, tests, entries, decisions):
    """Adds "calibration" to the entries of tasks in `metrics.json`.

    Args:
        heads: Some of `Head`.
        tests: The predictions of each one's test clips.
        entries: Its entry, which is changed.
        decisions: Its `Decisions`.

    Returns:
        Lines for people: how calibrated each is, and why one isn't.

    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.run.folder import RunFolder
    >>> heads = RunFolder("run").read_heads()
    >>> test = ClipPredictions(np.array([[0.0, 0.0]]), np.array([0]))
    >>> add_calibration(heads, [test], [{}], [Decisions()])
    ['test expected calibration error 50.0 %, not calibrated']
    """
    lines = []
    for head, test, entry, each in zip(heads, tests, entries, decisions):
        entry["calibration"] = calibration_entry(test, each.temperature)
        where = f"{head.task}: " if len(heads) > 1 else ""
        lines.append(f"{where}test {calibration_in_words(entry['calibration'])}")
        note = each.chosen_by.get("temperature", {}).get("note")
        if note:
            lines.append(f"{where}no temperature was fitted: {note}")
    return lines
