"""The runtimes that can be asked, and what each of them runs."""

import dataclasses
import importlib
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from export.contract.layout import SAVED_MODEL_PB, is_onnx
from leaf_files.command_line import did_you_mean
from leaf_files.errors import UserError

if TYPE_CHECKING:
    from export.contract.probes import Run  # the command line needs no NumPy

TFLITE, ONNX, SAVED_MODEL = "tflite", "onnx", "SavedModel"


@dataclasses.dataclass(frozen=True)
class Runtime:
    """A program that runs artifacts.

    Attributes:
        name: Name on a command line.
        title: Its own name, for people.
        package: The package to install, as pip knows it.
        module: The module that the package brings.
        formats: The kinds of artifact that it runs, of "tflite", "onnx", "SavedModel".
        opened_by: Module of this package with `load(path)`.
        settings: Settings for that function.

    Example:

    >>> RUNTIMES["onnxruntime"].formats
    ('onnx',)
    """

    name: str
    title: str
    package: str
    module: str
    formats: tuple[str, ...]
    opened_by: str
    settings: dict = dataclasses.field(default_factory=dict)

    @property
    def is_installed(self) -> bool:
        """Whether its package is there."""
        return importlib.util.find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """The version of its package; "" if it doesn't say it."""
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return ""

    def takes(self, path: Path) -> bool:
        """Whether the artifact is of a kind that it runs.

        Args:
            path: `.tflite` or `.onnx` file, or folder of a `saved_model.pb`.
        """
        return kind_of(path) in self.formats

    def require_installed(self) -> None:
        """Checks that its package is there.

        Raises:
            UserError: It isn't; the message says how to install it.
        """
        if not self.is_installed:
            raise UserError(
                f"{self.title} is not installed; install it: python -m pip install "
                f"{self.package}"
            )

    def load(self, path: Path) -> "Run":
        """Opens an artifact.

        Args:
            path: The artifact, one that it `takes`.

        Returns:
            A function, (n, window_samples) -> {name of a head or part: (n, ...)}; of a
            streaming model as that of `export.runners.stream.StreamRunner.run`.

        Raises:
            UserError: It is not installed, or does not run the artifact.
        """
        self.require_installed()
        module = importlib.import_module(f"export.runtimes.{self.opened_by}")
        return module.load(path, **self.settings)


_ALL = (
    Runtime(
        "litert",
        "LiteRT Interpreter",
        "ai-edge-litert",
        "ai_edge_litert",
        (TFLITE,),
        "own_runners",
    ),
    Runtime(
        "litert-compiled",
        "LiteRT CompiledModel",
        "ai-edge-litert",
        "ai_edge_litert",
        (TFLITE,),
        "compiled_model",
    ),
    Runtime(
        "mediapipe",
        "MediaPipe AudioClassifier",
        "mediapipe",
        "mediapipe",
        (TFLITE,),
        "mediapipe_tasks",
    ),
    Runtime(
        "onnxruntime",
        "ONNX Runtime",
        "onnxruntime",
        "onnxruntime",
        (ONNX,),
        "own_runners",
    ),
    Runtime(
        "openvino",
        "OpenVINO",
        "openvino",
        "openvino",
        (TFLITE, ONNX, SAVED_MODEL),
        "openvino_cpu",
    ),
    Runtime(
        "openvino-f32",
        "OpenVINO in float32",
        "openvino",
        "openvino",
        (TFLITE, ONNX, SAVED_MODEL),
        "openvino_cpu",
        {"precision": "f32"},
    ),
    Runtime(
        "tensorflow",
        "TensorFlow",
        "tensorflow",
        "tensorflow",
        (SAVED_MODEL,),
        "own_runners",
    ),
    Runtime(
        "tflite-micro",
        "TFLite Micro",
        "tflite-micro",
        "tflite_micro",
        (TFLITE,),
        "tflite_micro",
    ),
)
RUNTIMES = {runtime.name: runtime for runtime in _ALL}


def runtime_named(name: str) -> Runtime:
    """The runtime of a name.

    Raises:
        UserError: There is none.

    Example:

    >>> runtime_named("tflite-micro").title
    'TFLite Micro'
    """
    if name not in RUNTIMES:
        raise UserError(
            f"there is no runtime {name!r}; known: {', '.join(RUNTIMES)}"
            f"{did_you_mean([name], RUNTIMES)}"
        )
    return RUNTIMES[name]


def kind_of(path: Path) -> str | None:
    """The kind of an artifact: "tflite", "onnx", "SavedModel", or None of other files.

    Args:
        path: `.tflite` or `.onnx` file, or folder of a `saved_model.pb`.

    Example:

    >>> kind_of(Path("artifacts/model.tflite"))
    'tflite'
    """
    if path.is_dir():
        return SAVED_MODEL if (path / SAVED_MODEL_PB).is_file() else None
    if path.suffix == ".tflite":
        return TFLITE
    return ONNX if path.suffix == ".onnx" or is_onnx(path) else None
