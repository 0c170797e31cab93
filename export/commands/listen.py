"""`python -m export listen ARTIFACT FILE_OR_-`."""

import dataclasses
import functools
import json
import math
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from export.commands.listening import listen_parser
from export.commands.saying import say
from export.contract.heads import Head
from export.contract.layout import as_reported
from export.runners.beside import note_beside
from export.runners.detecting import Detector, require_labels
from export.runners.finding import find_stream
from export.runners.integrity import require_intact
from export.runners.streams import open_stream
from export.tflite_format.stream_facts import StreamFacts
from leaf_files.command_line import Parser
from leaf_files.errors import UserError
from leaf_files.oddities import warn_of
from leaf_files.sound import file_blocks, in_chunks, raw_blocks

_STDIN = "-"


def main(argv: list[str], parser: Parser | None = None) -> None:
    """Runs the command; see `export.commands.listening` for its options.

    Args:
        argv: The arguments.
        parser: What reads them; by default `listen_parser`.

    Example:

    >>> main(["artifacts", "clip.wav", "--threshold", "0.01"])
    0.10 s  ...
    """
    arguments = (parser or listen_parser()).parse_args(argv)
    path = as_reported(find_stream(arguments.artifact))
    require_intact(path)
    runner = open_stream(path)
    heads = _read_heads(path, runner)
    line = note_beside(path, runner.own_words())
    if line:
        say("listen", "note", line)
    facts = runner.facts
    window = facts.window_samples / facts.sample_rate
    refractory = window if arguments.refractory is None else arguments.refractory
    detector = Detector(
        heads,
        facts.chunk_samples / facts.sample_rate,
        arguments.smoothing,
        arguments.threshold,
        refractory,
        require_labels(arguments.ignore, heads),
    )
    show = _Printer(heads, arguments)
    chunks = in_chunks(_blocks(arguments, facts), facts.chunk_samples)
    watch = _Watch()
    try:
        for chunk in _with_silence(chunks, facts):
            with watch:
                detections = detector.hear(runner.hear(chunk))
            show.chunk(detector, detections)
    finally:
        # Ctrl-C is the way to stop listening.
        if detector.seconds and not isinstance(sys.exc_info()[1], BrokenPipeError):
            show.end(detector, watch.seconds)


def _read_heads(path: Path, runner: Any) -> tuple[Head, ...]:
    """The heads of a streaming file, from its words about itself.

    Raises:
        UserError: It lacks labels for its classes.
    """
    words = runner.own_words()
    if words.n_classes != runner.n_classes:
        raise UserError(
            f"{path} holds other labels than it has classes; export it again"
        )
    return words.heads


def _with_silence(
    chunks: Iterable[np.ndarray], facts: StreamFacts
) -> Iterator[np.ndarray]:
    """Chunks of a sound, the last one filled up, and silence until all is answered.

    Args:
        chunks: (chunk_samples,) each, the last one may be shorter.
        facts: Facts of the streaming file.

    Yields:
        (chunk_samples,), float32.
    """
    missing = facts.delay_hops * facts.hop_samples
    for chunk in chunks:
        silence = facts.chunk_samples - chunk.size
        missing -= silence
        yield np.pad(chunk, (0, silence)) if silence else chunk
    while missing > 0:
        missing -= facts.chunk_samples
        yield np.zeros(facts.chunk_samples, np.float32)


class _Watch:
    """Adds up the time that is spent inside."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self):
        self._start = time.perf_counter()

    def __exit__(self, *exception):
        self.seconds += time.perf_counter() - self._start


class _Printer:
    """Prints lines for people, or JSON lines."""

    def __init__(self, heads, arguments):
        self._heads = heads
        self._as_json, self._with_scores = arguments.json, arguments.scores
        self._threshold, self._smoothing = arguments.threshold, arguments.smoothing
        self._width = max(len(label) for head in heads for label in head.labels)

    def chunk(self, detector, detections):
        """Prints the results of a chunk."""
        if self._with_scores:
            self._scores(detector)
        for detection in detections:
            if self._as_json:
                content = dataclasses.asdict(detection)
                self._line({"event": "detection", **_rounded(content)})
            else:
                head = f"{detection.head}: " * bool(detection.head)
                label = f"{detection.label:<{self._width}}"
                score = f"{detection.score:.4f}"
                print(
                    f"{detection.seconds:9.2f} s  {head}{label}  {score}",
                    flush=True,
                )

    def _scores(self, detector):
        for head in self._heads:
            scores = detector.scores[head.name]
            if self._as_json:
                pairs = {
                    label: float(p)
                    for label, p in zip(head.labels, scores, strict=True)
                }
                content = {"seconds": detector.seconds, "head": head.name}
                self._line({"event": "scores", **_rounded(content), "scores": pairs})
            else:
                top = int(np.argmax(scores))
                name = f"{head.name}: " * bool(head.name)
                print(
                    f"{detector.seconds:9.2f} s  ({name}{head.labels[top]} "
                    f"{scores[top]:.4f})",
                    flush=True,
                )

    def end(self, detector, computing):
        """Prints the time it took, and the best score of heads without detections."""
        seconds = detector.seconds
        factor = computing / seconds
        if self._as_json:
            self._line(
                {
                    "event": "end",
                    "seconds": round(seconds, 3),
                    "computing_seconds": round(computing, 6),
                    "real_time_factor": round(factor, 7),
                    "threshold": self._threshold or self._thresholds(detector),
                    "heads": [self._result(head, detector) for head in self._heads],
                }
            )
            return
        for head in self._heads:
            if not detector.n_detections[head.name]:
                self._say(self._nothing(head, detector))
        self._say(
            f"{seconds:.2f} s heard in {computing:.3f} s of computing: real-time "
            f"factor {factor:.5f}"
        )

    def _thresholds(self, detector):
        """The one threshold of all labels; {head: {label: its own}} of different ones.

        Labels of the background have None.
        """
        levels = [float(x) for of_head in detector.levels.values() for x in of_head]
        if len(set(levels)) == 1:
            return levels[0]
        return {
            head.name: {
                label: float(level) if math.isfinite(level) else None
                for label, level in zip(head.labels, detector.levels[head.name])
            }
            for head in self._heads
        }

    def _result(self, head, detector):
        """The number of a head's detections, and its highest score, for JSON."""
        best = detector.best.get(head.name)
        content = _rounded(dataclasses.asdict(best)) if best else None
        if content:
            del content["head"]
        return {
            "head": head.name,
            "detections": detector.n_detections[head.name],
            "best": content,
        }

    def _nothing(self, head, detector):
        """A line on a head that detected nothing, and on what to do."""
        of = f" of {head.name}" * bool(head.name)
        best = detector.best.get(head.name)
        if best is None:
            return (
                f"nothing{of} detected: only ignored labels were ever the highest, or "
                "no score was a number; --scores prints the highest of each chunk"
            )
        threshold = detector.levels[head.name][head.labels.index(best.label)]
        line = (
            f"nothing{of} reached the threshold {threshold:g}; the best was "
            f"{best.label}, {best.score:.4f} at {best.seconds:.2f} s"
        )
        # Rounded down, or it would not be reached.
        lower = math.floor(best.score * 100) / 100
        if lower > 0:
            line += f"; --threshold {lower:g} detects it"
        peak = detector.peaks[head.name]
        if peak >= threshold:
            line += (
                f", and so does --smoothing 0: averaged over {self._smoothing:g} s, a "
                f"probability of {peak:.4f} came to less"
            )
        return line

    def _say(self, line):
        print(line, file=sys.stderr, flush=True)

    def _line(self, content):
        print(json.dumps(content), flush=True)


def _rounded(content):
    return {**content, "seconds": round(content["seconds"], 6)}


def _blocks(arguments, facts):
    if arguments.sound == _STDIN:
        if sys.stdin is None:  # closed, as under some services
            raise UserError("- reads raw samples from a pipe, and stdin is closed")
        if sys.stdin.isatty():
            raise UserError(
                "- reads raw samples from a pipe, and stdin is a terminal; pipe 16 bit "
                f"mono of {facts.sample_rate} Hz into it, e.g. arecord -q -t raw -f "
                f"S16_LE -c 1 -r {facts.sample_rate}"
            )
        return raw_blocks(sys.stdin.buffer, facts.chunk_samples, "stdin")
    if arguments.raw:
        return _raw_file(arguments.sound, facts.chunk_samples)
    tell = functools.partial(warn_of, arguments.sound)
    return file_blocks(arguments.sound, facts.sample_rate, tell)


def _raw_file(path, samples):
    with open(path, "rb") as file:
        yield from raw_blocks(file, samples, path)
