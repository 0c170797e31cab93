"""Examples in docstrings print what they say, and whatever is public has one."""

import inspect

import keras
import pytest
from keras import ops

import leaf_tf
from tests.docstrings import run_examples
from tests.rooms import dotted, modules, with_examples

# Each function of these modules is of use by itself, and has an example.
OF_FUNCTIONS = [
    dotted(path) for path in modules("leaf_tf", "dsp") if path.name != "types.py"
]
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
@pytest.mark.parametrize("name", with_examples("leaf_tf"))
def test_examples_print_what_they_say(name):
    run_examples(name, keras=keras, leaf_tf=leaf_tf, ops=ops)


def test_modules_of_functions_have_examples():
    assert set(OF_FUNCTIONS) <= set(with_examples("leaf_tf"))


@pytest.mark.parametrize("name", PUBLIC)
def test_whatever_is_public_has_an_example(name):
    assert ">>> " in inspect.getdoc(PUBLIC[name])
