"""The parser of `listen`, alone: `listen.py` of artifact folders has it, too."""

from export.commands.values import seconds_or_none, share
from leaf_files.command_line import Parser, runner
from leaf_files.thresholds import LISTEN_THRESHOLD


def listen_parser(artifact: str | None = None, rate: int = 16000) -> Parser:
    """The arguments of `python -m export listen ARTIFACT FILE_OR_-`.

    Args:
        artifact: What to run, where that is known; then no argument names it.
        rate: Sample rate of the model, Hz, for the example in the help.

    Example:

    >>> listen_parser().parse_args(["phone", "-"]).smoothing
    0.5
    """
    parser = Parser(
        prog=runner("listen"),
        description="Runs model_streaming.tflite on sound as it comes and prints what "
        "it detects: seconds heard so far, label, score. A file is followed by as much "
        "silence as the model is late. It needs LiteRT, not TensorFlow.",
        epilog=f"From a microphone: arecord -q -t raw -f S16_LE -c 1 -r {rate} | "
        f"{runner('listen')} {'DIR ' if artifact is None else ''}-",
    )
    if artifact is None:
        parser.add_argument(
            "artifact",
            metavar="ARTIFACT",
            help="the artifact folder of an export with --streaming, or the file",
        )
    else:
        parser.set_defaults(artifact=artifact)
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
