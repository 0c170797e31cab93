"""Examples in docstrings print what they say."""

import doctest
import importlib

import pytest

from tests.rooms import with_examples


@pytest.mark.parametrize("name", with_examples("leaf_files"))
def test_examples_print_what_they_say(name):
    assert not doctest.testmod(importlib.import_module(name)).failed
