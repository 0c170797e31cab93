"""Faults of a table, counted by their kind."""

from collections import Counter, defaultdict

from leaf_files.command_line import a_few, counted, one_line

_NAMED = 3


class Faults:
    """Faults of the rows of a table: each kind is counted, its first ones named.

    >>> faults = Faults()
    >>> faults.add("no label", "line 3", "fill it in")
    >>> faults.add("no label", "line 7", "fill it in")
    >>> faults.lines()
    ['2 rows with no label (line 3, line 7): fill it in']
    """

    def __init__(self):
        self._counts: Counter = Counter()
        self._examples = defaultdict(list)

    def add(self, what, example, remedy="", unit="row"):
        """Counts one.

        Args:
            what: Kind of the fault, to follow "3 rows with ".
            example: Place of the fault, and the content there.
            remedy: Action that removes all of the kind; "" for none.
            unit: Name of what has the fault, in the singular.
        """
        kind = (what, remedy, unit)
        self._counts[kind] += 1
        if len(self._examples[kind]) <= _NAMED:
            self._examples[kind].append(one_line(example))

    def add_all(self, others, place):
        """Takes those of a table among several.

        Args:
            others: `Faults` of that table.
            place: Name of the table in messages.
        """
        for kind, n in others._counts.items():
            self._counts[kind] += n
            self._examples[kind] += [f"{place}, {e}" for e in others._examples[kind]]

    def lines(self):
        """A line for each kind, a list."""
        return [
            f"{counted(n, unit)} with {what} "
            f"({a_few(self._examples[what, remedy, unit], _NAMED)})"
            + (remedy and f": {remedy}")
            for (what, remedy, unit), n in self._counts.items()
        ]

    def __bool__(self):
        return bool(self._counts)


def cell(text):
    """The content of a cell as a message has it: short, and readable.

    >>> cell("1,5")
    "'1,5'"
    """
    shown = repr(text) if str(text).isprintable() else ascii(text)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
