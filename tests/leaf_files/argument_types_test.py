import argparse
import math

import pytest

from leaf_files.argument_types import at_least, checked, number

seconds = number(float, "seconds above 0", lambda s: 0 < s < math.inf)


def test_numbers_in_the_range_are_read():
    assert seconds("2.5") == 2.5
    assert at_least(3)("3") == 3


@pytest.mark.parametrize("text", ["0", "nan", "inf", "-1", "long", "", "{text}"])
def test_others_are_refused_by_the_rule(text):
    with pytest.raises(argparse.ArgumentTypeError) as error:
        seconds(text)
    assert str(error.value) == f"must be seconds above 0. Received: {text}"


@pytest.mark.parametrize("text", ["2", "2.5", "three"])
def test_whole_numbers_from_a_least_one_on(text):
    with pytest.raises(argparse.ArgumentTypeError) as error:
        at_least(3)(text)
    assert str(error.value) == f"must be a whole number, at least 3. Received: {text}"


def test_a_message_of_its_own_for_what_is_no_number():
    count = number(int, "few", lambda n: n < 5, "{text} is not {rule}", "no {text!r}")
    for text, message in (("9", "9 is not few"), ("x", "no 'x'")):
        with pytest.raises(argparse.ArgumentTypeError, match=message):
            count(text)


def test_why_a_word_is_refused_is_shown(capsys):
    parser = argparse.ArgumentParser(prog="prog")
    parser.add_argument("--pair", type=checked(lambda text: dict([text.split("=")])))
    assert parser.parse_args(["--pair", "a=b"]).pair == {"a": "b"}
    with pytest.raises(SystemExit):
        parser.parse_args(["--pair", "a"])
    assert "--pair: dictionary update sequence element #0" in capsys.readouterr().err
