"""The contract of a run folder, which `training` writes and `export` reads.

Names of its files, the heads in `tasks.json`, labels, tables of clips, and whether the
files belong together. `docs/reference/run_folder.md` tells users the same.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from leaf_files.atomic import write_rows
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.text import read_lines

SOFTMAX, SIGMOID = "softmax", "sigmoid"
ACTIVATIONS = (SOFTMAX, SIGMOID)
# A table of the clips in a folder, with their labels.
CLIPS_TABLE = "clips.csv"
CLIPS_COLUMNS = ("file", "label")
LABEL_SEPARATOR = "|"  # between the labels of a clip of a multi-label task
_BLOCK = 2**20  # bytes


class RunPaths:
    """The paths of a run's files.

    Attributes:
        path: Folder of the run; the other attributes are paths in it.
        config: Settings, JSON. An export takes `sample_rate` and `window_seconds`.
        model: Best model of the run, `.keras`.
        tasks: Task, labels and activation of each head, JSON, see `read_heads`.
        decisions: How the probabilities of each head become decisions, JSON, see
            `leaf_files.decisions`; runs of older versions have none.
        labels: Labels of a run of one task, one a line, in the order of the logits; a
            run of several tasks has such a file for each head, see `labels_of`.
        data: Record of the training data, JSON, see `training.run.data_record`: for
            each task the labels, and for each split the number and a fingerprint of
            its clips; also fingerprints of `model` and `evaluation_clips`, which
            show that they are this run's. Runs of older versions have none.
        data_clips: Clips of that record whose sounds are known, those of folders, CSV,
            one row a clip: head, split, label, sound (16 hexadecimal digits of a hash
            of the decoded samples and their rate), file. Some 60 bytes a clip.
        metrics: Metrics, JSON; the file exists once the run is finished, that is, once
            its best model was tested.
        history: Learning curves, CSV, one row an epoch.
        logs: Logs of TensorBoard.
        best, last, previous: Checkpoints, see `training.fit.checkpoints.Checkpoints`.
        evaluation_clips: Clips of the test split at the model's rate, with
            `clips.csv`, on which exports are checked. A run of several tasks has such
            a folder for each head, see `evaluation_clips_of`.
        calibration_clips: Clips of the training split at the model's rate, from which
            int8 exports take the ranges of their activations.
        figures: PNG files.
        report: Report of the run for people, Markdown.
        predictions: Predictions for the clips of the test split, CSV; a run of several
            tasks has such a file for each head, see `predictions_of`.
        thresholds: Table of chosen thresholds, CSV; a run of several tasks has such a
            file for each head, see `thresholds_of`.
        random_split: Run folder of the same run on a random split, where that was
            asked for.

    >>> run = RunPaths("runs/birds")
    >>> run.model.name, run.labels_of("calls", n_heads=2).name
    ('model.keras', 'labels_calls.txt')
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.model = self.path / "model.keras"
        self.tasks = self.path / "tasks.json"
        self.decisions = self.path / "decisions.json"
        self.labels = self.path / labels_file()
        self.data = self.path / "data.json"
        self.data_clips = self.path / "data.csv"
        self.metrics = self.path / "metrics.json"
        self.history = self.path / "history.csv"
        self.logs = self.path / "logs"
        self.best = self.path / "checkpoints" / "best.keras"
        self.last = self.path / "checkpoints" / "last.keras"
        self.previous = self.path / "checkpoints" / "previous.keras"
        self.evaluation_clips = self.path / "evaluation_clips"
        self.calibration_clips = self.path / "calibration_clips"
        self.figures = self.path / "figures"
        self.report = self.path / "report.md"
        self.random_split = self.path / "random_split"
        self.predictions = self.path / "predictions.csv"
        self.thresholds = self.path / "thresholds.csv"

    def labels_of(self, head: str, n_heads: int) -> Path:
        """The file with the labels of a head.

        Args:
            head: Its name.
            n_heads: Number of heads of the model.
        """
        return self.path / labels_file(head if n_heads > 1 else "")

    def predictions_of(self, head: str, n_heads: int) -> Path:
        """The file with the predictions of a head; arguments as of `labels_of`."""
        return _of_head(self.predictions, head, n_heads)

    def thresholds_of(self, head: str, n_heads: int) -> Path:
        """The table of a head's thresholds; arguments as of `labels_of`."""
        return _of_head(self.thresholds, head, n_heads)

    def evaluation_clips_of(self, head: str, n_heads: int) -> Path:
        """The folder with the test clips of a head; arguments as of `labels_of`."""
        folder = self.evaluation_clips
        return folder / head if n_heads > 1 else folder


@dataclasses.dataclass(frozen=True)
class Head:
    """The meaning of one task's logits: an entry of `tasks.json`.

    Attributes:
        task: Name of the task, as in `--task`.
        name: Name of the model's output, where there are several: letters, digits and
            underscores.
        labels: Names of the classes, in the order of the logits.
        activation: Step from logits to probabilities: "softmax", one label a clip, or
            "sigmoid", any number of labels a clip.
        background: The class that stands for none of the classes, such as "noise", or
            None. Clips of it have no label if there may be any number, and it isn't
            among `labels` then.
        about: What is known of the data, in words, for people: "split", the rule of
            the splits, "split_by", who made them, "licence" and "homepage".

    >>> head = Head("folder:/data/birds", "birds", ("blackbird", "wren"))
    >>> head.multi_label, Head.from_dict(head.to_dict()) == head
    (False, True)
    """

    task: str
    name: str
    labels: tuple[str, ...]
    activation: str = SOFTMAX
    background: str | None = None
    about: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)

    @property
    def multi_label(self) -> bool:
        """Whether a clip may have several labels, or none."""
        return self.activation == SIGMOID

    def to_dict(self) -> dict[str, Any]:
        """The entry in `tasks.json`."""
        entry: dict[str, Any] = {
            "task": self.task,
            "head": self.name,
            "labels": list(self.labels),
            "activation": self.activation,
        }
        if self.background is not None:
            entry["background"] = self.background
        if self.about:
            entry["about"] = dict(self.about)
        return entry

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> "Head":
        """The head of an entry in `tasks.json`; any activation passes.

        Raises:
            TypeError, KeyError: Something is missing, or is no text.
        """
        background = entry["background"] if "background" in entry else None
        return cls(
            name=_text(entry["head"]),
            labels=tuple(map(_text, entry["labels"])),
            activation=_text(entry["activation"]),
            task=_text(entry["task"]),
            background=_text(background) if background is not None else None,
            about=_texts(entry["about"]) if "about" in entry else {},
        )


def read_heads(path: Path) -> tuple[Head, ...]:
    """The heads in a `tasks.json`, in its order; any activation passes.

    Raises:
        OSError, ValueError, TypeError, KeyError: It is missing or damaged.

    >>> from leaf_files.atomic import write_json
    >>> head = Head("synthetic", "kind", ("down", "up"))
    >>> write_json("tasks.json", tasks_json([head]))
    >>> read_heads(Path("tasks.json"))[0].labels
    ('down', 'up')
    """
    return tuple(Head.from_dict(entry) for entry in read_json(path)["tasks"])


def tasks_json(heads: Sequence[Head]) -> dict[str, Any]:
    """The content of `tasks.json`.

    >>> tasks_json([Head("synthetic", "kind", ("down", "up"))])["tasks"][0]["head"]
    'kind'
    """
    return {"tasks": [head.to_dict() for head in heads]}


def labels_file(head: str = "") -> str:
    """Name of the file with a head's labels, one a line; "" is the only head.

    Artifact folders name their files of labels likewise.

    >>> labels_file(), labels_file("birds")
    ('labels.txt', 'labels_birds.txt')
    """
    return f"labels_{head}.txt" if head else "labels.txt"


def write_clips_table(folder: Path, clips: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Writes the table of the clips in a folder.

    Args:
        folder: The folder, which holds the clips.
        clips: (name of the file, its labels) of each clip.

    >>> write_clips_table(Path("clips"), [("0.flac", ["wren", "rain"])])
    >>> Path("clips/clips.csv").read_text().split()
    ['file,label', '0.flac,wren|rain']
    """
    rows = ((name, LABEL_SEPARATOR.join(labels)) for name, labels in clips)
    write_rows(folder / CLIPS_TABLE, CLIPS_COLUMNS, rows)


def require_same_labels(folder: str | Path) -> None:
    """Checks that all files of a run folder give the same classes in the same order.

    `labels.txt` and its like are compared with `tasks.json`, and that with `data.json`,
    as far as they exist. The number of the model's classes is not compared.

    Args:
        folder: The run folder.

    Raises:
        UserError: Two of them differ: one was changed, or is another run's.

    >>> from leaf_files.atomic import write_json, write_text
    >>> head = Head("birds", "birds", ("tit", "wren"))
    >>> write_json("run/tasks.json", tasks_json([head]))
    >>> write_text("run/labels.txt", "tit\\nrobin\\n")
    >>> require_same_labels("run")
    Traceback (most recent call last):
    leaf_files.errors.UserError: the labels of run don't belong together: ...
    """
    run = RunPaths(folder)
    folder, tasks = run.path, run.tasks.name
    of_tasks = _labels_by_head(run.tasks)
    of_data = _labels_by_head(run.data)
    for head, labels in of_tasks.items():
        trained_labels = of_data.get(head, labels)
        if len(trained_labels) != len(labels):
            continue  # the model says which of them has too many
        _require_same(folder, (tasks, labels), (run.data.name, trained_labels))
        file = run.labels_of(head, len(of_tasks))
        try:
            lines = read_lines(file)
        except (OSError, ValueError):  # who needs it says so
            continue
        _require_same(folder, (file.name, lines), (tasks, labels))


def require_same_rate(folder: str | Path, config_rate: float, model_rate: int) -> None:
    """Checks that a run's settings and its model's frontend have one sample rate.

    Args:
        folder: The run folder, for the message.
        config_rate: `sample_rate` in its `config.json`, Hz.
        model_rate: Sample rate of the frontend, Hz.

    Raises:
        UserError: They differ.

    >>> require_same_rate("run", 16000, 8000)
    Traceback (most recent call last):
    leaf_files.errors.UserError: in run, config.json says 16000 Hz, ...
    """
    if config_rate != model_rate:
        raise UserError(
            f"in {folder}, {RunPaths(folder).config.name} says {config_rate} Hz, the "
            f"model's frontend {model_rate} Hz; one of the two was edited, or is "
            "another run's"
        )


def digest_of(path: str | Path) -> str | None:
    """A fingerprint of a file, or of the files in a folder; None if there are none.

    >>> digest_of("no file") is None
    True
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")
    else:
        files = [path] if path.is_file() else []
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path).as_posix()}\n".encode(errors="replace"))
        with file.open("rb") as content:
            while block := content.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()[:16] if files else None


def notes(folder: str | Path) -> list[str]:
    """A line for each file of a run that isn't as training wrote it, where it said.

    Args:
        folder: The run folder.

    Returns:
        A list of str.

    >>> notes("no run")
    []
    """
    run = RunPaths(folder)
    written = _read(run.data).get("files")
    written = written if isinstance(written, dict) else {}
    about = {
        run.model: "its answers may mean other classes than those of the labels beside "
        "it",
        run.evaluation_clips: "scores on them may be of clips that the model was "
        "trained on",
    }
    return [
        f"{path} isn't as training wrote it (saved anew, edited, or "
        f"another run's): {consequence}"
        for path, consequence in about.items()
        if path.name in written and digest_of(path) not in (None, written[path.name])
    ]


def file_marks(folder: str | Path) -> dict[str, str]:
    """{name: fingerprint} of the files that `notes` compares, of those that exist.

    >>> from leaf_files.atomic import write_text
    >>> write_text("run/model.keras", "a model")
    >>> file_marks("run")
    {'model.keras': '...'}
    """
    run = RunPaths(folder)
    marks = {path.name: digest_of(path) for path in (run.model, run.evaluation_clips)}
    return {name: mark for name, mark in marks.items() if mark}


def _of_head(file, head, n_heads):
    return file.with_stem(f"{file.stem}_{head}") if n_heads > 1 else file


def _require_same(folder, one, other):
    (name, labels), (other_name, others) = one, other
    if list(labels) == list(others):
        return
    if len(labels) != len(others):
        how = f"{len(labels)} classes, {other_name} {len(others)}"
    else:
        pairs = zip(labels, others)
        place, (a, b) = next((n, p) for n, p in enumerate(pairs) if p[0] != p[1])
        how = f"class number {place + 1} as {a!r}, {other_name} as {b!r}"
    raise UserError(
        f"the labels of {folder} don't belong together: {name} has {how}; one of the "
        "two was edited, or is another run's: bring it back as training wrote it"
    )


def _labels_by_head(path):
    """{head: labels} of `tasks.json` or `data.json`; {} of what can't be read."""
    try:
        tasks = _read(path).get("tasks", [])
        return {str(task["head"]): list(map(str, task["labels"])) for task in tasks}
    except (TypeError, KeyError):  # who needs it says so
        return {}


def _read(path):
    """The content of a file, a dict; {} if it is missing or damaged."""
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _texts(value):
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.50} is no {{name: text}}")
    return {_text(name): _text(text) for name, text in value.items()}


def _text(value):
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
