"""Whether the files of a run folder belong together: what both its readers check."""

import hashlib
from pathlib import Path

from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.text import read_lines

_BLOCK = 2**20  # bytes


def require_same_labels(folder):
    """Checks that all files of a run folder give the same classes in the same order.

    `labels.txt` and its like are compared with `tasks.json`, and that with `data.json`,
    as far as they are there. How many classes the model has is not looked at.

    Args:
        folder: The run folder.

    Raises:
        UserError: Two of them differ: one was changed, or is another run's.
    """
    folder = Path(folder)
    told = _labels_by_head(folder / "tasks.json")
    recorded = _labels_by_head(folder / "data.json")
    for head, labels in told.items():
        known = recorded.get(head, labels)
        if len(known) != len(labels):
            continue  # the model says which of them has too many
        _require_same(folder, ("tasks.json", labels), ("data.json", known))
        name = f"labels_{head}.txt" if len(told) > 1 else "labels.txt"
        try:
            lines = read_lines(folder / name)
        except (OSError, ValueError):  # who needs it says so
            continue
        _require_same(folder, (name, lines), ("tasks.json", labels))


def digest_of(path):
    """A fingerprint of a file, or of the files in a folder by name; None without."""
    path = Path(path)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")
    else:
        files = [path] if path.is_file() else []
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path).as_posix()}\n".encode(errors="replace"))
        with file.open("rb") as content:
            while block := content.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()[:16] if files else None


def notes(folder):
    """A line for each file of a run that isn't as training wrote it, where it said.

    Args:
        folder: The run folder.

    Returns:
        A list of str.
    """
    folder = Path(folder)
    written = _read(folder / "data.json").get("files")
    written = written if isinstance(written, dict) else {}
    about = {
        "model.keras": "its answers may mean other classes than those of the labels "
        "beside it",
        "evaluation_clips": "scores on them may be of clips that the model was trained "
        "on",
    }
    return [
        f"{folder / name} isn't as training wrote it (saved anew, edited, or "
        f"another run's): {consequence}"
        for name, consequence in about.items()
        if name in written and digest_of(folder / name) not in (None, written[name])
    ]


def _require_same(folder, one, other):
    (name, labels), (other_name, others) = one, other
    if list(labels) == list(others):
        return
    if len(labels) != len(others):
        how = f"{len(labels)} classes, {other_name} {len(others)}"
    else:
        pairs = zip(labels, others)
        place, (a, b) = next((n, p) for n, p in enumerate(pairs) if p[0] != p[1])
        how = f"class number {place + 1} as {a!r}, {other_name} as {b!r}"
    raise UserError(
        f"the labels of {folder} don't belong together: {name} has {how}; one of the "
        "two was edited, or is another run's: bring it back as training wrote it"
    )


def _labels_by_head(path):
    """{head: labels} of `tasks.json` or `data.json`; {} of what can't be read."""
    try:
        tasks = _read(path).get("tasks", [])
        return {str(task["head"]): list(map(str, task["labels"])) for task in tasks}
    except (TypeError, KeyError):  # who needs it says so
        return {}


def _read(path):
    """What a file holds, a dict; {} if it is missing or damaged."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
