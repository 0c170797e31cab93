"""What an artifact says about itself, in one form for all formats."""

import dataclasses
import json

from export.contract.heads import SIGMOID, SOFTMAX, Head
from files.errors import UserError

_MOST = 2**30  # Hz or samples: more is a mistake


@dataclasses.dataclass(frozen=True)
class OwnWords:
    """What it takes to run a model; each artifact holds it, and its report does, too.

    Attributes:
        sample_rate: In Hz.
        window_samples: Length of a window; None where nothing tells it.
        heads: tuple of `export.contract.heads.Head`; () of a part, which has no labels.
        made_by: Program and version; "" where nothing tells it.
    """

    sample_rate: int
    window_samples: int | None
    heads: tuple
    made_by: str = ""

    @property
    def n_classes(self):
        """{head: how many labels it has}."""
        return {head.name: len(head.labels) for head in self.heads}

    @property
    def content(self):
        """The same for JSON; `words_of` reads it."""
        return {
            "made_by": self.made_by,
            "sample_rate": self.sample_rate,
            "window_samples": self.window_samples,
            "heads": [
                {
                    "name": head.name,
                    "labels": list(head.labels),
                    "activation": head.activation,
                }
                for head in self.heads
            ],
        }

    @property
    def text(self):
        return json.dumps(self.content, sort_keys=True)


def words_of(content):
    """The `OwnWords` in what JSON held.

    Args:
        content: `OwnWords.content`, or a report's, which has more.

    Raises:
        ValueError, KeyError, TypeError: It is nothing of the kind.
    """
    return OwnWords(
        sample_rate=size(content["sample_rate"]),
        window_samples=size(content["window_samples"]),
        heads=tuple(
            Head(
                name=str(head["name"]),
                labels=tuple(map(str, head["labels"])),
                activation=known_activation(head["activation"]),
            )
            for head in content["heads"]
        ),
        made_by=str(content.get("made_by", "")),
    )


def size(value):
    """A rate or a length, an int above 0.

    Raises:
        ValueError: It is none.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 0 < value <= _MOST:
        raise ValueError(f"{value!r:.50} is no rate or length")
    return value


def known_activation(value):
    """An activation that averages of windows are known of.

    Raises:
        ValueError: It is none.
    """
    if value not in (SOFTMAX, SIGMOID):
        raise ValueError(f"activation {value!r:.50}")
    return value


def require_fit(path, words, n_classes, where):
    """Checks that labels are as many as the classes that a model answers with.

    Args:
        path: Of the artifact.
        words: `OwnWords`.
        n_classes: {head: classes}, of its runner.
        where: Where the labels are, "inside" or "beside".

    Raises:
        UserError: They are not.
    """
    if words.n_classes == n_classes:
        return
    if where == "inside":
        advice = "they were changed; copy or export it again"
    else:
        advice = "another model's; put it beside its own report"
    raise UserError(
        f"{path} tells {_counts(n_classes)} apart, but the labels {where} it are "
        f"{_counts(words.n_classes)}, {advice}"
    )


def difference(words, others):
    """Where an artifact's own words are not those of a report, in words; else None.

    Args:
        words: `OwnWords` of the artifact, of a part maybe.
        others: `OwnWords` of the report.
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
        for index, (own, their) in enumerate(zip(head.labels, other.labels), 1):
            if own != their:
                return f"label {index}{of} {own}, not {their}"
    return None


def _counts(n_classes):
    counted = [
        f"{n} classes{' of ' * bool(name)}{name}" for name, n in n_classes.items()
    ]
    return ", ".join(counted) or "none"
