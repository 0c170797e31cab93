"""Examples in docstrings print what they say, and whatever is public has one."""

import doctest
import importlib
import inspect
import pathlib

import keras
import numpy as np
import pytest
from keras import ops

import leaf_tf

FOLDER = pathlib.Path(leaf_tf.__file__).parent
MODULES = sorted(
    ".".join(["leaf_tf", *path.relative_to(FOLDER).with_suffix("").parts])
    for path in FOLDER.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
# Each function of these modules is of use by itself, and has an example.
OF_FUNCTIONS = sorted(
    ".".join(["leaf_tf", *path.relative_to(FOLDER).with_suffix("").parts])
    for path in (FOLDER / "dsp").rglob("*.py")
    if path.name not in ("__init__.py", "types.py")
)
PUBLIC = {
    f"{module.__name__}.{name}": member
    for module in (leaf_tf, leaf_tf.encoders, leaf_tf.streaming, leaf_tf.visualize)
    for name, member in vars(module).items()
    if (inspect.isclass(member) or inspect.isfunction(member))
    and not name.startswith("_")
    and (name in getattr(module, "__all__", ()) or member.__module__ == module.__name__)
}


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="shapes print as TensorFlow's"
)
@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    module = importlib.import_module(name.removesuffix(".__init__"))
    result = doctest.testmod(
        module,
        extraglobs={"keras": keras, "leaf_tf": leaf_tf, "np": np, "ops": ops},
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert result.failed == 0
    assert result.attempted > 0


def test_modules_of_functions_have_examples():
    assert set(OF_FUNCTIONS) <= set(MODULES)


@pytest.mark.parametrize("name", PUBLIC)
def test_whatever_is_public_has_an_example(name):
    assert ">>> " in inspect.getdoc(PUBLIC[name])
