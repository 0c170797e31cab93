import numpy as np
import pytest
import tensorflow as tf

from export.writers.warmup import prediction_log
from tests.export.conftest import WINDOW_SAMPLES


def tf_servings_own():
    reason = "needs tensorflow-serving-api, TF Serving's own messages"
    module = "tensorflow_serving.apis.prediction_log_pb2"
    return pytest.importorskip(module, reason=reason).PredictionLog


@pytest.mark.parametrize("message_class", [prediction_log, tf_servings_own])
def test_each_request_parses_and_the_model_answers_it(exported, message_class):
    folder = exported / "saved_model" / "1"
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        message_class().FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    requests = {
        log.predict_log.request.model_spec.signature_name: log.predict_log.request
        for log in logs
    }
    assert sorted(requests) == [
        "embeddings",
        "features",
        "serving_default",
        "serving_padded",
    ]
    model = tf.saved_model.load(str(folder))
    for name, request in requests.items():
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        assert inputs["waveform"].shape == (1, WINDOW_SAMPLES)
        for value in model.signatures[name](**inputs).values():
            assert value.dtype == tf.string or np.isfinite(value).all()
