"""The snippets of docs/deploy.md that this machine can run."""

import concurrent.futures
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from export.runners.stream import StreamRunner
from export.source.opening import open_source
from export.writers.stream import StreamModel
from tests.export.conftest import LABELS
from tests.export.models import SAMPLE_RATE

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy.md"


def snippets(section, language):
    """The code blocks of a `##` or `###` section."""
    text = DEPLOY.read_text().split(f"# {section}\n")[1]
    text = re.split(r"\n##+ ", text)[0]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


@pytest.fixture(scope="module")
def saved_model(exported):
    return tf.saved_model.load(str(exported / "saved_model" / "1"))


@pytest.fixture
def place(exported, windows, tmp_path, monkeypatch):
    """A folder with the export `sounds` and a clip, and in it."""
    shutil.copytree(exported, tmp_path / "sounds")
    soundfile.write(tmp_path / "clip.wav", windows[0], SAMPLE_RATE, subtype="FLOAT")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def best(run, windows):
    return LABELS[int(np.argmax(run.model(windows[:1])))]


@pytest.mark.parametrize("index", [0, 1])
def test_python_prints_the_label(place, best, capsys, index):
    exec(compile(snippets("Python", "python")[index], "deploy.md", "exec"), {})
    assert capsys.readouterr().out.split() == [best]


def test_a_stream_prints_a_label_a_chunk(place, run, windows, capsys):
    model = StreamModel(open_source(str(run.folder)))
    path = Path("sounds/model_streaming.tflite")
    path.write_bytes(model.tflite())
    sound = np.concatenate(windows)
    soundfile.write("clip.wav", sound, SAMPLE_RATE, subtype="FLOAT")
    (code,) = snippets("Stream", "python")
    exec(compile(code, "deploy.md", "exec"), {})
    answers = StreamRunner(path).run(sound)[""]
    assert len(answers) == 25
    expected = [LABELS[place] for place in answers.argmax(axis=1)]
    assert capsys.readouterr().out.split() == expected


def test_rest_requests_fit_the_signatures(saved_model):
    bodies = re.findall(r"-d '(.*?)'", "".join(snippets("REST", "sh")))
    assert len(bodies) == 3
    for body in map(json.loads, bodies):
        name = body.get("signature_name", "serving_default")
        signature = saved_model.signatures[name]
        specs = signature.structured_input_signature[1]
        # As TF Serving has it: a sole input goes without its name.
        values = body.get("inputs", body.get("instances"))
        values = values if isinstance(values, dict) else {next(iter(specs)): values}
        answers = signature(
            **{k: tf.constant(v, specs[k].dtype) for k, v in values.items()}
        )
        if name == "about":
            assert answers["sample_rate"] == SAMPLE_RATE
        else:
            assert np.isfinite(answers["probabilities"]).all()


def test_grpc_asks_as_tf_serving_is_asked(place, saved_model, best, capsys):
    reason = "needs tensorflow-serving-api, TF Serving's own messages"
    pytest.importorskip("tensorflow_serving.apis", reason=reason)
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Server(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            assert request.model_spec.name == "sounds"
            inputs = {
                k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()
            }
            name = request.model_spec.signature_name
            response = predict_pb2.PredictResponse()
            for key, value in saved_model.signatures[name](**inputs).items():
                proto = tf.make_tensor_proto(value.numpy())
                response.outputs[key].CopyFrom(proto)
            return response

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        Server(), server
    )
    port = server.add_insecure_port("localhost:0")
    server.start()
    try:
        (code,) = snippets("gRPC", "python")
        code = code.replace("localhost:8500", f"localhost:{port}")
        exec(compile(code, "deploy.md", "exec"), {})
    finally:
        server.stop(None)
    assert capsys.readouterr().out.split() == [best]
