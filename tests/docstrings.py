"""Examples in docstrings: they print what they say, and public names have one."""

import ast
import contextlib
import doctest
import importlib
import inspect
import io
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.rooms import dotted, modules

# What examples see besides their module.
NAMES = {
    **{module.__name__: module for module in (contextlib, io, json, os, sys)},
    "Path": Path,
    "np": np,
}


class _Finder(doctest.DocTestFinder):
    """Finds the examples of decorated functions, too, such as context managers."""

    def _from_module(self, module, object):
        return super()._from_module(module, inspect.unwrap(object))


def run_examples(name, folder=None, **names):
    """Runs the examples of a module.

    Args:
        name: The module; an example sees what it holds, and `NAMES`.
        folder: Folder to run in; None for an empty one for each docstring.
        names: {name: value} of what examples see besides.
    """
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags)
    tests = _Finder().find(module, extraglobs={**NAMES, **names})
    for test in tests:
        with _inside(folder):
            runner.run(test)
    assert runner.failures == 0
    # None hides where no test looks for it.
    path = inspect.getsourcefile(module)
    assert sum(len(test.examples) for test in tests) == _n_examples(path)


@contextlib.contextmanager
def _inside(folder):
    """Runs the block in a folder; in an empty one, which is removed, for None."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as empty:
        os.chdir(folder or empty)
        try:
            yield
        finally:
            os.chdir(before)


def without_example(package, exceptions=()):
    """The public functions and classes of a package whose docstrings have no example.

    Those of a module, by names without an underscore; no methods.

    Args:
        package: Name of the package.
        exceptions: {name: reason} of those that need none; a module's name stands for
            all it holds.

    Returns:
        Their names, sorted, and the exceptions that except nothing.
    """
    missing, idle = [], set(exceptions)
    for path in modules(package, ""):
        for name, doc in _public(path):
            if ">>> " in doc:
                continue
            excepting = {dotted(path), name} & set(exceptions)
            idle -= excepting
            if not excepting:
                missing.append(name)
    return [*missing, *(f"{name} needs no exception" for name in sorted(idle))]


def _public(path):
    """(dotted name, docstring) of a module's public functions and classes."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        is_named = isinstance(node, ast.FunctionDef | ast.ClassDef)
        if is_named and not node.name.startswith("_"):
            yield f"{dotted(path)}.{node.name}", ast.get_docstring(node) or ""


def _n_examples(path):
    with open(path, encoding="utf-8") as lines:
        return sum(line.lstrip().startswith(">>> ") for line in lines)
