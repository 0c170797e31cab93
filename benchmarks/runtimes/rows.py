"""The rows of the table: a runtime and a file each, and what it can't do."""

import dataclasses

from export.contract.layout import ONNX, SAVED_MODEL, STREAMING, TFLITE, VERSION

_FOLDER = f"{SAVED_MODEL}/{VERSION}"
BASELINE = "litert"
KERAS = "model.keras"  # of the run, which all others are compared with

NO_RFFT = "mel frontends, for want of RFFT"
LIMITS = {
    "keras": "",
    "litert": "",
    "litert-compiled": "be quiet: it logs to stderr",
    "tflite-micro": f"float16 and dynamic files; {NO_RFFT}",
    "mediapipe": "parts of a model, streams",
    "litert-js": "",
    "litert-js-worklet": "load as it is: what a worklet lacks has to be added",
    "tensorflow": "",
    "tensorflow-c": "",
    "onnxruntime": "parts of a model, streams",
    "onnxruntime-web": "as ONNX Runtime",
    "openvino-f32": f"the dynamic file; in .tflite {NO_RFFT}; in a SavedModel NaN "
    "gets an answer",
    "openvino": "the same, and float32: it computes in bfloat16 where it can",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """A runtime on a file.

    Attributes:
        runtime: Name of the runtime; those of `export.runtimes.table`, and others.
        title: The runtime, for people.
        file: Path in the artifact folder.
    """

    runtime: str
    title: str
    file: str

    @property
    def key(self):
        return f"{self.runtime} {self.file}"

    @property
    def is_stream(self):
        return self.file == STREAMING


ROWS = (
    Row("keras", "Keras", KERAS),
    Row("litert", "LiteRT Interpreter", TFLITE),
    Row("litert-compiled", "LiteRT CompiledModel", TFLITE),
    Row("tflite-micro", "TFLite Micro, on this processor", TFLITE),
    Row("mediapipe", "MediaPipe AudioClassifier", TFLITE),
    Row("litert-js", "LiteRT.js in a page", TFLITE),
    Row("litert-js-worklet", "LiteRT.js in an AudioWorklet", TFLITE),
    Row("openvino-f32", "OpenVINO in float32", TFLITE),
    Row("openvino", "OpenVINO as it comes", TFLITE),
    Row("onnxruntime", "ONNX Runtime", ONNX),
    Row("onnxruntime-web", "ONNX Runtime Web", ONNX),
    Row("openvino-f32", "OpenVINO in float32", ONNX),
    Row("tensorflow", "TensorFlow in Python", _FOLDER),
    Row("tensorflow-c", "TensorFlow in C", _FOLDER),
    Row("openvino-f32", "OpenVINO in float32", _FOLDER),
    Row("litert", "LiteRT Interpreter", STREAMING),
    Row("litert-compiled", "LiteRT CompiledModel", STREAMING),
    Row("tflite-micro", "TFLite Micro, on this processor", STREAMING),
    Row("openvino-f32", "OpenVINO in float32", STREAMING),
)
NAMES = tuple(dict.fromkeys(row.runtime for row in ROWS))
