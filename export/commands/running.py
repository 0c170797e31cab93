"""The parsers of the commands that run artifacts."""

from collections.abc import Callable

from export.commands.listening import listen_parser
from export.commands.values import below_one, count, seconds_or_none, share
from export.contract.detections import FORMATS as EVENT_FORMATS
from export.runtimes.table import RUNTIMES
from leaf_files.command_line import Parser, program, runner
from leaf_files.thresholds import DETECT_THRESHOLD


def predict_parser() -> Parser:
    """The arguments of `python -m export predict ARTIFACT CLIP...`.

    Example:

    >>> predict_parser().parse_args(["phone", "clip.wav", "--top", "1"]).top
    1
    """
    parser = Parser(
        prog=runner("predict"),
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

    >>> verify_parser().parse_args(["phone", "--runtime", "openvino"]).runtime
    ['openvino']
    """
    parser = Parser(
        prog=runner("verify"),
        description="Says whether an artifact folder is as it was written: computes "
        "the checksum of each file anew, and asks each model again what it was asked "
        "at export, in other runtimes, too, if you name them. Exit code 1 if a file is "
        "changed, missing or extra, or a runtime answers otherwise or runs no file.",
    )
    parser.add_argument(
        "folder", metavar="DIR", help=f"the --output of {program('export')}"
    )
    parser.add_argument(
        "--runtime",
        action="append",
        default=[],
        metavar="NAME",
        help="ask all files that this runtime takes by it, too; may be repeated; any "
        f"of {', '.join(RUNTIMES)}",
    )
    return parser


def detect_parser() -> Parser:
    """The arguments of `python -m export detect ARTIFACT RECORDING...`.

    Example:

    >>> detect_parser().parse_args(["phone", "night.flac", "--overlap", "0.5"]).overlap
    0.5
    """
    parser = Parser(
        prog=runner("detect"),
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


RUNNING: dict[str, Callable[[], Parser]] = {
    "predict": predict_parser,
    "verify": verify_parser,
    "listen": listen_parser,
    "detect": detect_parser,
}
