"""A line for those who wait."""

import time

from leaf_tf.frontends.waiting import said_if_slow


def test_a_block_that_takes_long_is_announced(capsys):
    said = ""
    with said_if_slow("planning", seconds=0.0):
        deadline = time.monotonic() + 60
        while not said and time.monotonic() < deadline:
            said = capsys.readouterr().err
    assert said == "planning\n"


def test_a_short_one_is_not(capsys):
    with said_if_slow("planning", seconds=3600.0):
        pass
    assert capsys.readouterr().err == ""
