"""The parsers of all commands; command `NAME` is a module of its name beside."""

import argparse
from collections.abc import Callable

from export.commands.running import RUNNING
from export.commands.values import milliseconds, points, seconds, some_of
from export.contract.activations import ACTIVATIONS
from export.writers.options import (
    DEFAULT_FORMATS,
    FORMATS,
    MAX_ACCURACY_DROP,
    QUANTIZATIONS,
    Options,
)
from leaf_files.command_line import Parser, did_you_mean, program
from leaf_files.errors import UserError


def export_parser() -> Parser:
    """The arguments of `python -m export RUN_OR_KERAS_FILE --output DIR`.

    Example:

    >>> export_parser().parse_args(["run", "--output", "phone", "--chunk", "50"]).chunk
    50.0
    """
    parser = Parser(
        prog=program("export"),
        description="Writes a trained model as files that run without this package, "
        "and compares each of them with Keras on real clips.",
        epilog=f"`{program('export')} predict --help` tells how to run such a file, "
        f"`{program('export')} verify --help` how to check a copy of the folder (a run "
        "folder of such a name is given as `./predict`).",
    )
    parser.add_argument(
        "source",
        metavar="RUN_OR_KERAS_FILE",
        help=f"a run folder of `{program('training')} fit`, or any `.keras` file that "
        "takes a waveform and has a leaf_tf frontend inside",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        required=True,
        help="artifact folder to write: new, empty, or an earlier export, which is "
        "replaced when this one succeeds",
    )
    parser.add_argument(
        "--formats",
        type=some_of(FORMATS),
        default=DEFAULT_FORMATS,
        metavar="NAME[,NAME...]",
        help=f"any of {', '.join(FORMATS)}; onnx needs the packages of leaf_tf[onnx], "
        "micro, which is for microcontrollers, those of leaf_tf[micro] "
        f"(default: {', '.join(DEFAULT_FORMATS)})",
    )
    parser.add_argument(
        "--quantize",
        type=some_of(QUANTIZATIONS),
        metavar="NAME[,NAME...]",
        help=f"TFLite files to make, any of {', '.join(QUANTIZATIONS)}, where none is "
        "float32 and int4 has 4 bits for weights alone, for runs trained for them "
        "(default: all but int4 that can be made and lose no more than is allowed)",
    )
    parser.add_argument(
        "--calibration",
        metavar="FOLDER",
        help="audio files such as the model was trained on, at any depth: int8 and "
        "int4 take the ranges of activations from them (default: the run's calibration "
        "clips)",
    )
    parser.add_argument(
        "--max-accuracy-drop",
        type=points,
        default=MAX_ACCURACY_DROP,
        metavar="POINTS",
        help="points of accuracy, or of mean average precision, that a quantized file "
        "may lose on the clips; one that loses more, and more than chance explains, is "
        "left out, or an error where --quantize asks for it "
        f"(default: {MAX_ACCURACY_DROP:g})",
    )
    parser.add_argument(
        "--embeddings",
        action="store_true",
        help="write embeddings.tflite, too: the model without its last layers",
    )
    parser.add_argument(
        "--streaming",
        action="store_true",
        help="write model_streaming.tflite, too: it takes sound chunk by chunk, and "
        f"answers for the trailing window; `{program('export')} listen` runs it",
    )
    parser.add_argument(
        "--chunk",
        type=milliseconds,
        metavar="MS",
        help="length of the chunks of --streaming and of the format micro, a multiple "
        "of the frontend's hop "
        "(default: the multiple that is nearest to 100; of micro, to 40)",
    )
    parser.add_argument(
        "--calibrated",
        action="store_true",
        help="put the run's temperature into the graph, so that the files' own "
        "probabilities are the calibrated ones, whatever runs them (default: the files "
        f"say it, and `{program('export')} predict` and `listen` apply it)",
    )
    parser.add_argument(
        "--trainable",
        action="store_true",
        help="let the SavedModel keep its weights as variables, `trainable_weights`, "
        "to train further in plain TensorFlow; it makes its filters of them at each "
        "call, which takes longer (default: they are folded to constants)",
    )
    parser.add_argument(
        "--license",
        metavar="ID",
        help="licence of the model, for the model card in the folder, as hubs of "
        "models write it, e.g. cc-by-4.0 (default: the card says that it isn't known)",
    )
    parser.add_argument(
        "--window",
        type=seconds,
        metavar="SECONDS",
        help="length of the waveform that `model.tflite` takes (default: the run's, "
        "else the model's own fixed length, else 1)",
    )
    parser.add_argument(
        "--labels",
        metavar="[HEAD=]FILE",
        action="append",
        default=[],
        help="text file with one label a line (default: the run's, else class_0, ...); "
        "of a model of several heads HEAD=FILE, once for each",
    )
    parser.add_argument(
        "--activation",
        type=_activation,
        metavar="[HEAD=]NAME",
        action="append",
        default=[],
        help="what makes probabilities of the model's outputs: softmax (one label a "
        "clip), sigmoid (any number of labels), none (they are probabilities); not "
        "done twice where the model ends in it; checked on probe clips (default: the "
        "run's, else as the model's last steps and the loss in the file say)",
    )
    parser.add_argument(
        "--clips",
        metavar="FOLDER",
        help="audio files to compare on; labelled by a `clips.csv`, or by the folder's "
        f"subfolders, as for `{program('training')} evaluate` (default: the run's "
        "evaluation clips, else noise and chirps); a model of several heads takes "
        "those of each from a subfolder of its name",
    )
    return parser


def options_of(arguments: argparse.Namespace) -> Options:
    """The `Options` among the arguments of `export_parser`.

    Raises:
        UserError: Options of files that are not to be made.

    Example:

    >>> options = options_of(export_parser().parse_args(["run", "--output", "phone"]))
    >>> options.formats
    ('saved_model', 'tflite')
    """
    is_stream = arguments.streaming or "micro" in arguments.formats
    if arguments.chunk is not None and not is_stream:
        raise UserError(
            "--chunk is for --streaming and for --formats micro; give one of these, or "
            "leave out --chunk"
        )
    if arguments.trainable and "saved_model" not in arguments.formats:
        raise UserError(
            "--trainable is about the SavedModel, which --formats leaves out; add "
            "saved_model to --formats, or leave out --trainable"
        )
    asked = {"--quantize": arguments.quantize, "--embeddings": arguments.embeddings}
    for name, value in asked.items():
        if value and "tflite" not in arguments.formats:
            raise UserError(
                f"{name} is about TFLite files, which --formats leaves out; add tflite "
                f"to --formats, or leave out {name}"
            )
    return Options(
        formats=arguments.formats,
        quantize=arguments.quantize,
        embeddings=arguments.embeddings,
        streaming=arguments.streaming,
        chunk_ms=arguments.chunk,
        trainable=arguments.trainable,
        license=arguments.license,
        max_accuracy_drop=arguments.max_accuracy_drop,
    )


def _activation(text):
    name = text.rpartition("=")[2]
    if name not in ACTIVATIONS:
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(ACTIVATIONS)}, or HEAD= and one of them; "
            f"received {text!r}{did_you_mean([name], ACTIVATIONS)}"
        )
    return text


PARSERS: dict[str, Callable[[], Parser]] = {"export": export_parser, **RUNNING}
