"""How many cases the slow tests draw."""

import os

FACTOR = int(os.environ.get("LEAF_TF_CASES", 1))


def slow(n_cases):
    """A count of slow tests, times the environment variable LEAF_TF_CASES.

    The cases are the same each time, so that what fails here fails for the next
    person: many more of them are for who changed what they try.
    """
    return n_cases * FACTOR
