"""Measures artifacts against Keras, and judges them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from export.report.judging import ROUNDING, judge
from export.report.parity import (
    check_tolerance,
    differences,
    keras_part,
    keras_probabilities,
    keras_stream,
    keras_windows_on_stream,
    latency_ms,
    over_heads,
    part_differences,
    points_lost,
)
from export.report.scores import score
from export.source.clips import Clips, describe, thinned
from export.source.deciding import require_probabilities
from export.source.opening import Source
from export.tflite_format.stream_facts import StreamFacts
from leaf_files.errors import UserError

AS_KERAS = "as Keras"

_MAX_PART_WINDOWS = 100
_MAX_STREAM_SECONDS = 60.0
_MAX_MICRO_CLIPS = 150  # by TFLite Micro's plain kernels, tens of ms a chunk


class Measurer:
    """Compares artifacts with Keras on the same clips.

    Args:
        source: The model.
        clips: Clips of each head.
        max_accuracy_drop: Points of its score that an artifact may lose, if it needn't
            answer as Keras does. A greater loss that may be chance is allowed, and
            noted in the report.

    Attributes:
        keras: The scores of Keras, one dict per head.

    Raises:
        UserError: A head's outputs, which were taken for probabilities, are none.

    Example:

    >>> from export.source.clips import synthetic_clips
    >>> Measurer(source, [synthetic_clips(8000, 4000)], max_accuracy_drop=1.0).keras
    [{'accuracy': None}]
    """

    def __init__(
        self, source: Source, clips: Sequence[Clips], max_accuracy_drop: float
    ):
        self._source = source
        self._clips = clips
        self._max_accuracy_drop = max_accuracy_drop
        self._expected = [
            keras_probabilities(source, head_clips.windows)[head.name]
            for head, head_clips in zip(source.heads, clips)
        ]
        for head, answers in zip(source.heads, self._expected):
            require_probabilities(head, answers, source.name, head.name)
        self.keras = [
            score(head, answers, head_clips)
            for head, answers, head_clips in zip(source.heads, self._expected, clips)
        ]

    def measure(self, artifact: Any, maker: Any) -> dict:
        """Measures an artifact, and judges it.

        Args:
            artifact: `export.writers.artifacts.Artifact`.
            maker: Its `export.writers.artifacts.Maker`.

        Returns:
            Entry in the report: differences to Keras, scores, latencies, verdict.

        Raises:
            UserError: It differs from Keras by more than the tolerance, loses too
                much of its score, or answers NaN or infinities.
        """
        if maker.is_micro:
            return self._measure_micro(artifact)
        if maker.is_stream:
            return self._measure_stream(artifact)
        compare = self._compare if maker.part is None else self._compare_part
        window = self._clips[0].windows[:1]
        return self._measured(artifact, compare(artifact, maker), window)

    def _measured(self, artifact, compared, window):
        on_two = artifact.run_on_two
        return {
            "path": artifact.path,
            **artifact.description,
            **compared,
            "latency_ms": latency_ms(artifact.run, window),
            "latency_ms_2_threads": on_two and latency_ms(on_two, window),
        }

    def _compare(self, artifact, maker):
        heads, judgements = [], []
        for head, clips, keras in zip(self._source.heads, self._clips, self._expected):
            answers = artifact.run(clips.windows)[head.name]
            measured = {**differences(answers, keras), **score(head, answers, clips)}
            if not maker.is_exact and math.isfinite(measured["max_difference"]):
                judgement = judge(head, answers, keras, clips, self._max_accuracy_drop)
                judgements += [judgement] if judgement else []
                measured["judgement"] = judgement and judgement.content
            heads.append(measured)
        compared = {
            **over_heads(heads),
            "heads": heads,
            "points_lost": points_lost(heads, self.keras),
        }
        n_windows = describe(self._clips)["n_windows"]
        if maker.is_exact:
            check_tolerance(artifact.path, compared, n_windows)
            return {**compared, "verdict": AS_KERAS}
        verdict, doubt = self._verdict(artifact.path, compared, judgements)
        return {**compared, "verdict": verdict, **({"doubt": doubt} if doubt else {})}

    def _measure_micro(self, artifact):
        """Compares streams of single windows with Keras on the same streams."""
        facts = StreamFacts(**artifact.description["stream"])
        heads, judgements, scores = [], [], []
        for head, all_clips in zip(self._source.heads, self._clips):
            clips = thinned(all_clips, _MAX_MICRO_CLIPS)
            by_head = keras_windows_on_stream(self._source, facts, clips.windows)
            answers, keras = artifact.run(clips.windows)[head.name], by_head[head.name]
            scores.append(score(head, keras, clips))
            measured = {**differences(answers, keras), **score(head, answers, clips)}
            if math.isfinite(measured["max_difference"]):
                judgement = judge(head, answers, keras, clips, self._max_accuracy_drop)
                judgements += [judgement] if judgement else []
                measured["judgement"] = judgement and judgement.content
            heads.append({**measured, "keras": scores[-1]})
        compared = {**over_heads(heads), "heads": heads}
        compared["points_lost"] = points_lost(heads, scores)
        verdict, doubt = self._verdict(artifact.path, compared, judgements)
        window = self._clips[0].windows[:1]
        n_chunks = -(
            -(window.size + facts.delay_hops * facts.hop_samples) // facts.chunk_samples
        )
        latency = latency_ms(artifact.run, window) / n_chunks
        return {
            "path": artifact.path,
            **artifact.description,
            **compared,
            "verdict": verdict,
            **({"doubt": doubt} if doubt else {}),
            "latency_ms": latency,
            "latency_ms_2_threads": None,
            "n_chunks": n_chunks * sum(len(c.windows) for c in self._clips),
            "real_time_factor": latency / facts.chunk_ms,
        }

    def _verdict(self, path, compared, judgements):
        """A few words, and a sentence on a loss that may be chance."""
        if not math.isfinite(compared["max_difference"]):
            raise UserError(f"{path} answers what is no number")
        lost, allowed = compared["points_lost"], self._max_accuracy_drop
        if lost is None:
            return "not judged: no clip has labels", ""
        losing = [j for j in judgements if j.loses_more_than(allowed)]
        if losing:
            worst = max(losing, key=lambda judgement: judgement.points)
            raise UserError(
                f"{path} loses {worst.points:.1f} points of accuracy on "
                f"{worst.evidence}; at most {allowed:g} may be lost "
                "(--max-accuracy-drop)"
            )
        doubts = [doubt for j in judgements if (doubt := j.doubt(allowed))]
        verdict = f"loses {lost:.1f} points" if lost > ROUNDING else "loses nothing"
        if doubts:
            return f"{verdict}, may be chance", "; ".join(doubts)
        return verdict, ""

    def _compare_part(self, artifact, maker):
        windows = self._clips[0].windows[:_MAX_PART_WINDOWS]
        keras = keras_part(self._source, maker.part, windows)
        compared = part_differences(artifact.run(windows)[maker.part], keras)
        check_tolerance(
            artifact.path, compared, len(windows), " of the largest of its values"
        )
        return {**compared, "shape": list(keras.shape[1:]), "verdict": AS_KERAS}

    def _measure_stream(self, artifact):
        """Measures on the windows of the first head's clips, one after the other."""
        facts = StreamFacts(**artifact.description["stream"])
        waveform = self._clips[0].windows.reshape(-1)
        n_chunks = int(_MAX_STREAM_SECONDS * facts.sample_rate / facts.chunk_samples)
        n_chunks = max(1, min(n_chunks, waveform.size // facts.chunk_samples))
        samples = n_chunks * facts.chunk_samples
        waveform = np.pad(waveform, (0, max(0, samples - waveform.size)))[:samples]
        chunks = waveform.reshape(n_chunks, facts.chunk_samples)
        keras = keras_stream(self._source, facts, waveform)
        answers = artifact.run(chunks)
        compared = over_heads(
            [
                differences(answers[head.name], keras[head.name])
                for head in self._source.heads
            ]
        )
        check_tolerance(artifact.path, compared, n_chunks, " in probability", "chunks")
        measured = self._measured(
            artifact, {**compared, "verdict": AS_KERAS}, chunks[:1]
        )
        real_time_factor = measured["latency_ms"] / facts.chunk_ms
        return {**measured, "n_chunks": n_chunks, "real_time_factor": real_time_factor}
