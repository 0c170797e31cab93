"""What chosen thresholds leave in a run folder: decisions, table, figures, report."""

from leaf_files.atomic import write_csv, write_text
from leaf_files.figures import save_figure
from leaf_files.tables import code, plain_table
from training.evaluation.thresholds.choosing import KEEP, TEST, VALIDATION
from training.evaluation.thresholds.figures import figures_of
from training.evaluation.thresholds.words import (
    alarms_in_words,
    level_in_words,
    share_in_words,
    too_short,
)

_TITLE, _BEFORE = "## Thresholds", "## Files"


def write_thresholds(run, heads, found):
    """Writes the thresholds of some heads of a run.

    Args:
        run: `RunFolder`.
        heads: All its heads, a tuple of `Head`.
        found: A list of `HeadChoices`.

    >>> from leaf_files.decisions import Decisions
    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.evaluation.thresholds.choosing import Target, choose
    >>> from training.run.folder import RunFolder
    >>> run = RunFolder("run")
    >>> [head] = heads = run.read_heads()
    >>> clips = ClipPredictions(np.tile(np.eye(2), (10, 1)), np.tile([0, 1], 10))
    >>> splits = {"validation": clips, "test": clips}
    >>> found = choose(head, Decisions(), Target("recall", 0.9), splits)
    >>> write_thresholds(run, heads, [found])
    >>> run.read_decisions(heads)[0].thresholds
    {'kick': 0.731058, 'snare': 0.731058}
    >>> run.thresholds.read_text().splitlines()[1]
    'kick,0.731058,recall,0.9,1.0,0.6915...,1.0,0.0,0.0,0.3084...,1.0,...
    """
    after = {each.head: each.after for each in found}
    decisions = zip(heads, run.read_decisions(heads))
    kept = [after.get(head, before) for head, before in decisions]
    for each in found:
        suffix = f"_{each.head.name}" if len(heads) > 1 else ""
        path = run.thresholds_of(each.head.name, len(heads))
        write_csv(path, [_row(each, choice) for choice in each.choices])
        for name, figure in figures_of(each).items():
            save_figure(figure, run.figures / f"{name}{suffix}.png")
    if run.report.exists():
        text = run.report.read_text(encoding="utf-8")
        lines = list(_section(found, run, heads))
        write_text(run.report, with_section(text, lines))
    run.write_decisions(heads, kept)


def with_section(text, lines):
    """A report with the section on thresholds, in place of one of before.

    Args:
        text: The report.
        lines: Those of the section, its title first.

    >>> report = "# Report\\n\\n## Files\\n\\n- a\\n"
    >>> print(with_section(report, ["## Thresholds", "", "b"]))
    # Report
    <BLANKLINE>
    ## Thresholds
    <BLANKLINE>
    b
    <BLANKLINE>
    ## Files
    <BLANKLINE>
    - a
    """
    sections = f"\n{text}".split("\n## ")
    sections = [s for s in sections if f"## {s}".split("\n")[0] != _TITLE]
    new = "\n".join(lines).removeprefix("## ").rstrip() + "\n"
    places = [n for n, s in enumerate(sections) if f"## {s}".startswith(_BEFORE)]
    sections.insert(places[0] if places else len(sections), new)
    return "\n## ".join(sections)[1:].rstrip() + "\n"


def _row(found, choice):
    """The row of a threshold in the table."""
    row = {
        "label": choice.label,
        "threshold": choice.threshold,
        "target": found.target.name,
        "value": found.target.value,
    }
    for split in (VALIDATION, TEST):
        for name in ("precision", "missed"):
            point = _point(found, choice, split, name)
            low, high = point.interval(name) or (None, None)
            row[f"{split}_{name}"] = getattr(point, name)
            row[f"{split}_{name}_low"], row[f"{split}_{name}_high"] = low, high
    if choice.alarms is not None:
        low, high = choice.alarms.interval
        row |= {
            "false_alarms": choice.alarms.n,
            "hours": choice.alarms.hours,
            "per_hour": choice.alarms.per_hour,
            "per_hour_low": low,
            "per_hour_high": high,
        }
    row |= {f"{s}_clips": choice.points[s].n_with for s in (VALIDATION, TEST)}
    return {**row, "note": choice.note}


def _section(found, run, heads):
    """Yields the lines of the section of the report."""
    yield from (_TITLE, "")
    for each in found:
        of_name = f"{code(each.head.name)}: f" if len(heads) > 1 else "F"
        on = "the validation clips; the test clips only check it"
        if each.negatives is not None:
            on = f"{each.negatives.hours:.3g} h of recordings without any label"
        yield (
            f"{of_name}or {each.target}, chosen on {on}. In brackets: exact 95 % "
            "intervals."
        )
        yield ""
        if each.negatives is not None:
            for line in too_short(each):
                yield from (f"{line}.", "")
        titles = ["label", "threshold"]
        titles += ["false alarms an hour"] if each.negatives is not None else []
        for split in (VALIDATION, TEST):
            titles += [f"precision, {split}", f"missed, {split}"]
        yield from plain_table(
            titles, [[*_cells(each, choice)] for choice in each.choices]
        )
        yield ""
        suffix = f"_{each.head.name}" if len(heads) > 1 else ""
        for name in figures_of(each):
            words = name.replace("_", " ").capitalize()
            yield f"![{words}](figures/{name}{suffix}.png)"
        yield ""


def _cells(found, choice):
    level = level_in_words(choice)
    yield code(choice.label)
    yield level if choice.is_new else f"{level} (as before: {choice.note})"
    if found.negatives is not None:
        yield alarms_in_words(choice.alarms)
    for split in (VALIDATION, TEST):
        for name in ("precision", "missed"):
            yield share_in_words(_point(found, choice, split, name), name)


def _point(found, choice, split, name):
    """The `Point` of a share; what is kept is right or wrong as all answers are."""
    if found.target.name == KEEP and name == "precision":
        return found.overall(split)
    return choice.points[split]
