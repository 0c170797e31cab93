"""Examples in docstrings print what they say."""

import doctest
import importlib
import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from leaf_tf import dsp

FOLDER = pathlib.Path(dsp.__file__).parent
MODULES = sorted(
    ".".join(["leaf_tf.dsp", *path.relative_to(FOLDER).with_suffix("").parts])
    for path in FOLDER.rglob("*.py")
    if path.name not in ("__init__.py", "types.py")
)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="shapes print as TensorFlow's"
)
@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    result = doctest.testmod(
        importlib.import_module(name),
        extraglobs={"np": np, "ops": ops},
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert result.failed == 0
    assert result.attempted > 0
