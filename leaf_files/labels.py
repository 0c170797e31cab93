"""Labels from files and from names of folders, and the faults that rule one out."""

import collections
import functools
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from leaf_files.command_line import a_few
from leaf_files.errors import UserError
from leaf_files.text import read_lines

# Control characters, halves of characters (names that are no UTF-8), line and
# paragraph ends.
_FORBIDDEN = ("Cc", "Cs", "Zl", "Zp")
_MARK = "\ufeff"  # a byte-order mark in the middle of a text


def read_labels(path: Path) -> tuple[str, ...]:
    """The labels in a text file, one a line.

    Args:
        path: UTF-8, or what `leaf_files.text` reads.

    Returns:
        tuple of str.

    Raises:
        UserError: The file can't be read, or holds lines that can't be labels.

    >>> _ = Path("labels.txt").write_text("blackbird\\nwren\\n")
    >>> read_labels(Path("labels.txt"))
    ('blackbird', 'wren')
    """
    try:
        labels = tuple(read_lines(path))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the labels in {path}: {error}") from error
    faults = label_faults(labels)
    if labels and all(len(x) > 1 and x[0] == x[-1] == '"' for x in labels):
        faults.append(f"{len(labels)} in quotes ({_named(labels)})")
    if faults:
        raise UserError(
            f"{path} must hold one label a line, each another one; received "
            f"{', '.join(faults)}"
        )
    return labels


def label_faults(labels: Sequence[str]) -> list[str]:
    """The faults that keep names from being labels of a model.

    Args:
        labels: list of str, of a file or of class folders.

    Returns:
        list of str, a phrase for each kind of fault, with how many there are and the
        first ones; [] for labels that can be used.

    >>> label_faults(["wren", "wren", ""])
    ['1 blank (number 3)', "1 given more than once ('wren')"]
    """
    counts = collections.Counter(labels)
    blank = [i for i, label in enumerate(labels, 1) if not label.strip()]
    named = [label for label in counts if label.strip()]
    padded = [label for label in named if label != label.strip()]
    odd = [label for label in named if _is_odd(label)]
    repeated = [label for label in named if counts[label] > 1]
    twins = _alike(named, functools.partial(unicodedata.normalize, "NFC"))
    faults = (
        (blank, "blank", f"number {a_few(blank)}"),
        (padded, "with a blank at an end", _named(padded)),
        (
            odd,
            "with control characters, line breaks or bytes that are no UTF-8",
            _named(odd),
        ),
        (repeated, "given more than once", _named(repeated)),
        (twins, "in two Unicode forms of the same text", _groups(twins, ascii)),
    )
    return [f"{len(kind)} {what} ({names})" for kind, what, names in faults if kind]


def similar_labels(labels: Sequence[str]) -> str:
    """Labels that are easily confused.

    Args:
        labels: Those of a model, without faults.

    Returns:
        A sentence that names them; "" if there are none.

    >>> similar_labels(["wren", "blackbird"])
    ''
    >>> similar_labels(["wren", "Wren"])
    "labels that differ only in case, blanks or invisible characters: 'wren' ...
    """
    pairs = _alike(labels, _looks)
    if not pairs:
        return ""
    return (
        "labels that differ only in case, blanks or invisible characters: "
        f"{_groups(pairs, _ascii_if_odd)}; each is a class of its own: rename them if "
        "one class is meant"
    )


def spelled_as(labels: Sequence[str]) -> Callable[[str], str]:
    """Finds a model's label for a name in another Unicode form, as macOS writes.

    Args:
        labels: The model's.

    Returns:
        Function, name -> the label, or the name itself if no label is the same text.

    >>> spelled_as(["caf\\u00e9"])("cafe\\u0301") == "caf\\u00e9"
    True
    """
    known = {unicodedata.normalize("NFC", label): label for label in labels}

    def spelled(name):
        return known.get(unicodedata.normalize("NFC", name), name)

    return spelled


def _ascii_if_odd(label: str) -> str:
    """A label for a message: as it is, in escapes where it can't be read."""
    readable = label.isprintable() and unicodedata.is_normalized("NFC", label)
    return repr(label) if readable else ascii(label)


def _is_odd(label):
    return _MARK in label or any(
        unicodedata.category(letter) in _FORBIDDEN for letter in label
    )


def _looks(label):
    """The visible form of a label."""
    visible = "".join(x for x in label if unicodedata.category(x) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", visible).casefold().split())


def _alike(labels, key):
    """The groups of different labels that have one key."""
    groups: dict = {}
    for label in dict.fromkeys(labels):
        groups.setdefault(key(label), []).append(label)
    return [group for group in groups.values() if len(group) > 1]


def _named(labels):
    return a_few([_ascii_if_odd(label) for label in labels])


def _groups(groups, spell):
    return a_few([" and ".join(map(spell, group)) for group in groups])
