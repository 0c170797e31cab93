"""From the probabilities of each chunk of a stream to detections."""

import collections
import dataclasses

import numpy as np

from export.contract.heads import SOFTMAX


@dataclasses.dataclass(frozen=True)
class Detection:
    """A label that was heard.

    Attributes:
        seconds: How much of the stream had been heard.
        head: Name of the head, "" of the only one.
        label: Its label.
        score: The label's smoothed probability.
    """

    seconds: float
    head: str
    label: str
    score: float


class Detector:
    """Finds labels in a stream of probabilities.

    A label's score is its probability, averaged over the last chunks; before the
    stream it was 0. A label is detected when its score reaches the threshold, of a
    softmax head only the label of the highest score; and not again within the
    refractory time.

    Args:
        heads: `export.contract.heads.Head`s.
        chunk_seconds: Length of a chunk.
        smoothing: Seconds to average over, rounded to chunks, one at least.
        threshold: In (0, 1].
        refractory: Seconds.
        ignored: Labels that are never detected, such as that of silence.

    Attributes:
        seconds: How much has been heard.
        scores: {head: (classes,)}, the smoothed probabilities.
        n_detections: {head: how many there were}.
        best: {head: `Detection` of the highest score so far}, of the labels that can
            be detected; without heads whose scores are no numbers.
        peaks: {head: highest probability of any of these labels, not smoothed}.
    """

    def __init__(
        self, heads, chunk_seconds, smoothing, threshold, refractory, ignored=()
    ):
        self._heads = heads
        self._chunk_seconds = chunk_seconds
        self._threshold, self._refractory = threshold, refractory
        self._ignored = frozenset(ignored)
        self._allowed = {
            head.name: np.array([label not in self._ignored for label in head.labels])
            for head in heads
        }
        self._n_averaged = max(1, round(smoothing / chunk_seconds))
        self._recent = collections.deque(maxlen=self._n_averaged)
        self._n_chunks = 0
        self._last = {}
        self.scores = {}
        self.n_detections = {head.name: 0 for head in heads}
        self.best: dict = {}
        self.peaks: dict = {}

    @property
    def seconds(self):
        # Counted, not added up: no rounding adds up over days.
        return self._n_chunks * self._chunk_seconds

    def hear(self, probabilities):
        """What the next chunk brings.

        Args:
            probabilities: {head: (classes,)}.

        Returns:
            List of `Detection`.
        """
        self._n_chunks += 1
        self._recent.append(probabilities)
        detections = []
        for head in self._heads:
            heard = [answer[head.name] for answer in self._recent]
            scores = np.sum(heard, axis=0, dtype=np.float64) / self._n_averaged
            self.scores[head.name] = scores
            found = self._detected(head, scores)
            self.n_detections[head.name] += len(found)
            detections += found
            self._remember(head, scores, probabilities[head.name])
        return detections

    def _remember(self, head, scores, probabilities):
        """Keeps the highest score, and the highest probability."""
        best = self._highest(head, scores)
        if best is not None:
            known = self.best.get(head.name)
            # Not `<=`: the first of equal ones; and NaN is above nothing.
            if known is None or scores[best] > known.score:
                label, score = head.labels[best], float(scores[best])
                self.best[head.name] = Detection(self.seconds, head.name, label, score)
        peak = self._highest(head, probabilities)
        if peak is not None:
            known = self.peaks.get(head.name, 0.0)
            self.peaks[head.name] = max(known, float(probabilities[peak]))

    def _highest(self, head, scores):
        """The place of the highest score that can be detected, or None."""
        allowed = self._allowed[head.name]
        if head.activation == SOFTMAX:
            place = np.argmax(scores)
            return place if allowed[place] and np.isfinite(scores[place]) else None
        known = np.where(allowed & np.isfinite(scores), scores, -1.0)
        place = np.argmax(known)
        return place if known[place] >= 0 else None

    def _detected(self, head, scores):
        places = np.flatnonzero(scores >= self._threshold)
        if head.activation == SOFTMAX:
            places = [place for place in places if place == np.argmax(scores)]
        found = []
        for place in places:
            label = head.labels[place]
            last = self._last.get((head.name, place), -np.inf)
            # The last bit aside: 1.0 s after 0.3 s is after 1.0 s.
            if self.seconds - last < self._refractory - 1e-6 or label in self._ignored:
                continue
            self._last[head.name, place] = self.seconds
            found.append(
                Detection(self.seconds, head.name, label, float(scores[place]))
            )
        return found
