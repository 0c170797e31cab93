"""The parsers of the commands; command `NAME` is a module of its name beside."""

import argparse
from collections.abc import Callable

from export.commands.values import (
    below_one,
    count,
    milliseconds,
    points,
    seconds,
    seconds_or_none,
    share,
    some_of,
)
from export.contract.activations import ACTIVATIONS
from export.contract.detections import FORMATS as EVENT_FORMATS
from export.writers.options import (
    DEFAULT_FORMATS,
    FORMATS,
    MAX_ACCURACY_DROP,
    QUANTIZATIONS,
    Options,
)
from leaf_files.command_line import Parser, did_you_mean, program
from leaf_files.errors import UserError
from leaf_files.thresholds import DETECT_THRESHOLD, LISTEN_THRESHOLD


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
        help=f"any of {', '.join(FORMATS)}; onnx needs the packages of leaf_tf[onnx] "
        f"(default: {', '.join(DEFAULT_FORMATS)})",
    )
    parser.add_argument(
        "--quantize",
        type=some_of(QUANTIZATIONS),
        metavar="NAME[,NAME...]",
        help=f"TFLite files to make, any of {', '.join(QUANTIZATIONS)}, where none is "
        "float32 (default: all that can be made and lose no more than is allowed)",
    )
    parser.add_argument(
        "--calibration",
        metavar="FOLDER",
        help="audio files such as the model was trained on, at any depth: int8 takes "
        "the ranges of activations from them (default: the run's calibration clips)",
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
        help="length of the chunks of --streaming, a multiple of the frontend's hop "
        "(default: the multiple that is nearest to 100)",
    )
    parser.add_argument(
        "--calibrated",
        action="store_true",
        help="put the run's temperature into the graph, so that the files' own "
        "probabilities are the calibrated ones, whatever runs them (default: the files "
        f"say it, and `{program('export')} predict` and `listen` apply it)",
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
    if arguments.chunk is not None and not arguments.streaming:
        raise UserError("--chunk is for --streaming; give both or neither")
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
        max_accuracy_drop=arguments.max_accuracy_drop,
    )


def predict_parser() -> Parser:
    """The arguments of `python -m export predict ARTIFACT CLIP...`.

    Example:

    >>> predict_parser().parse_args(["phone", "clip.wav", "--top", "1"]).top
    1
    """
    parser = Parser(
        prog=f"{program('export')} predict",
        description="Runs an exported model on audio files: the whole clip, window by "
        "window, the windows' logits averaged.",
    )
    parser.add_argument(
        "artifact",
        metavar="ARTIFACT",
        help="a `.tflite` or `.onnx` file, a SavedModel folder, or a folder that holds "
        "one (of an artifact folder `model.tflite` is preferred)",
    )
    parser.add_argument(
        "clips",
        metavar="CLIP",
        nargs="+",
        help="audio file of any rate and channels, or a folder of such, at any depth",
    )
    parser.add_argument(
        "--top",
        type=count,
        default=3,
        metavar="N",
        help="labels to print per clip (default: 3)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON instead of text"
    )
    parser.add_argument(
        "--sample-rate",
        type=count,
        metavar="HZ",
        help="the model's rate; needed only of a model of another program, which "
        "doesn't say it itself",
    )
    return parser


def verify_parser() -> Parser:
    """The arguments of `python -m export verify DIR`.

    Example:

    >>> verify_parser().parse_args(["phone"]).folder
    'phone'
    """
    parser = Parser(
        prog=f"{program('export')} verify",
        description="Says whether an artifact folder is as it was written: computes "
        "the checksum of each file anew, and asks each model again what it was asked "
        "at export. Exit code 1 if a file is changed, missing or extra.",
    )
    parser.add_argument(
        "folder", metavar="DIR", help=f"the --output of {program('export')}"
    )
    return parser


def listen_parser() -> Parser:
    """The arguments of `python -m export listen ARTIFACT FILE_OR_-`.

    Example:

    >>> listen_parser().parse_args(["phone", "-"]).smoothing
    0.5
    """
    parser = Parser(
        prog=f"{program('export')} listen",
        description="Runs model_streaming.tflite on sound as it comes and prints what "
        "it detects: seconds heard so far, label, score. A file is followed by as much "
        "silence as the model is late. It needs LiteRT, not TensorFlow.",
        epilog="From a microphone: arecord -q -t raw -f S16_LE -c 1 -r 16000 | "
        f"{program('export')} listen DIR -",
    )
    parser.add_argument(
        "artifact",
        metavar="ARTIFACT",
        help="the artifact folder of an export with --streaming, or the file",
    )
    parser.add_argument(
        "sound",
        metavar="FILE_OR_-",
        help="audio file of any rate and channels and any length; - for raw samples "
        "from stdin: 16 bit, little-endian, mono, at the model's rate",
    )
    parser.add_argument(
        "--raw", action="store_true", help="the file holds raw samples, as for -"
    )
    parser.add_argument(
        "--threshold",
        type=share,
        metavar="SCORE",
        help="score from which any label is detected (default: the thresholds that the "
        f"file carries, {LISTEN_THRESHOLD:g} for labels without)",
    )
    parser.add_argument(
        "--smoothing",
        type=seconds_or_none,
        default=0.5,
        metavar="SECONDS",
        help="scores are probabilities averaged over so long, 0: not at all "
        "(default: 0.5)",
    )
    parser.add_argument(
        "--refractory",
        type=seconds_or_none,
        metavar="SECONDS",
        help="a label is not detected again within so long (default: the model's "
        "window)",
    )
    parser.add_argument(
        "--ignore",
        metavar="LABEL",
        action="append",
        default=[],
        help="never detect this label, such as that of silence; may be repeated",
    )
    parser.add_argument(
        "--scores",
        action="store_true",
        help="print the scores after each chunk, too: the highest, in JSON all",
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON object a line"
    )
    return parser


def detect_parser() -> Parser:
    """The arguments of `python -m export detect ARTIFACT RECORDING...`.

    Example:

    >>> detect_parser().parse_args(["phone", "night.flac", "--overlap", "0.5"]).overlap
    0.5
    """
    parser = Parser(
        prog=f"{program('export')} detect",
        description="Finds events in recordings of any length: which label, from when "
        "to when. A model hears windows that overlap. An event of a label is a stretch "
        "in which its score is at least the release, and the threshold somewhere. Of a "
        ".tflite file it needs LiteRT, not TensorFlow.",
        epilog=f"Thresholds that suit the use: `{program('training')} judge` says how "
        "many events are missed at how many false alarms an hour.",
    )
    parser.add_argument(
        "artifact", metavar="ARTIFACT", help="as that of predict, not a streaming file"
    )
    parser.add_argument(
        "recordings",
        metavar="RECORDING",
        nargs="+",
        help="audio file of any length, rate and channels, a folder of such, at any "
        "depth, or a pattern of names in quotes",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="write a table for each recording into this folder; what is finished "
        "there is passed over, so that a run goes on where it was stopped (default: "
        "print one table of all)",
    )
    parser.add_argument(
        "--format",
        choices=EVENT_FORMATS,
        default=EVENT_FORMATS[0],
        help="form of the table; times are seconds. raven and audacity are of one "
        "recording (default: text)",
    )
    parser.add_argument(
        "--threshold",
        type=share,
        metavar="SCORE",
        help="score from which any label is an event (default: the thresholds that the "
        f"artifact carries, {DETECT_THRESHOLD:g} for labels without)",
    )
    parser.add_argument(
        "--release",
        type=share,
        default=0.7,
        metavar="SHARE",
        help="share of the threshold down to which an event goes on (default: 0.7)",
    )
    parser.add_argument(
        "--overlap",
        type=below_one,
        default=0.75,
        metavar="SHARE",
        help="share of a window that the next one hears as well; more finds edges more "
        "precisely, and takes longer (default: 0.75)",
    )
    parser.add_argument(
        "--smoothing",
        type=seconds_or_none,
        default=0.0,
        metavar="SECONDS",
        help="average the scores of windows whose middles lie within so long "
        "(default: 0, not at all)",
    )
    parser.add_argument(
        "--merge",
        type=seconds_or_none,
        default=0.0,
        metavar="SECONDS",
        help="events of a label with a gap of at most so long are one (default: 0)",
    )
    parser.add_argument(
        "--least",
        type=seconds_or_none,
        default=0.0,
        metavar="SECONDS",
        help="leave out events that are shorter (default: 0)",
    )
    parser.add_argument(
        "--needed",
        type=seconds_or_none,
        default=0.1,
        metavar="SECONDS",
        help="seconds of a sound that a window must hold to give its label: an event "
        "begins so long before the end of the first window that does, and ends twice "
        "as long after the start of the last one, as ends are softer (default: 0.1)",
    )
    parser.add_argument(
        "--ignore",
        metavar="LABEL",
        action="append",
        default=[],
        help="never detect this label, such as that of noise; may be repeated",
    )
    parser.add_argument(
        "--jobs",
        type=count,
        default=1,
        metavar="N",
        help="recordings at once, a process each (default: 1)",
    )
    parser.add_argument(
        "--sample-rate", type=count, metavar="HZ", help="as that of predict"
    )
    return parser


def _activation(text):
    name = text.rpartition("=")[2]
    if name not in ACTIVATIONS:
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(ACTIVATIONS)}, or HEAD= and one of them; "
            f"received {text!r}{did_you_mean([name], ACTIVATIONS)}"
        )
    return text


PARSERS: dict[str, Callable[[], Parser]] = {
    "export": export_parser,
    "predict": predict_parser,
    "verify": verify_parser,
    "listen": listen_parser,
    "detect": detect_parser,
}
