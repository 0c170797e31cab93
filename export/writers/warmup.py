"""Requests that TF Serving makes of a SavedModel before it serves others."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from leaf_files.quiet import import_tensorflow

PLACE = Path("assets.extra", "tf_serving_warmup_requests")


def write_warmup(
    folder: str | Path, signatures: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """Writes one request per signature.

    Args:
        folder: Folder of the SavedModel.
        signatures: {name: {input name: numpy array}}.

    Example:

    >>> _ = Path("saved").mkdir()
    >>> write_warmup("saved", {"serving_default": {"waveform": np.zeros((1, 8))}})
    >>> Path("saved", PLACE).is_file()
    True
    """
    tf = import_tensorflow()
    path = Path(folder, PLACE)
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as file:
        for name, inputs in signatures.items():
            log = prediction_log()()
            request = log.predict_log.request
            request.model_spec.signature_name = name
            for key, value in inputs.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            file.write(log.SerializeToString())


@functools.cache
def prediction_log() -> Any:
    """The message class of tensorflow.serving.PredictionLog, its requests alone.

    The names are ours; the numbers of the fields, which alone are written, are those
    of TF Serving's prediction_log.proto, predict.proto and model.proto. The package
    that holds them would bring gRPC along.

    Example:

    >>> prediction_log().DESCRIPTOR.full_name
    'leaf_tf.serving.PredictionLog'
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from tensorflow.core.framework import tensor_pb2

    Field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="leaf_tf/prediction_log.proto",
        package="leaf_tf.serving",
        syntax="proto3",
        dependency=[tensor_pb2.DESCRIPTOR.name],
    )

    def message(name, parent=file.message_type, **fields):
        added = parent.add(name=name)
        for field, (number, kind) in fields.items():
            one = added.field.add(name=field, number=number, label=Field.LABEL_OPTIONAL)
            one.type = Field.TYPE_STRING if kind is str else Field.TYPE_MESSAGE
            if kind is not str:
                one.type_name = kind
        return added

    message("ModelSpec", signature_name=(3, str))
    request = message(
        "PredictRequest",
        model_spec=(1, ".leaf_tf.serving.ModelSpec"),
        inputs=(2, ".leaf_tf.serving.PredictRequest.InputsEntry"),
    )
    request.field[1].label = Field.LABEL_REPEATED
    entry = message(
        "InputsEntry",
        request.nested_type,
        key=(1, str),
        value=(2, ".tensorflow.TensorProto"),
    )
    entry.options.map_entry = True
    message("PredictLog", request=(1, ".leaf_tf.serving.PredictRequest"))
    message("PredictionLog", predict_log=(6, ".leaf_tf.serving.PredictLog"))
    pool = descriptor_pool.Default()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("leaf_tf.serving.PredictionLog")
    return message_factory.GetMessageClass(descriptor)
