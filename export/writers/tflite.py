"""Makes TFLite files of builtin operators, of the whole model and of its parts."""

import contextlib
import functools
from pathlib import Path

import numpy as np

from export.contract.layout import FEATURES, INPUT
from export.source.opening import Source
from export.source.stages import inner
from export.tflite_format.graph_edits import guard_outputs, keep_outputs, name_parts
from export.tflite_format.metadata import Metadata, Output, add_metadata, append_labels
from export.tflite_format.model import outputs_of, read_model, write_model
from export.tflite_format.score_units import score_units
from export.tflite_format.words import add_words
from export.writers.converting import convert
from export.writers.quantization import to_dynamic, to_float16, to_int8
from export.writers.serving import serving_function
from export.writers.words import made_by, words_of_source
from leaf_files.errors import UserError


class TFLiteFiles:
    """The TFLite files of a model for one window, (1, window_samples).

    Each method returns the bytes of a file, with metadata and labels inside. Weights,
    and all that is computed from them alone, are constants in it. Its outputs are NaN
    for a waveform that is no sound (see `graph_edits.guard_outputs`). A model is
    converted once for all float32 files and once for all smaller ones, whose frontend
    has kernels of half the size (see `leaf_tf.dsp.multirate.Plan.compact`).

    Args:
        source: The model.

    Attributes:
        inner: {"features", "embeddings": KerasTensor}, those that the model has.

    Raises:
        UserError: The methods raise it for an operator that is not among TFLite's own.
            It is never replaced by a select-TF one, which phones and browsers lack.

    Example:

    >>> sorted(TFLiteFiles(source).inner)
    ['embeddings', 'features']
    """

    def __init__(self, source: Source):
        self._source = source
        self.inner = inner(source.model)

    def float32(self) -> bytes:
        """waveform -> the probabilities of each head."""
        return self._file(read_model(self._converted), head_outputs(self._source))

    def float16(self) -> bytes:
        """`float32` with weights of float16."""
        return self._file(to_float16(self._small()), head_outputs(self._source))

    def dynamic(self) -> bytes:
        """`float32` with int8 weights in the encoder: `export.writers.quantization`."""
        self._require_features()
        return self._file(to_dynamic(self._small()), head_outputs(self._source))

    def int8(self, windows: np.ndarray) -> bytes:
        """`float32` with an encoder in integers, see `export.writers.quantization`.

        Args:
            windows: (n, window_samples), such as the model was trained on.
        """
        self._require_features()
        return self._file(to_int8(self._small(), windows), head_outputs(self._source))

    def int4(self, windows: np.ndarray) -> bytes:
        """`int8` with weights of 4 bits in the encoder; takes `windows` as that does.

        Most models have to be trained for it, see `python -m training quantize`.
        """
        self._require_features()
        model = to_int8(self._small(), windows, weight_bits=4)
        return self._file(model, head_outputs(self._source))

    def part(self, name: str) -> bytes:
        """waveform -> features, or embeddings, in float32.

        Args:
            name: A key of `inner`.
        """
        output = Output(name, f"The {name} inside of {self._source.name}.")
        return self._file(read_model(self._converted), (output,))

    def _require_features(self):
        if FEATURES not in self.inner:
            raise UserError(
                "int8 weights are for what comes after the features, and the model "
                "has no leaf_tf frontend, or several, as a layer of its own; put one "
                "there, or leave dynamic and int8 out of --quantize"
            )

    def _small(self):
        """The model to quantize, its parts named."""
        model = read_model(self._compact)
        features = outputs_of(model).get(FEATURES)
        keep_outputs(model, [head.output for head in self._source.heads])
        name_parts(model, features)
        return model

    @functools.cached_property
    def _converted(self):
        return convert(self._serving_function())

    @functools.cached_property
    def _compact(self):
        with _compact_kernels(self._source.model) as is_other:
            if not is_other:
                return self._converted
            return convert(self._serving_function())

    def _serving_function(self):
        source = self._source
        return serving_function(source, 1, source.window_samples, self.inner)

    def _file(self, model, outputs):
        source = self._source
        seconds = source.window_samples / source.sample_rate
        metadata = Metadata(
            source.name,
            f"{seconds:g} s of waveform to {', '.join(o.name for o in outputs)}; "
            f"made by {made_by()}.",
            source.sample_rate,
            outputs,
        )
        keep_outputs(model, [output.name for output in outputs])
        guard_outputs(model, INPUT)
        add_metadata(model, metadata)
        is_whole = any(output.labels_file for output in outputs)
        add_words(model, words_of_source(source, is_whole))
        return append_labels(write_model(model), metadata)


def head_outputs(source: Source) -> tuple[Output, ...]:
    """Descriptions of the outputs of a model's heads.

    Example:

    >>> [output.description for output in head_outputs(source)]
    ['Probabilities of 4 labels, softmax.']
    """
    return tuple(
        Output(
            head.output,
            f"Probabilities of {len(head.labels)} labels, {head.activation}.",
            head.labels_file,
            head.labels,
            score_units(head),
        )
        for head in source.heads
    )


def write_tflite(source: Source, path: str | Path) -> None:
    """Writes `TFLiteFiles(source).float32()`.

    Args:
        source: The model.
        path: File to write.

    Raises:
        UserError: An operator of the model is not among TFLite's own.
    """
    content = TFLiteFiles(source).float32()
    with open(path, "wb") as file:
        file.write(content)


@contextlib.contextmanager
def _compact_kernels(model):
    """Lets frontends compute by the compact forms of their plans.

    Args:
        model: Keras model.

    Yields:
        Whether any of these plans differs from the one it stands for.
    """
    from leaf_tf.frontends.base import frontends_of

    plans = {
        frontend: plan
        for frontend in frontends_of(model)
        if (plan := frontend.plan) is not None
    }
    try:
        for frontend, plan in plans.items():
            frontend.adopt_plan(plan.compact())
        yield any(plan.compact() != plan for plan in plans.values())
    finally:
        for frontend, plan in plans.items():
            frontend.adopt_plan(plan)
