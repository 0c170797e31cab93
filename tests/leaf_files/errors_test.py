import pytest

from leaf_files.arithmetic import ceil_div
from leaf_files.errors import first_line


@pytest.mark.parametrize(
    "error, line",
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError("\n one \r\ntwo"), "one"),
        (KeyError("name"), "'name'"),
        (ValueError(), "ValueError"),
        (RuntimeError(" \n"), "RuntimeError"),
        ("text\nof an error", "text"),
    ],
)
def test_the_first_line_of_an_error(error, line):
    assert first_line(error).rstrip() == line


def test_quotients_are_rounded_up_however_large():
    assert [ceil_div(n, 3) for n in range(5)] == [0, 1, 1, 1, 2]
    assert ceil_div(10**30 + 1, 10) == 10**29 + 1
