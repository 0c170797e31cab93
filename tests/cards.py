"""Model cards in tests: their head, and their blocks of code."""

import re

import pytest


def head_of(card):
    """The YAML above a card, read."""
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, to read cards")
    _, head, _ = re.split(r"^---\n", card, maxsplit=2, flags=re.M)
    return yaml.safe_load(head)


def block(card, section, language="python"):
    """The only block of a language below a heading of the third rank."""
    [text] = re.findall(
        rf"^### {re.escape(section)}\n(.*?)(?=^##|\Z)", card, flags=re.M | re.S
    )
    [code] = re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)
    return code


def run_block(card, section):
    """Runs the block of Python below a heading."""
    exec(compile(block(card, section), "README.md", "exec"), {})
