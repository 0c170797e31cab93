"""Detections from the probabilities of each chunk of a stream."""

import collections
import dataclasses
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from export.contract.heads import Head
from leaf_files.errors import UserError
from leaf_files.run_folder import SOFTMAX
from leaf_files.thresholds import LISTEN_THRESHOLD


@dataclasses.dataclass(frozen=True)
class Detection:
    """A label that was detected.

    Attributes:
        seconds: Length of the stream so far.
        head: Name of the head, "" of the only one.
        label: The label.
        score: Its smoothed probability.

    Example:

    >>> Detection(seconds=0.5, head="", label="speech", score=0.9).label
    'speech'
    """

    seconds: float
    head: str
    label: str
    score: float


class Detector:
    """Finds labels in a stream of probabilities.

    A label's score is its probability, averaged over the last chunks; before the
    stream it was 0. A label is detected when its score reaches the threshold (in a
    softmax head only the label of the highest score), and not again within the
    refractory time.

    Probabilities are calibrated, as the heads' `decisions` say. Where the label of the
    highest score stands for the background, nothing is detected.

    Args:
        heads: The model's heads.
        chunk_seconds: Length of a chunk.
        smoothing: Seconds to average over, rounded to chunks, one at least.
        threshold: Score from which any label is detected, in (0, 1]; None for that of
            each label, `Head.decisions`, and `LISTEN_THRESHOLD` where it has none.
        refractory: Seconds within which a label is not detected again.
        ignored: Labels that are never detected, such as that of silence.

    Attributes:
        seconds: Length of the stream so far.
        scores: {head: (classes,)}, the smoothed probabilities.
        n_detections: {head: number of detections}.
        best: {head: `Detection` of the highest score so far}, among the labels that
            can be detected; without heads whose scores are no numbers.
        peaks: {head: highest probability of any of these labels, not smoothed}.
        levels: {head: (classes,)}, score from which each label is detected.

    Example:

    >>> head = Head("", ("noise", "speech"), "softmax")
    >>> detector = Detector([head], 0.1, smoothing=0, threshold=0.7, refractory=1)
    >>> detector.hear({"": np.array([0.2, 0.8])})
    [Detection(seconds=0.1, head='', label='speech', score=0.8)]
    """

    def __init__(
        self,
        heads: Sequence[Head],
        chunk_seconds: float,
        smoothing: float,
        threshold: float | None,
        refractory: float,
        ignored: Collection[str] = (),
    ):
        self._heads = heads
        self._chunk_seconds = chunk_seconds
        self._refractory = refractory
        self._ignored = frozenset(ignored)
        self.levels = {head.name: levels_of(head, threshold) for head in heads}
        self._allowed = {
            head.name: np.array([label not in self._ignored for label in head.labels])
            & np.isfinite(self.levels[head.name])
            for head in heads
        }
        self._n_averaged = max(1, round(smoothing / chunk_seconds))
        self._recent: collections.deque[Mapping[str, np.ndarray]] = collections.deque(
            maxlen=self._n_averaged
        )
        self._n_chunks = 0
        # Seconds of the last detection, by head and place of the label.
        self._last: dict[tuple[str, int], float] = {}
        self.scores: dict[str, np.ndarray] = {}
        self.n_detections = {head.name: 0 for head in heads}
        self.best: dict[str, Detection] = {}
        self.peaks: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Length of the stream so far."""
        # Counted, not added up: no rounding adds up over days.
        return self._n_chunks * self._chunk_seconds

    def hear(self, probabilities: Mapping[str, np.ndarray]) -> list[Detection]:
        """The detections of the next chunk.

        Args:
            probabilities: {head: (classes,)}.
        """
        self._n_chunks += 1
        probabilities = {
            head.name: head.decisions.calibrated(
                probabilities[head.name], head.activation
            )
            for head in self._heads
        }
        self._recent.append(probabilities)
        detections = []
        for head in self._heads:
            recent = np.array([answer[head.name] for answer in self._recent])
            scores = recent.sum(axis=0, dtype=np.float64) / self._n_averaged
            self.scores[head.name] = scores
            detected = self._detected(head, scores)
            self.n_detections[head.name] += len(detected)
            detections += detected
            self._remember(head, scores, probabilities[head.name])
        return detections

    def _remember(self, head, scores, probabilities):
        """Keeps the highest score, and the highest probability."""
        best = self._highest(head, scores)
        if best is not None:
            previous = self.best.get(head.name)
            # `>`: the first of equal ones stays, and NaN is above nothing.
            if previous is None or scores[best] > previous.score:
                label, score = head.labels[best], float(scores[best])
                self.best[head.name] = Detection(self.seconds, head.name, label, score)
        peak = self._highest(head, probabilities)
        if peak is not None:
            previous_peak = self.peaks.get(head.name, 0.0)
            self.peaks[head.name] = max(previous_peak, float(probabilities[peak]))

    def _highest(self, head, scores):
        """The place of the highest score that can be detected, or None."""
        allowed = self._allowed[head.name]
        if head.activation == SOFTMAX:
            place = np.argmax(scores)
            return place if allowed[place] and np.isfinite(scores[place]) else None
        candidates = np.where(allowed & np.isfinite(scores), scores, -1.0)
        place = np.argmax(candidates)
        return place if candidates[place] >= 0 else None

    def _detected(self, head, scores):
        places = np.flatnonzero(scores >= self.levels[head.name]).tolist()
        if head.activation == SOFTMAX:
            places = [place for place in places if place == np.argmax(scores)]
        detections = []
        for place in places:
            label = head.labels[place]
            last = self._last.get((head.name, place), -np.inf)
            # The last bit aside: 1.0 s after 0.3 s is after 1.0 s.
            if self.seconds - last < self._refractory - 1e-6 or label in self._ignored:
                continue
            self._last[head.name, place] = self.seconds
            detections.append(
                Detection(self.seconds, head.name, label, float(scores[place]))
            )
        return detections


def levels_of(
    head: Head, threshold: float | None = None, otherwise: float = LISTEN_THRESHOLD
) -> np.ndarray:
    """The score from which each label of a head is detected, (classes,).

    Args:
        head: The head; labels of the background are infinite.
        threshold: One for all labels; None for their own.
        otherwise: Threshold of labels that have none of their own.

    Example:

    >>> levels_of(Head("", ("no", "yes"), "softmax"))
    array([0.7, 0.7])
    """
    decisions = head.decisions
    if threshold is not None:
        decisions = dataclasses.replace(decisions, thresholds={})
        return decisions.levels(head.labels, threshold)
    return decisions.levels(head.labels, decisions.none_below or otherwise)


def require_labels(labels: Sequence[str], heads: Sequence[Head]) -> Sequence[str]:
    """The labels of `--ignore`, all of which are the model's.

    Args:
        labels: Labels that a user named.
        heads: The model's heads.

    Raises:
        UserError: The model has no such label.

    Example:

    >>> require_labels(["maybe"], [Head("", ("no", "yes"), "softmax")])
    Traceback (most recent call last):
    leaf_files.errors.UserError: --ignore must name labels of the model, no, yes; ...
    """
    known = {label for head in heads for label in head.labels}
    for label in labels:
        if label not in known:
            raise UserError(
                f"--ignore must name labels of the model, {', '.join(sorted(known))}; "
                f"received {label}"
            )
    return labels
