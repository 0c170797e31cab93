"""Reads JSON that others wrote."""

import json
from pathlib import Path
from typing import Any

from leaf_files.text import read_text


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Args:
        path: A Path.

    Raises:
        OSError: It can't be read.
        ValueError: It is no text, no JSON, nested too deep to read, or gives one name
            two values.

    >>> _ = Path("config.json").write_text('{"epochs": 3}')
    >>> read_json(Path("config.json"))
    {'epochs': 3}
    """
    return parse_json(read_text(path))


def parse_json(text: str | bytes) -> Any:
    """The content of a JSON text; raises as `read_json` does.

    >>> parse_json('{"rate": 8000, "rate": 16000}')
    Traceback (most recent call last):
    ValueError: it gives 'rate' more than once
    """
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _without_repeats(pairs):
    """A dict; JSON would take the last value of a name that comes twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it gives {repeated!r:.80} more than once")
    return values
