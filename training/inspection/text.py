"""Findings about a task as text for people."""

from collections.abc import Iterator

from leaf_files.command_line import a_few, counted, one_line
from training.tasks.clip_sets import SPLITS

_MOST_CLASSES = 60
_MANY_HOURS = 10
_GROUPS_PROPOSED = 3
_MOST_KINDS = 6


def description(findings):
    """Findings as lines: what the clips are, their classes, and what to mind.

    Args:
        findings: Dict of `training.inspection.findings.findings_of`.

    >>> from training.inspection.inspecting import inspect
    >>> from training.settings.config import FitConfig
    >>> [drums] = inspect(FitConfig("folder:drums"))
    >>> print(description(drums.findings))
    folder:drums
      clips        10, 1.0 s
      length       0.10 to 0.10 s, median 0.10
    ...
    """
    rows = [*_rows(findings)]
    width = max(len(key) for key, _ in rows)
    lines = [findings["task"]]
    lines += [f"  {key:<{width}}  {one_line(text)}" for key, text in rows]
    lines += ["", *_class_table(findings)]
    for title, entries in (
        ("notes", findings["notes"]),
        ("traps", findings["traps"]),
        ("nothing can be learned from it until this is changed", findings["faults"]),
    ):
        if entries:
            lines += ["", f"{title}:", *(f"  - {one_line(line)}" for line in entries)]
    return "\n".join(lines)


def _rows(findings):
    """(name, text) of each row above the classes."""
    seconds, loudness = findings["seconds"], findings["loudness_dbfs"]
    yield "clips", f"{findings['clips']}, {_time(findings['hours'])}"
    yield "length", _spread(seconds, "s", 2)
    yield "rate", _kinds(findings["sample_rates"], findings, " Hz")
    if findings["encodings"]:
        yield "files", _kinds(findings["encodings"], findings)
    yield "loudness", _spread(loudness, "dBFS (RMS)", 1)
    yield "clipping", _named(findings["clipped"], "at full scale")
    yield "silence", _named(findings["silent"], "of digital silence")
    if findings["quiet"]:
        yield "near silence", _named(findings["quiet"], "below -60 dBFS")
    yield "copies", _sets(findings["copies"], "of the same sound")
    near = findings["near_duplicates"]
    yield "sound alike", _sets(near, "that hold parts of one sound")
    if findings["multi_label"]:
        counts = findings["labels_a_clip"].items()
        yield (
            "labels",
            ", ".join(f"{counted(n, 'clip')} of {count}" for count, n in counts),
        )
    yield "groups", _groups(findings)
    for proposal in findings["proposed_groups"][:_GROUPS_PROPOSED]:
        yield f"  {proposal['groups']} groups by", proposal["option"]
    if _is_split(findings):
        splits = (f"{split} {_split(findings['splits'][split])}" for split in SPLITS)
        yield "splits", ", ".join(splits)
    else:
        yield "splits", "none can be made, see below"


def _class_table(findings) -> Iterator[str]:
    """Lines: a row a class, with its clips and groups of each split."""
    has_groups = findings["groups"] is not None
    splits = SPLITS if _is_split(findings) else ()
    unit, in_hour = (
        ("hours", 1) if findings["hours"] >= _MANY_HOURS else ("minutes", 60)
    )
    titles = ["class", "clips", unit, *(["groups"] if has_groups else []), *splits]
    rows = []
    for label, counts in list(findings["classes"].items())[:_MOST_CLASSES]:
        rows.append([label, str(counts["clips"]), f"{in_hour * counts['hours']:.1f}"])
        if has_groups:
            rows[-1].append(str(counts["groups"] or 0))
        rows[-1] += [_split(counts[split], short=True) for split in splits]
    widths = [max(map(len, column)) for column in zip(titles, *rows)]
    for row in [titles, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        yield "  ".join(cells).rstrip()
    n_left = len(findings["classes"]) - _MOST_CLASSES
    if n_left > 0:
        yield f"... {n_left} more classes; --json has all of them"
    if has_groups and splits:
        yield "(in brackets: groups of that split)"


def _is_split(findings):
    return any(split["clips"] for split in findings["splits"].values())


def _time(hours):
    if hours >= 1:
        return f"{hours:.2f} hours"
    return f"{60 * hours:.1f} minutes" if hours >= 1 / 60 else f"{3600 * hours:.1f} s"


def _spread(values, unit, digits):
    low, middle, high = (values[key] for key in ("min", "median", "max"))
    return f"{low:.{digits}f} to {high:.{digits}f} {unit}, median {middle:.{digits}f}"


def _kinds(counts, findings, unit=""):
    """'8000 Hz (12 clips), 16000 Hz (3 clips)'; no number if all are alike."""
    named = [
        f"{kind}{unit}" + (f" ({counted(n, 'clip')})" if n < findings["clips"] else "")
        for kind, n in counts.items()
    ]
    return a_few(named, _MOST_KINDS)


def _named(names, what):
    if not names:
        return "none"
    return f"{counted(len(names), 'clip')} {what}: {a_few(names)}"


def _sets(sets, what):
    if not sets:
        return "none"
    n_clips = sum(map(len, sets))
    named = [" = ".join(names[:3]) for names in sets]
    n_sets = counted(len(sets), "set")
    return f"{n_clips} clips in {n_sets} {what}: {a_few(named, 3, '; ')}"


def _groups(findings):
    if findings["groups"] is not None:
        return f"{findings['groups']}, whole groups go to one split"
    if findings["proposed_groups"]:
        return "not known; names of clips suggest"
    return "not known, and names of clips suggest none"


def _split(split, short=False):
    n_clips, n_groups = split["clips"], split["groups"]
    if short:
        return f"{n_clips}" + ("" if n_groups is None else f" ({n_groups})")
    of_groups = "" if n_groups is None else f" of {counted(n_groups, 'group')}"
    return counted(n_clips, "clip") + of_groups
