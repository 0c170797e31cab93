"""Examples in docstrings print what they say, and whatever is public has one."""

import pytest

from tests.docstrings import run_examples
from tests.rooms import with_examples


@pytest.mark.parametrize("name", with_examples("export"))
def test_examples_print_what_they_say(name):
    run_examples(name)
