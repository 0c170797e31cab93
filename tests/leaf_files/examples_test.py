"""Examples in docstrings print what they say, and whatever is public has one."""

import pytest

from tests.docstrings import run_examples, without_example
from tests.rooms import with_examples

SLOW = "imports TensorFlow, which takes seconds"
EXCEPTIONS = {
    "leaf_files.quiet.import_keras": SLOW,
    "leaf_files.quiet.import_tensorflow": SLOW,
}


@pytest.mark.parametrize("name", with_examples("leaf_files"))
def test_examples_print_what_they_say(name):
    run_examples(name)


def test_whatever_is_public_has_an_example():
    assert without_example("leaf_files", EXCEPTIONS) == []
