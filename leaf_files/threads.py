"""A function of many things, in threads, without holding all of them at once."""

import collections
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Calls that a thread makes one after the other, so that small ones cost little more.
_AT_ONCE = 16
# Of these there are so many a thread, so that none waits.
_WAITING = 4


def in_threads(function: Callable, *iterables: Iterable) -> Iterator[Any]:
    """As `map`, in as many threads as there are cores; the results are in order.

    A few hundred calls at most are begun before their results are asked for.

    Args:
        function: Function of an element of each iterable.
        *iterables: Iterables of the same length.

    >>> list(in_threads(str.upper, "abc"))
    ['A', 'B', 'C']
    """
    n_threads = os.cpu_count() or 1
    waiting: collections.deque = collections.deque()
    calls = zip(*iterables)
    with ThreadPoolExecutor(n_threads) as pool:
        while chunk := list(itertools.islice(calls, _AT_ONCE)):
            waiting.append(pool.submit(_each, function, chunk))
            if len(waiting) >= _WAITING * n_threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _each(function, calls):
    return [function(*arguments) for arguments in calls]
