"""Refuses damaged artifacts before a runtime reads them.

LiteRT doesn't check its files: a damaged one may end the process, or give wrong
answers.
"""

import subprocess
import sys
from pathlib import Path

from export.contract.checksums import checksum
from export.contract.failures import parsing
from export.contract.layout import INPUT, REPORT_JSON, artifact_folder, is_onnx
from export.tflite_format.model import read_model
from leaf_files.command_line import runner
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.quiet import native_logs_hidden

_TRIAL_SECONDS = 60
# Loads a file and runs it, as its runners do; an exception says what fails.
_TRIAL = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
if len(interpreter.get_signature_list()) != 1:
    sys.exit()  # no file of ours, as is said later
signature = interpreter.get_signature_runner()
inputs = signature.get_input_details()
if sys.argv[2] in inputs:
    for value in (0.0, 0.5, -1.0):
        signature(**{
            name: np.full(detail["shape"], value, detail["dtype"])
            for name, detail in inputs.items()
        })
"""


def require_intact(path: Path) -> None:
    """Checks an artifact by the checksums of the report beside it, else by a trial.

    A `.tflite` file without such a report is loaded and run by another process first.
    Its runner reports any other fault of an artifact.

    Args:
        path: `.tflite` or `.onnx` file, or folder of a `saved_model.pb`.

    Raises:
        UserError: It is not as it was exported, or ends the process that runs it.

    Example:

    >>> require_intact(Path("artifacts/model.tflite"))
    >>> _ = Path("damaged.tflite").write_bytes(b"no model")
    >>> require_intact(Path("damaged.tflite"))
    Traceback (most recent call last):
    leaf_files.errors.UserError: damaged.tflite is ...
    """
    folder = artifact_folder(path)
    artifact = path.relative_to(folder).as_posix()
    reported = {
        name: entry
        for name, entry in _reported(folder / REPORT_JSON).items()
        if name == artifact or name.startswith(f"{artifact}/")
    }
    for name, entry in reported.items():
        if not (folder / name).is_file() or checksum(folder / name) != entry:
            raise UserError(
                f"{folder / name} does not have the checksum in {REPORT_JSON} beside "
                f"it: it is damaged, or another file; {runner('verify')} "
                f"{folder} says more. To run {artifact} anyway, move it elsewhere"
            )
    if not reported and path.is_file() and not is_onnx(path):
        _try(path)


def _reported(report):
    """{path: its checksum} of a report; {} without a report that has them."""
    try:
        files = read_json(report)["files"]
        return dict(files)
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _try(path):
    with native_logs_hidden():
        # Imported here, too: if it is missing, that is no fault of the file.
        import ai_edge_litert.interpreter  # noqa: F401
    command = [sys.executable, "-c", _TRIAL, str(path), INPUT]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TRIAL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"{path} is damaged: it did not answer within {_TRIAL_SECONDS} s"
        ) from error
    if done.returncode == 1:  # an exception
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1]
        raise UserError(f"{path} is not a TFLite model that LiteRT runs: {last}")
    if done.returncode:  # a signal
        raise UserError(
            f"{path} is damaged: LiteRT crashes on it; copy or export it again"
        )
    with parsing(path):  # where offsets are checked, as LiteRT doesn't
        read_model(path.read_bytes())
