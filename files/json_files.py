"""Reads JSON that others wrote."""

import json

from files.text import read_text


def read_json(path):
    """What a JSON file holds.

    Args:
        path: A Path.

    Raises:
        OSError: It can't be read.
        ValueError: It is no text, no JSON, or nested too deep to read.
    """
    return parse_json(read_text(path))


def parse_json(text):
    """What a text in JSON says; as `read_json`."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
