"""Decides whether outputs are logits: from graph, loss, user and probe clips."""

import dataclasses
from typing import NoReturn

import numpy as np

from export.contract.activations import NO_STEP
from export.contract.heads import Head
from export.source.activation import IN_UNIT, LOGITS, LOGS, OTHER, Meaning
from export.source.losses import Loss
from leaf_files.errors import UserError
from leaf_files.run_folder import SIGMOID, SOFTMAX

_ROUNDING = 5e-3  # of a sum of many in float16


@dataclasses.dataclass(frozen=True)
class Seen:
    """A head's answers to probe clips, in numbers.

    Attributes:
        least, most: Range of its answers.
        in_unit: Whether all are in [0, 1].
        sums_to_one: Whether all are, and those to each clip sum to 1.
        logs_sum_to_one: Whether their exponentials sum to 1.
        n_classes: Number of answers to a clip.

    Example:

    >>> Seen.of([[0.25, 0.75], [0.5, 0.5]]).sums_to_one
    True
    """

    least: float
    most: float
    in_unit: bool
    sums_to_one: bool
    logs_sum_to_one: bool
    n_classes: int

    @classmethod
    def of(cls, answers) -> "Seen":
        """The numbers of some answers.

        Args:
            answers: (n, classes); clips with NaN or infinities don't count.
        """
        answers = np.asarray(answers, np.float64)
        answers = answers[np.isfinite(answers).all(axis=-1)]
        least, most = np.min(answers, initial=np.inf), np.max(answers, initial=-np.inf)
        in_unit = bool(least >= -_ROUNDING and most <= 1 + _ROUNDING)
        logs = bool(most <= _ROUNDING)
        return cls(
            least=float(least),
            most=float(most),
            in_unit=in_unit,
            sums_to_one=in_unit and _are_one(np.sum(answers, axis=-1)),
            logs_sum_to_one=logs and _are_one(np.sum(np.exp(answers), axis=-1)),
            n_classes=answers.shape[-1],
        )

    @property
    def range(self) -> str:
        """The range in words."""
        return f"from {self.least:.3g} to {self.most:.3g}"


@dataclasses.dataclass(frozen=True)
class Decision:
    """The kind of a head's outputs.

    Attributes:
        activation: "softmax" (one label a clip) or "sigmoid" (any number).
        gives_logits: Whether that step is still to be done.
        known_from: Source of the decision, in words.
        note: Line for the user; "" if all sources agree.

    Example:

    >>> Decision("softmax", gives_logits=True, known_from="assumed").note
    ''
    """

    activation: str
    gives_logits: bool
    known_from: str
    note: str = ""


def decide(
    meaning: Meaning,
    loss: Loss | None,
    seen: Seen,
    option: str | None = None,
    run_activation: str | None = None,
    where: str = "the model",
    head: str = "",
) -> Decision:
    """Decides on the kind of a head's outputs.

    The first of these sources that has it: `--activation`, the run's `tasks.json`, the
    graph, the loss. Without any, a layer of weights at the end is taken for the logits
    of a softmax, a single number for that of a sigmoid, and the note says so. All of
    them must agree with the answers to the probe clips.

    Args:
        meaning: The output's in the graph.
        loss: The output's in the file, or None.
        seen: The head's answers to probe clips.
        option: One of `contract.activations.ACTIVATIONS`, from the user; None if not
            given.
        run_activation: "softmax" or "sigmoid", from the run; None if it doesn't say it.
        where: Path of the model, for messages.
        head: Name of the head, "" of the only one.

    Raises:
        UserError: The kind is unclear, or two sources contradict each other.

    Example:

    >>> from export.source.activation import Meaning
    >>> seen = Seen.of([[0.25, 0.75], [0.5, 0.5]])
    >>> decide(Meaning("softmax", "softmax"), None, seen).known_from
    "the model's last step, softmax"
    """
    judge = _Judge(meaning, seen, where, head)
    if option is not None:
        return _noted(judge.by_option(option), loss, run_activation)
    if run_activation is not None:
        return judge.by_run(run_activation)
    return judge.by_itself(loss)


def require_probabilities(
    decision: Decision | Head, answers: np.ndarray, where: str, head: str = ""
) -> None:
    """Checks on more clips that a head which needs no step gives probabilities.

    Args:
        decision: The kind of its outputs.
        answers: (n, classes), the outputs.
        where: Path of the model, for messages.
        head: Name of the head, "" of the only one.

    Raises:
        UserError: They are no probabilities of its kind.

    Example:

    >>> decision = Decision("softmax", gives_logits=False, known_from="assumed")
    >>> require_probabilities(decision, np.array([[2.0, 3.0]]), "model.keras")
    Traceback (most recent call last):
    leaf_files.errors.UserError: it is unclear what the outputs of model.keras are: ...
    """
    if decision.gives_logits or not len(answers):
        return
    seen = Seen.of(answers)
    if not seen.in_unit:
        _unclear(
            where,
            head,
            f"they were taken for probabilities, but on the clips reach {seen.range}",
        )
    if decision.activation == SOFTMAX and not seen.sums_to_one:
        _unclear(
            where,
            head,
            "they were taken for a softmax's, but on the clips don't sum to 1",
        )


class _Judge:
    def __init__(self, meaning, seen, where, head):
        self._meaning, self._seen = meaning, seen
        self._where, self._head = where, head
        self._is_distribution = seen.sums_to_one and seen.n_classes > 1
        self._are_logs = seen.logs_sum_to_one and seen.n_classes > 1
        self._are_probabilities = seen.in_unit and (
            meaning.kind in IN_UNIT or (self._is_distribution and meaning.kind == OTHER)
        )

    def by_option(self, option):
        seen, outputs = self._seen, _outputs(self._where, self._head)
        if option == SOFTMAX or (self._meaning.kind == SOFTMAX and seen.sums_to_one):
            self._require_several(SOFTMAX)
        if option == NO_STEP:
            if not seen.in_unit:
                raise UserError(
                    f"--activation none says that {outputs} are probabilities, but on "
                    f"probe clips they reach {seen.range}; give softmax or sigmoid, "
                    "the step that is still to be done, or end the model in it"
                )
            return Decision(self._kind(), False, "--activation none")
        if self._are_probabilities and option == self._kind():
            # The step is the model's own, which is not done twice.
            return Decision(option, False, f"--activation {option}")
        self._require_logits(option)
        if self._are_logs and option == SIGMOID:
            raise UserError(
                f"--activation sigmoid is for logits of labels of their own, but "
                f"{outputs} are logs of probabilities that sum to 1; give softmax"
            )
        self._require_several(option)
        return Decision(option, True, f"--activation {option}")

    def by_run(self, activation):
        fault = f"tasks.json in {self._where} gives a task the activation {activation}"
        if activation not in (SOFTMAX, SIGMOID):
            raise UserError(f"{fault}; it must be softmax or sigmoid")
        if self._meaning.kind in IN_UNIT or self._is_distribution:
            decision = self.by_itself(None)
            if decision.activation != activation:
                raise UserError(
                    f"{fault}; it must be {decision.activation}, as "
                    f"{decision.known_from}"
                )
            return decision
        self._require_several(activation)
        return Decision(activation, True, "the run's tasks.json")

    def by_itself(self, loss):
        kind, step, seen = self._meaning.kind, self._meaning.step, self._seen
        if kind in IN_UNIT:
            return self._probabilities(loss)
        if self._is_distribution:
            if kind == LOGITS or (loss and loss.takes_logits):
                self._unclear(
                    f"the model ends in {step}, which gives logits, but on probe clips "
                    "they are in [0, 1] and sum to 1"
                )
            return Decision(
                SOFTMAX, False, "its outputs on probe clips, which sum to 1"
            )
        if self._are_logs and not (loss and loss.activation == SIGMOID):
            return Decision(SOFTMAX, True, f"the model's last step, {step}")
        if loss is not None:
            return self._by_loss(loss)
        if kind == LOGITS:
            return self._assumed()
        if kind == LOGS:
            self._require_several(SOFTMAX)
            self._unclear(
                f"the model ends in {step}, but on probe clips the exponentials of "
                "its outputs don't sum to 1"
            )
        self._unclear(
            f"the model ends in {step} (on probe clips {seen.range}), and the file "
            "has no loss that says more"
        )

    def _probabilities(self, loss):
        kind, step, seen = self._meaning.kind, self._meaning.step, self._seen
        if not seen.in_unit:
            self._unclear(
                f"the model ends in {step}, but on probe clips they reach {seen.range}"
            )
        if loss is not None and loss.takes_logits:
            self._unclear(
                f"the loss in the file, {loss.text}, takes logits, but the model ends "
                f"in {step}, which gives probabilities"
            )
        if kind == SOFTMAX and seen.n_classes == 1 and seen.sums_to_one:
            self._require_several(SOFTMAX)
        activation, note = self._kind(), ""
        if seen.n_classes > 1 and activation == SIGMOID:
            if kind == SOFTMAX:
                note = (
                    f"the outputs come from a {step}, but don't sum to 1 (as the "
                    "maximum over frames doesn't): each label counts for itself"
                )
            elif loss is not None and loss.activation == SOFTMAX:
                note = (
                    f"the loss in the file, {loss.text}, is of one label a clip, but "
                    f"the outputs, of {step}, don't sum to 1: each label counts for "
                    "itself"
                )
        return Decision(activation, False, f"the model's last step, {step}", note)

    def _by_loss(self, loss):
        kind, step, seen = self._meaning.kind, self._meaning.step, self._seen
        said = f"the loss in the file, {loss.text}"
        if loss.activation is None:
            self._unclear(
                f"{said}, is one of numbers, not of labels"
                if loss.is_of_numbers
                else f"{said}, is not one that tells"
            )
        if loss.takes_logits:
            self._require_several(loss.activation)
            return Decision(loss.activation, True, said)
        if kind == OTHER and seen.in_unit:
            return Decision(self._kind(), False, said)
        self._unclear(
            f"{said}, takes probabilities, but the model ends in {step} (on probe "
            f"clips {seen.range})"
        )

    def _assumed(self):
        step = self._meaning.step
        outputs = "its outputs" if not self._head else f"the outputs of {self._head}"
        if self._seen.n_classes == 1:
            return Decision(
                SIGMOID,
                True,
                "assumed",
                f"nothing in the file says what {outputs} are: the single one of "
                f"{step} is taken for a logit, and made a probability by sigmoid",
            )
        return Decision(
            SOFTMAX,
            True,
            "assumed",
            f"nothing in the file says what {outputs} are: those of {step} are taken "
            "for logits of one label a clip, and made probabilities by softmax; if a "
            "clip may have several labels, "
            f"export with --activation {_named(self._head)}sigmoid",
        )

    def _kind(self):
        """The activation of outputs that are probabilities."""
        sums = self._is_distribution and self._meaning.kind != SIGMOID
        return SOFTMAX if sums else SIGMOID

    def _require_several(self, activation):
        if activation == SOFTMAX and self._seen.n_classes == 1:
            raise UserError(
                f"{_outputs(self._where, self._head)} are a single number a clip, of "
                "which softmax makes 1 whatever the sound; a yes or no ends in sigmoid "
                "and is trained with BinaryCrossentropy"
            )

    def _require_logits(self, option):
        """Refuses to do the step `option` on outputs that are no logits."""
        kind, step, seen = self._meaning.kind, self._meaning.step, self._seen
        outputs = _outputs(self._where, self._head)
        if self._are_probabilities or self._is_distribution:
            reason = "they sum to 1" if self._is_distribution else "from 0 to 1 each"
            raise UserError(
                f"--activation {option} is a step to be done on logits, but {outputs} "
                f"are probabilities already ({f'made by {step}, ' * (kind in IN_UNIT)}"
                f"{reason} on probe clips); give {self._as_it_is()}, or leave it out"
            )
        if kind == OTHER and seen.in_unit and option == SIGMOID:
            raise UserError(
                f"--activation sigmoid makes .5 to .73 of numbers from 0 to 1, and "
                f"{outputs}, of {step}, go {seen.range} on probe clips; give none if "
                "they are probabilities already"
            )

    def _as_it_is(self):
        """The values of `--activation` that fit outputs which are probabilities."""
        return f"{self._kind()} or none" if self._are_probabilities else "none"

    def _unclear(self, reason) -> NoReturn:
        _unclear(self._where, self._head, reason)


def _noted(decision, loss, run_activation):
    """The decision asked for, with a note if the model was trained for another step."""
    trained = (run_activation, "the run's tasks.json")
    if run_activation is None and loss is not None:
        trained = (loss.activation, f"the loss in the file, {loss.text},")
    step, says = trained
    if not decision.gives_logits or step in (None, decision.activation):
        return decision
    note = f"{says} is of {step}; {decision.known_from} is done, as you say"
    return dataclasses.replace(decision, note=note)


def _unclear(where, head, reason) -> NoReturn:
    name = _named(head)
    raise UserError(
        f"it is unclear what {_outputs(where, head)} are: {reason}; say it: "
        f"--activation {name}none if they are probabilities, {name}softmax or "
        f"{name}sigmoid if that makes probabilities of them"
    )


def _outputs(where, head):
    return f"the outputs{' of ' * bool(head)}{head} of {where}"


def _named(head):
    return f"{head}=" if head else ""


def _are_one(sums):
    return bool(len(sums)) and bool(np.all(np.abs(sums - 1) <= _ROUNDING))
