"""From a head's probabilities to decisions: calibration, thresholds, none of these."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.run_folder import SIGMOID

# What is answered where no label is decided on; no label of a user's is named so.
NONE_OF_THESE = "(none of these)"


@dataclasses.dataclass(frozen=True)
class Decisions:
    """How the probabilities of one head become decisions.

    A run holds it in `decisions.json`, and every artifact in its own words.

    Attributes:
        temperature: The logits are divided by it, > 0; 1 changes nothing. See
            "On Calibration of Modern Neural Networks" (1706.04599), section 4.2.
        thresholds: {label: calibrated probability, in [0, 1], from which it is decided
            on}; labels that aren't named have `none_below`.
        none_below: The same for all labels without a threshold of their own; 0 decides
            always, but on labels of a sigmoid only from 0.5.
        background: Labels that are never decided on: where one is the most probable,
            the answer is none of these.
        chosen_by: How these were chosen, for people and reports: what JSON holds.

    >>> decisions = Decisions(temperature=2.0, thresholds={"dog": 0.8})
    >>> decisions.calibrated(np.array([0.9, 0.1]), "softmax").round(2)
    array([0.75, 0.25])
    >>> decisions.decided(np.array([0.9, 0.1]), ("dog", "cat"), "softmax")
    ()
    """

    temperature: float = 1.0
    thresholds: Mapping[str, float] = dataclasses.field(
        default_factory=dict, hash=False
    )
    none_below: float = 0.0
    background: tuple[str, ...] = ()
    chosen_by: Mapping[str, Any] = dataclasses.field(
        default_factory=dict, compare=False
    )

    @property
    def is_identity(self) -> bool:
        """Whether all is as the model says: these needn't be written down.

        >>> Decisions().is_identity, Decisions(none_below=0.4).is_identity
        (True, False)
        """
        return self == Decisions()

    @property
    def can_refuse(self) -> bool:
        """Whether the answer can be none of these in a softmax head.

        >>> Decisions(temperature=2.0).can_refuse
        False
        """
        return bool(self.thresholds or self.none_below or self.background)

    def relabelled(self, labels, others):
        """The same of a head whose labels have other names.

        Args:
            labels: The labels that these decisions name.
            others: Their new names, in the same order.

        >>> Decisions(thresholds={"dog": 0.8}).relabelled(["dog"], ["Hund"]).thresholds
        {'Hund': 0.8}
        """
        names = dict(zip(labels, others))
        return dataclasses.replace(
            self,
            thresholds={names.get(n, n): v for n, v in self.thresholds.items()},
            background=tuple(names.get(n, n) for n in self.background),
        )

    def calibrated(self, probabilities, activation):
        """The probabilities at logits divided by the temperature.

        Args:
            probabilities: (..., classes), those of the model.
            activation: "softmax" or "sigmoid", the model's last step.

        Returns:
            (..., classes), float64.
        """
        # The smallest normal float32: an underflow to 0 must not become -inf.
        tiny = np.finfo(np.float32).tiny
        p = np.maximum(np.asarray(probabilities, np.float64), tiny)
        if self.temperature == 1.0:
            return np.asarray(probabilities, np.float64)
        if activation == SIGMOID:
            odds = np.log(p) - np.log(np.maximum(1.0 - p, tiny))
            return 1.0 / (1.0 + np.exp(-odds / self.temperature))
        logits = np.log(p) / self.temperature
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return odds / odds.sum(axis=-1, keepdims=True)

    def levels(self, labels, default=None):
        """The threshold of each label, (classes,); infinite for background.

        Args:
            labels: The labels of the head.
            default: Threshold of labels that have none; `none_below` for None.

        >>> Decisions(thresholds={"dog": 0.8}).levels(("dog", "cat")).tolist()
        [0.8, 0.0]
        """
        default = self.none_below if default is None else default
        return np.array(
            [
                math.inf
                if label in self.background
                else self.thresholds.get(label, default)
                for label in labels
            ]
        )

    def decided(self, probabilities, labels, activation):
        """The labels that are decided on, the most probable first.

        Args:
            probabilities: (classes,), those of the model, not calibrated.
            labels: The labels of the head.
            activation: "softmax" (one at most) or "sigmoid" (any number).

        Returns:
            A tuple of labels; () is none of these.
        """
        calibrated = self.calibrated(probabilities, activation)
        order = np.argsort(-calibrated, kind="stable")
        if activation != SIGMOID:
            order = order[:1]
        is_default = activation == SIGMOID and not self.none_below
        levels = self.levels(labels, 0.5 if is_default else None)
        return tuple(labels[n] for n in order if calibrated[n] >= levels[n])

    def to_dict(self) -> dict[str, Any]:
        """What JSON holds; `from_dict` reads it."""
        return {
            "temperature": self.temperature,
            "thresholds": dict(self.thresholds),
            "none_below": self.none_below,
            "background": list(self.background),
            "chosen_by": dict(self.chosen_by),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Decisions":
        """The decisions in the content of a JSON file.

        Raises:
            ValueError, KeyError, TypeError: It is nothing of the kind.

        >>> Decisions.from_dict(Decisions(none_below=0.4).to_dict()).none_below
        0.4
        """
        thresholds = content["thresholds"]
        chosen_by = content.get("chosen_by", {})
        if not isinstance(thresholds, Mapping) or not isinstance(chosen_by, Mapping):
            raise TypeError("`thresholds` and `chosen_by` are objects")
        temperature = float(content["temperature"])
        if not (math.isfinite(temperature) and temperature > 0):
            raise ValueError(f"temperature {content['temperature']!r:.50}")
        return cls(
            temperature,
            {str(k): _share(v) for k, v in thresholds.items()},
            _share(content["none_below"]),
            tuple(map(str, content["background"])),
            dict(chosen_by),
        )


def decisions_json(decisions: Mapping[str, Decisions]) -> dict[str, Any]:
    """The content of `decisions.json`.

    Args:
        decisions: {name of the head: its `Decisions`}.

    >>> decisions_json({"dogs": Decisions(temperature=2.0)})["heads"]["dogs"][
    ...     "temperature"
    ... ]
    2.0
    """
    return {"heads": {name: each.to_dict() for name, each in decisions.items()}}


def read_decisions(path: Path) -> dict[str, Decisions]:
    """The decisions in a `decisions.json`, {name of the head: `Decisions`}.

    Args:
        path: The file; {} is read where there is none, as in runs of older versions.

    Raises:
        UserError: It is damaged.

    >>> read_decisions(Path("no file"))
    {}
    """
    if not path.exists():
        return {}
    try:
        content = read_json(path)["heads"]
        return {str(n): Decisions.from_dict(each) for n, each in content.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"cannot read how to decide in {path} ({type(error).__name__}: "
            f"{error}); bring it back as it was written, or remove it"
        ) from error


def _share(value):
    """A probability.

    Raises:
        ValueError: The value is no number in [0, 1].
    """
    if isinstance(value, bool) or not 0.0 <= float(value) <= 1.0:
        raise ValueError(f"{value!r:.50} is no probability")
    return float(value)
