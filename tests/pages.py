"""What the reference pages say of files: the tables of their keys."""

import pathlib
import re

REFERENCE = pathlib.Path(__file__).parents[1] / "docs" / "reference"


def named(page, section=None):
    """The names in the first column of a page's tables, or of those of a section.

    Args:
        page: Name of a file in docs/reference.
        section: A heading, without #; what is below it up to the next one counts.
    """
    text = (REFERENCE / page).read_text()
    if section is not None:
        [text] = re.findall(
            rf"^#+ {re.escape(section)}\n(.*?)(?=^#|\Z)", text, flags=re.M | re.S
        )
    cells = re.findall(r"^\| (`[^|]*) \|", text, flags=re.M)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def unnamed(content, names):
    """The keys of a JSON file that none of the names is of, as "tasks[].labels[]".

    A name in capitals stands for any key, and a name of a whole for all within it.
    """
    patterns = [name.split(".") for name in names]
    return [
        ".".join(path)
        for path in _paths(content, [])
        if not any(_fits(path, pattern) for pattern in patterns)
    ]


def _paths(content, path):
    if isinstance(content, dict) and content:
        for key, value in content.items():
            yield from _paths(value, [*path, key])
    elif isinstance(content, list):
        path = [*path[:-1], f"{path[-1]}[]"]
        for value in content or [None]:
            yield from _paths(value, path)
    else:
        yield path


def _fits(path, pattern):
    return all(
        key == part or re.fullmatch(r"[A-Z_]+", part)
        for key, part in zip(path, pattern)
    )
