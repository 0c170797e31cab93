"""`python -m export listen ARTIFACT FILE_OR_-`."""

import dataclasses
import functools
import json
import sys
import time
from pathlib import Path

import numpy as np

from export.arguments import listen_parser
from export.detecting import Detector
from export.heads import Head
from export.intact import parsing, require_intact
from export.layout import STREAMING
from export.metadata import read_metadata
from export.stream_runner import StreamRunner
from files.errors import UserError
from files.oddities import warn_of
from files.sound import file_blocks, in_chunks, raw_blocks

_STDIN = "-"


def main(argv):
    """Runs the command; see `export.arguments` for what it takes."""
    arguments = listen_parser().parse_args(argv)
    path = _streaming_file(Path(arguments.artifact))
    require_intact(path)
    runner = StreamRunner(path)
    heads = read_heads(path, runner)
    facts = runner.facts
    window = facts.window_samples / facts.sample_rate
    refractory = window if arguments.refractory is None else arguments.refractory
    detector = Detector(
        heads,
        facts.chunk_samples / facts.sample_rate,
        arguments.smoothing,
        arguments.threshold,
        refractory,
        _known(arguments.ignore, heads),
    )
    show = _Printer(heads, arguments.json, arguments.scores)
    chunks = in_chunks(_blocks(arguments, facts), facts.chunk_samples)
    watch = _Watch()
    try:
        for chunk in with_silence(chunks, facts):
            with watch:
                detections = detector.hear(runner.hear(chunk))
            show.chunk(detector, detections)
    finally:
        # Ctrl-C is how one stops to listen.
        if detector.seconds and not isinstance(sys.exc_info()[1], BrokenPipeError):
            show.end(detector.seconds, watch.seconds)


def read_heads(path, runner):
    """The `Head`s of a streaming file, from its metadata.

    Raises:
        UserError: It lacks labels for its classes.
    """
    with open(path, "rb") as file, parsing(path):
        metadata = read_metadata(file.read())
        labels = {output.name: output.labels for output in metadata.outputs}
    heads = tuple(
        Head(name, labels.get(Head(name, (), "").output, ()), activation)
        for name, activation in runner.facts.activations.items()
    )
    if {head.name: len(head.labels) for head in heads} != runner.n_classes:
        raise UserError(
            f"{path} holds other labels than it has classes; export it again"
        )
    return heads


def with_silence(chunks, facts):
    """Chunks of a sound, the last one filled up, and silence until all is answered.

    Args:
        chunks: Iterable of (chunk_samples,), the last one may be shorter.
        facts: `StreamFacts`.

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
    """Adds up the time of what is done inside."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self):
        self._start = time.perf_counter()

    def __exit__(self, *exception):
        self.seconds += time.perf_counter() - self._start


class _Printer:
    """Prints lines for people, or JSON lines."""

    def __init__(self, heads, as_json, with_scores):
        self._heads, self._as_json, self._with_scores = heads, as_json, with_scores
        self._width = max(len(label) for head in heads for label in head.labels)

    def chunk(self, detector, detections):
        """Prints what a chunk brought."""
        if self._with_scores:
            self._scores(detector)
        for found in detections:
            if self._as_json:
                content = dataclasses.asdict(found)
                self._line({"event": "detection", **_rounded(content)})
            else:
                head = f"{found.head}: " * bool(found.head)
                label = f"{found.label:<{self._width}}"
                print(
                    f"{found.seconds:9.2f} s  {head}{label}  {found.score:.4f}",
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

    def end(self, seconds, computing):
        """Prints how long it took."""
        factor = computing / seconds
        if self._as_json:
            self._line(
                {
                    "event": "end",
                    "seconds": round(seconds, 3),
                    "computing_seconds": round(computing, 6),
                    "real_time_factor": round(factor, 7),
                }
            )
        else:
            print(
                f"{seconds:.2f} s heard in {computing:.3f} s of computing: real-time "
                f"factor {factor:.5f}",
                file=sys.stderr,
                flush=True,
            )

    def _line(self, content):
        print(json.dumps(content), flush=True)


def _rounded(content):
    return {**content, "seconds": round(content["seconds"], 6)}


def _streaming_file(path):
    if path.is_dir():
        inside = path / STREAMING
        if not inside.is_file():
            raise UserError(
                f"{path} holds no {STREAMING}; python -m export RUN --output DIR "
                "--streaming writes one"
            )
        return inside
    if not path.is_file():
        raise UserError(
            f"there is no {path}; name a {STREAMING} or the folder that holds it"
        )
    return path


def _known(labels, heads):
    known = {label for head in heads for label in head.labels}
    for label in labels:
        if label not in known:
            raise UserError(
                f"--ignore must name labels of the model, {', '.join(sorted(known))}; "
                f"received {label}"
            )
    return labels


def _blocks(arguments, facts):
    if arguments.sound == _STDIN:
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
