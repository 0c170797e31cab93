"""Models from strangers: loading one never runs what it brings along."""

import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from export.__main__ import dispatch
from export.source.opening import open_source
from leaf_files import command_line
from leaf_files.errors import UserError
from tests.export.models import classifier


@pytest.fixture
def trap(tmp_path):
    """A file that nobody may make."""
    path = tmp_path / "trapped"
    yield path
    assert not path.exists()


def with_layer(path, change):
    """Saves a model whose convolution is changed in the file's own config."""
    model = path.with_name("honest.keras")
    classifier().save(model)
    with zipfile.ZipFile(model) as honest, zipfile.ZipFile(path, "w") as tampered:
        for name in honest.namelist():
            content = honest.read(name)
            if name == "config.json":
                config = json.loads(content)
                layers = config["config"]["layers"]
                change(next(x for x in layers if x["class_name"] == "Conv1D"))
                content = json.dumps(config)
            tampered.writestr(name, content)
    return path


def test_a_lambda_is_refused_in_one_line(keras_file, trap, tmp_path, capsys):
    trap_name = str(trap)
    spring = keras.layers.Lambda(lambda x: (open(trap_name, "w").close(), x)[1])
    path = keras_file(classifier(features=spring))
    trap.unlink()  # made as the model was built
    argv = [str(path), "--output", str(tmp_path / "out")]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "model.keras brings code along, in a Lambda layer" in error
    assert not (tmp_path / "out").exists()


def test_a_call_in_place_of_a_layer_is_refused(trap, tmp_path):
    def popen(layer):
        layer.update(module="subprocess", class_name="Popen", registered_name=None)
        layer["config"] = {"args": ["touch", str(trap)]}

    path = with_layer(tmp_path / "model.keras", popen)
    with pytest.raises(UserError, match="Could not locate class 'Popen'"):
        open_source(path)


@pytest.mark.parametrize(
    "module, name",
    [("os", "system"), ("keras.config", "enable_unsafe_deserialization")],
)
def test_a_function_of_another_module_is_refused(tmp_path, module, name):
    def activation(layer):
        layer["config"]["activation"] = {
            "module": module,
            "class_name": "function",
            "config": name,
            "registered_name": name,
        }

    path = with_layer(tmp_path / "model.keras", activation)
    with pytest.raises(UserError, match="does not load as a Keras model"):
        open_source(path)
    assert keras.src.saving.serialization_lib.in_safe_mode() is not False


def test_a_saved_model_inside_is_refused(trap, tmp_path):
    class Spring(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, None, None))])
        def serve(self, features):
            tf.io.write_file(str(trap), "")
            return features

    module = Spring()
    tf.saved_model.save(module, tmp_path / "spring", signatures=None)

    def tfsm(layer):
        layer.update(class_name="TFSMLayer", module="keras.layers")
        layer["config"] = {
            "filepath": str(tmp_path / "spring"),
            "call_endpoint": "serve",
            "name": "spring",
        }

    path = with_layer(tmp_path / "model.keras", tfsm)
    with pytest.raises(UserError, match="brings code along"):
        open_source(path)


def test_a_pickle_among_the_weights_is_not_read(trap, tmp_path):
    class Spring:
        def __reduce__(self):
            return (open, (str(trap), "w"))

    path = tmp_path / "model.keras"
    classifier().save(path)
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json"), archive.read("metadata.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config[0])
        archive.writestr("metadata.json", config[1])
        weights = np.array([Spring()], dtype=object)
        with archive.open("model.weights.npz", "w") as file:
            np.savez(file, __root__=weights)
    with pytest.raises(UserError, match="allow_pickle=False"):
        open_source(path)
