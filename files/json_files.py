"""Reads JSON that others wrote."""

import json


def read_json(path):
    """What a JSON file holds.

    Args:
        path: A Path.

    Raises:
        OSError: It can't be read.
        ValueError: It is no UTF-8, no JSON, or nested too deep to read.
    """
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text):
    """What a text in JSON says; as `read_json`."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
