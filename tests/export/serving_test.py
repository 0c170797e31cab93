"""examples/serving: its files are what TF Serving's protos and flags say.

No server is at hand. What pip has of TF Serving's protos lacks two; they are made here
of the numbers of their fields, as published.
"""

import re
from pathlib import Path

import pytest
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

SERVING = Path(__file__).parents[2] / "examples" / "serving"
Field = descriptor_pb2.FieldDescriptorProto
INT64 = ".google.protobuf.Int64Value"
# session_bundle_config.proto.
BATCHING = {
    "max_batch_size": (1, INT64),
    "batch_timeout_micros": (2, INT64),
    "max_enqueued_batches": (3, INT64),
    "num_batch_threads": (4, INT64),
    "thread_pool_name": (5, ".google.protobuf.StringValue"),
    "allowed_batch_sizes": (6, Field.TYPE_INT64),
    "pad_variable_length_inputs": (7, Field.TYPE_BOOL),
}
# monitoring_config.proto.
PROMETHEUS = {"enable": (1, Field.TYPE_BOOL), "path": (2, Field.TYPE_STRING)}
MONITORING = {"prometheus_config": (1, ".published.PrometheusConfig")}
# Of the server's main.cc.
FLAGS = {"enable_batching", "batching_parameters_file", "monitoring_config_file"}


@pytest.fixture(scope="module")
def published():
    """The classes of the two messages, by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="published.proto",
        package="published",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    messages = {
        "BatchingParameters": BATCHING,
        "PrometheusConfig": PROMETHEUS,
        "MonitoringConfig": MONITORING,
    }
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            one = message.field.add(name=field, number=number)
            is_list = field == "allowed_batch_sizes"
            one.label = Field.LABEL_REPEATED if is_list else Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                one.type, one.type_name = Field.TYPE_MESSAGE, kind
            else:
                one.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"published.{name}")
        )
        for name in messages
    }


def read(message_class, name):
    return text_format.Parse((SERVING / name).read_text(), message_class())


def test_batching_parameters_are_those_of_the_proto(published):
    batching = read(published["BatchingParameters"], "batching_parameters.txt")
    assert batching.max_batch_size.value == 32
    assert batching.batch_timeout_micros.value == 2000
    assert batching.num_batch_threads.value >= 1
    assert batching.max_enqueued_batches.value > batching.num_batch_threads.value
    assert not batching.pad_variable_length_inputs  # zeros would be heard


def test_monitoring_is_that_of_the_proto(published):
    monitoring = read(published["MonitoringConfig"], "monitoring.txt")
    assert monitoring.prometheus_config.enable
    path = monitoring.prometheus_config.path
    assert f"curl localhost:8501{path}`" in (SERVING / "README.md").read_text()


def flags(words):
    """{flag: value} of words for the server."""
    return dict(re.fullmatch(r"--(\w+)=?(.*)", word).groups() for word in words)


def test_compose_mounts_what_its_flags_name():
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, to read compose.yaml")
    [(name, service)] = yaml.safe_load((SERVING / "compose.yaml").read_text())[
        "services"
    ].items()
    mounts = {}
    for volume in service["volumes"]:
        host, inside, mode = re.fullmatch(r"(.+):(/.+):(\w+)", volume).groups()
        mounts[inside] = host
        assert mode == "ro"
    model, *files = mounts.items()
    assert (
        model[0]
        == f"/models/{name}"
        == f"/models/{service['environment']['MODEL_NAME']}"
    )
    assert model[1].endswith("/saved_model")
    given = flags(service["command"])
    assert set(given) == FLAGS and given["enable_batching"] == ""
    for value in filter(None, given.values()):
        assert (SERVING / mounts[value]).is_file()
    assert sorted(service["ports"]) == ["8500:8500", "8501:8501"]


def test_the_image_is_started_as_compose_does():
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, to read compose.yaml")
    text = (SERVING / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    instructions = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        instructions.setdefault(word, []).append(rest)
    [command] = instructions["CMD"]
    service = yaml.safe_load((SERVING / "compose.yaml").read_text())["services"]
    assert yaml.safe_load(command) == service["sounds"]["command"]
    model, config = instructions["COPY"]
    assert model == "--from=sounds saved_model /models/sounds"
    *files, place = config.split()
    for value in filter(None, flags(yaml.safe_load(command)).values()):
        assert value.startswith(place) and value.removeprefix(place) in files
    assert instructions["ENV"] == ["MODEL_NAME=sounds"]


@pytest.fixture(scope="module")
def signatures(exported):
    """{name: SignatureDef} of an export, as the server reads them."""
    content = (exported / "saved_model" / "1" / "saved_model.pb").read_bytes()
    [graph] = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    assert list(graph.meta_info_def.tags) == ["serve"]
    return {
        name: signature
        for name, signature in graph.signature_def.items()
        if not name.startswith("__")  # TensorFlow's own
    }


def test_each_signature_is_one_of_predict(signatures):
    assert len(signatures) == 5
    for signature in signatures.values():
        assert signature.method_name == "tensorflow/serving/predict"


def test_what_is_batched_has_a_batch_in_every_input_and_output(signatures):
    """Both for batching and for REST's rows; `about` alone has none."""
    for name, signature in signatures.items():
        tensors = [*signature.inputs.values(), *signature.outputs.values()]
        is_batch = [
            len(t.tensor_shape.dim) > 0 and t.tensor_shape.dim[0].size == -1
            for t in tensors
        ]
        assert all(is_batch) == (name != "about"), name
        # What REST's JSON can say.
        allowed = {types_pb2.DT_FLOAT, types_pb2.DT_INT32, types_pb2.DT_STRING}
        assert {t.dtype for t in tensors} <= allowed
        # Strings of such names would have to be in base 64.
        assert not any(
            n.endswith("_bytes") for n in (*signature.inputs, *signature.outputs)
        )


def test_the_server_can_say_all_of_it(signatures):
    """`GET .../metadata` and GetModelMetadata answer by this message."""
    reason = "needs tensorflow-serving-api, TF Serving's own messages"
    metadata = pytest.importorskip(
        "tensorflow_serving.apis.get_model_metadata_pb2", reason=reason
    )
    response = metadata.GetModelMetadataResponse()
    told = metadata.SignatureDefMap()
    for name, signature in signatures.items():
        told.signature_def[name].CopyFrom(signature)
    response.metadata["signature_def"].Pack(told)
    read = metadata.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(read)
    assert set(read.signature_def) == set(signatures)
