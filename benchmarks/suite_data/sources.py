"""What a task was made of, as Markdown: in the task's folder, and all in one file."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from benchmarks.suite_data.clips import ClipFolder
from leaf_files.atomic import write_text
from leaf_files.command_line import counted

# Hidden: a walk of the task's clips passes over it without a word.
SECTION = ".sources.md"
INDEX = "SOURCES.md"
_HEAD = """# Real tasks of the benchmark

Made by `python -m benchmarks suite prepare` from public packages. A clip's group is
whoever or whatever made it; an honest test holds whole groups out. Licences are those
of the sounds; texts of the packages are in `licences/`.
"""


def section(
    name: str,
    label: str,
    group: str,
    made_of: Iterable[tuple[str, str, str]],
    clips: ClipFolder,
) -> str:
    """A task's sources and counts, as Markdown.

    Args:
        name: Name of the task.
        label: The thing that a label says.
        group: The thing that a group says.
        made_of: (package, version, licence) of each source.
        clips: Counts of what was written.
    """
    lines = [
        f"## {name}",
        "",
        f"{summary(clips)}. FLAC, mono, {clips.sample_rate} Hz, at most "
        f"{clips.longest:g} s.",
        "",
        f"- label: {label}",
        f"- group: {group}",
        f"- passed over: {passed_over(clips) or 'nothing'}",
        "",
        "| package | version | licence |",
        "| --- | --- | --- |",
        *(
            f"| {package} | {version} | {terms} |"
            for package, version, terms in made_of
        ),
        "",
        "| label | clips | groups |",
        "| --- | --- | --- |",
    ]
    by_label: dict[str, list[int]] = defaultdict(list)
    for (of_label, _), n in sorted(clips.written.items()):
        by_label[of_label].append(n)
    lines += [f"| {of} | {sum(ns)} | {len(ns)} |" for of, ns in by_label.items()]
    return "\n".join(lines) + "\n"


def summary(clips: ClipFolder) -> str:
    """The counts of a task in a line, e.g. "373 clips, 8 labels, 12 groups"."""
    labels = {label for label, _ in clips.written}
    groups = {group for _, group in clips.written}
    return ", ".join(
        (
            counted(sum(clips.written.values()), "clip"),
            counted(len(labels), "label"),
            counted(len(groups), "group"),
        )
    )


def passed_over(clips: ClipFolder) -> str:
    """The counts of what was passed over, e.g. "3 silent, 1 unreadable"; or ""."""
    return ", ".join(f"{n} {fault}" for fault, n in clips.passed_over.most_common())


def write_index(folder: Path, names: Iterable[str]) -> None:
    """Writes SOURCES.md of the tasks that are there.

    Args:
        folder: Folder of all tasks.
        names: Names of the tasks, in order.
    """
    sections = [folder / name / SECTION for name in names]
    texts = [path.read_text(encoding="utf-8") for path in sections if path.is_file()]
    write_text(folder / INDEX, "\n".join([_HEAD, *texts]))
