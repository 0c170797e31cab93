"""Findings about a task as text for people."""

from collections.abc import Iterator

from leaf_files.command_line import a_few, one_line
from training.tasks.clip_sets import SPLITS

_MOST_CLASSES = 60
_MANY_HOURS = 10
_GROUPS_PROPOSED = 3


def description(findings):
    """Findings as lines: what the clips are, their classes, and what to mind.

    Args:
        findings: What `training.inspection.findings.findings_of` returns.
    """
    rows = dict(_rows(findings))
    width = max(map(len, rows))
    lines = [findings["task"]]
    lines += [f"  {key:<{width}}  {one_line(text)}" for key, text in rows.items()]
    lines += ["", *_class_table(findings)]
    for title, found in (
        ("notes", findings["notes"]),
        ("traps", findings["traps"]),
        ("nothing can be learned from it until this is changed", findings["faults"]),
    ):
        if found:
            lines += ["", f"{title}:", *(f"  - {one_line(line)}" for line in found)]
    return "\n".join(lines)


def _rows(findings):
    """(name, text) of each row above the classes."""
    seconds, loudness = findings["seconds"], findings["loudness_dbfs"]
    yield "clips", f"{findings['clips']}, {_time(findings['hours'])}"
    yield "length", _spread(seconds, "s", 2)
    yield (
        "rate",
        ", ".join(
            f"{rate} Hz" + _times(n, findings)
            for rate, n in findings["sample_rates"].items()
        ),
    )
    if findings["encodings"]:
        yield (
            "files",
            ", ".join(
                name + _times(n, findings) for name, n in findings["encodings"].items()
            ),
        )
    yield "loudness", _spread(loudness, "dBFS (RMS)", 1)
    yield "clipping", _named(findings["clipped"], "reach full scale")
    yield "silence", _named(findings["silent"], "hold digital silence")
    if findings["quiet"]:
        yield "near silence", _named(findings["quiet"], "are below -60 dBFS")
    yield "copies", _sets(findings["copies"], "hold the same sound")
    yield (
        "sound alike",
        _sets(findings["near_duplicates"], "hold parts of one sound, or sound so"),
    )
    if findings["multi_label"]:
        yield (
            "labels",
            ", ".join(
                f"{n} clips of {count}"
                for count, n in findings["labels_a_clip"].items()
            ),
        )
    yield "groups", _groups(findings)
    for proposal in findings["proposed_groups"][:_GROUPS_PROPOSED]:
        yield f"  {proposal['groups']} groups by", proposal["option"]
    yield (
        "splits",
        ", ".join(f"{split} {_split(findings['splits'][split])}" for split in SPLITS),
    )


def _class_table(findings) -> Iterator[str]:
    """Lines: a row a class, with its clips and groups of each split."""
    has_groups = findings["groups"] is not None
    unit, in_hour = (
        ("hours", 1) if findings["hours"] >= _MANY_HOURS else ("minutes", 60)
    )
    titles = ["class", "clips", unit, *(["groups"] if has_groups else []), *SPLITS]
    rows = []
    for label, found in list(findings["classes"].items())[:_MOST_CLASSES]:
        rows.append([label, str(found["clips"]), f"{in_hour * found['hours']:.1f}"])
        if has_groups:
            rows[-1].append(str(found["groups"] or 0))
        rows[-1] += [_split(found[split], short=True) for split in SPLITS]
    widths = [max(map(len, column)) for column in zip(titles, *rows)]
    for row in [titles, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        yield "  ".join(cells).rstrip()
    n_left = len(findings["classes"]) - _MOST_CLASSES
    if n_left > 0:
        yield f"... {n_left} more classes; --json has all of them"
    if has_groups:
        yield "(in brackets: groups of that split)"


def _time(hours):
    if hours >= 1:
        return f"{hours:.2f} hours"
    return f"{60 * hours:.1f} minutes" if hours >= 1 / 60 else f"{3600 * hours:.1f} s"


def _spread(values, unit, digits):
    low, middle, high = (values[key] for key in ("min", "median", "max"))
    return f"{low:.{digits}f} to {high:.{digits}f} {unit}, median {middle:.{digits}f}"


def _times(n, findings):
    """' (12 clips)', of what isn't all of them."""
    return "" if n == findings["clips"] else f" ({n} clips)"


def _named(names, what):
    if not names:
        return "none"
    return f"{len(names)} clips {what}, such as {a_few(names)}"


def _sets(sets, what):
    if not sets:
        return "none"
    n_clips = sum(map(len, sets))
    named = [" = ".join(names[:3]) for names in sets]
    return f"{n_clips} clips in {len(sets)} sets {what}: {a_few(named, between='; ')}"


def _groups(findings):
    if findings["groups"] is not None:
        return f"{findings['groups']}, whole groups go to one split"
    if findings["proposed_groups"]:
        return "not known; names of clips suggest"
    return "not known, and names of clips suggest none"


def _split(split, short=False):
    if not short:
        groups = "" if split["groups"] is None else f" of {split['groups']} groups"
        return f"{split['clips']} clips{groups}"
    groups = "" if split["groups"] is None else f" ({split['groups']})"
    return f"{split['clips']}{groups}"
