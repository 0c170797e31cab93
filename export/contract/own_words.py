"""An artifact's words about itself, in one form for all formats."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from export.contract.heads import Head
from leaf_files.decisions import Decisions
from leaf_files.errors import UserError
from leaf_files.run_folder import SIGMOID, SOFTMAX

_MOST = 2**30  # Hz or samples: more is a mistake


@dataclasses.dataclass(frozen=True)
class OwnWords:
    """Facts that running a model needs; each artifact and its report hold them.

    Attributes:
        sample_rate: Sample rate, Hz.
        window_samples: Length of a window; None where nothing says it.
        heads: The model's heads; () of a part, which has no labels.
        made_by: Program and version; "" where nothing says it.

    Example:

    >>> OwnWords(16000, 16000, (Head("", ("no", "yes"), "softmax"),)).n_classes
    {'': 2}
    """

    sample_rate: int
    window_samples: int | None
    heads: tuple[Head, ...]
    made_by: str = ""

    @property
    def n_classes(self) -> dict[str, int]:
        """{head: number of its labels}."""
        return {head.name: len(head.labels) for head in self.heads}

    @property
    def content(self) -> dict:
        """The facts as JSON holds them; `words_of` reads it."""
        return {
            "made_by": self.made_by,
            "sample_rate": self.sample_rate,
            "window_samples": self.window_samples,
            "heads": [
                {
                    "name": head.name,
                    "labels": list(head.labels),
                    "activation": head.activation,
                    **head.decisions_entry,
                }
                for head in self.heads
            ],
        }

    @property
    def text(self) -> str:
        """`content` as JSON."""
        return json.dumps(self.content, sort_keys=True)


def words_of(content: Mapping) -> OwnWords:
    """The `OwnWords` in the content of a JSON file.

    Args:
        content: `OwnWords.content`, or that of a report, which has more.

    Raises:
        ValueError, KeyError, TypeError: It is nothing of the kind.

    Example:

    >>> words = OwnWords(16000, 8000, (Head("", ("no", "yes"), "softmax"),))
    >>> words_of(words.content) == words
    True
    """
    return OwnWords(
        sample_rate=size(content["sample_rate"]),
        window_samples=size(content["window_samples"]),
        heads=tuple(
            Head(
                name=str(head["name"]),
                labels=tuple(map(str, head["labels"])),
                activation=_known_activation(head["activation"]),
                decisions=Decisions.from_dict(head["decisions"])
                if "decisions" in head
                else Decisions(),
            )
            for head in content["heads"]
        ),
        made_by=str(content.get("made_by", "")),
    )


def size(value: Any) -> int:
    """A rate or a length, an int above 0.

    Raises:
        ValueError: The value is no such number.

    Example:

    >>> size(16000)
    16000
    >>> size(-1)
    Traceback (most recent call last):
    ValueError: -1 is no rate or length
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 0 < value <= _MOST:
        raise ValueError(f"{value!r:.50} is no rate or length")
    return value


def _known_activation(value: Any) -> str:
    """An activation that `clip_probabilities` knows.

    Raises:
        ValueError: The value is no such name.
    """
    if value not in (SOFTMAX, SIGMOID):
        raise ValueError(f"activation {value!r:.50}")
    return value


def require_fit(
    path: Path, words: OwnWords, n_classes: Mapping[str, int], where: str
) -> None:
    """Checks that a model has as many classes as labels.

    Args:
        path: The artifact, for messages.
        words: Its own words, or those of its report.
        n_classes: {head: classes} of its runner.
        where: Place of the labels, "inside" the artifact or "beside" it.

    Raises:
        UserError: The numbers differ.

    Example:

    >>> words = OwnWords(16000, 8000, (Head("", ("no", "yes"), "softmax"),))
    >>> require_fit(Path("model.tflite"), words, {"": 3}, "inside")
    Traceback (most recent call last):
    leaf_files.errors.UserError: model.tflite ...
    """
    if words.n_classes == n_classes:
        return
    if where == "inside":
        advice = "they were changed; copy or export it again"
    else:
        advice = "another model's; put it beside its own report"
    raise UserError(
        f"{path} has {_counts(n_classes)}, but the labels {where} it are "
        f"{_counts(words.n_classes)}, {advice}"
    )


def difference(words: OwnWords, others: OwnWords) -> str | None:
    """The first difference between an artifact's own words and those of a report.

    Args:
        words: The artifact's; of a part of a model, too.
        others: The report's.

    Returns:
        A phrase; None if they agree.

    Example:

    >>> difference(OwnWords(8000, 8000, ()), OwnWords(16000, 8000, ()))
    '8000 Hz, not 16000 Hz'
    """
    if words.sample_rate != others.sample_rate:
        return f"{words.sample_rate} Hz, not {others.sample_rate} Hz"
    if words.window_samples not in (None, others.window_samples):
        samples = f"{words.window_samples} samples, not {others.window_samples}"
        return f"windows of {samples}"
    if not words.heads:
        return None
    if words.n_classes != others.n_classes:
        return f"{_counts(words.n_classes)}, not {_counts(others.n_classes)}"
    others_heads = {head.name: head for head in others.heads}
    for head in words.heads:
        other = others_heads[head.name]
        of = f" of {head.name}" * bool(head.name)
        if head.activation != other.activation:
            return f"{head.activation}{of}, not {other.activation}"
        for index, (label, their) in enumerate(zip(head.labels, other.labels), 1):
            if label != their:
                return f"label {index}{of} {label}, not {their}"
        if head.decisions != other.decisions:
            return f"another temperature or other thresholds{of}"
    return None


def _counts(n_classes):
    counted = [
        f"{n} classes{' of ' * bool(name)}{name}" for name, n in n_classes.items()
    ]
    return ", ".join(counted) or "none"
