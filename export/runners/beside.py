"""What lies beside an artifact: the report, and files of labels."""

from pathlib import Path

from export.contract.layout import REPORT_JSON, artifact_folder
from export.contract.own_words import OwnWords, difference, words_of
from leaf_files.command_line import program
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.labels import read_labels


def note_beside(path: Path, words: OwnWords) -> str | None:
    """A note on files beside an artifact that contradict it.

    Args:
        path: The artifact.
        words: Its own words.

    Returns:
        A line; None if they agree, or can't be read: they aren't needed.

    Example:

    >>> words = OwnWords(16000, 4000, ())
    >>> print(note_beside(Path("artifacts/model.tflite"), words))
    artifacts/model.tflite says of itself: 16000 Hz, not 8000 Hz as report.json ...
    """
    folder = artifact_folder(path)
    try:
        report = read_report(folder / REPORT_JSON)
    except UserError:
        report = None
    differs = report and difference(words, report)
    if differs:
        return (
            f"{path} says of itself: {differs} as {REPORT_JSON} beside it has it, "
            "which is another model's; the file is believed"
        )
    for head in words.heads:
        index = _first_other(head.labels, folder / head.labels_file)
        if index is not None:
            return (
                f"{path} names label {index + 1} {head.labels[index]} itself, other "
                f"than {head.labels_file} beside it; the file is believed, and "
                f"{program('export')} --labels writes one with other names"
            )
    return None


def _first_other(labels, file):
    """Index of the first label that differs in a file of as many; None if none does."""
    try:
        others = read_labels(file) if file.is_file() else labels
    except UserError:
        return None
    if len(others) != len(labels):
        return None  # another model's
    pairs = enumerate(zip(labels, others))
    return next((index for index, (one, other) in pairs if one != other), None)


def read_report(path: Path) -> OwnWords | None:
    """The `OwnWords` in a report; None if there is no report.

    Args:
        path: The file.

    Raises:
        UserError: It is no report.

    Example:

    >>> read_report(Path("artifacts/report.json")).sample_rate
    8000
    """
    if not path.is_file():
        return None
    try:
        return words_of(read_json(path))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not a report of {program('export')} "
            f"({type(error).__name__}: {error}); move it away and pass "
            "--sample-rate"
        ) from error
