"""Decisions as process units of TFLite's metadata, which MediaPipe applies.

Two units act on the scores of an output. The first replaces each score s by
sigmoid(slope * logit(s)), or by 0 below a least score of its label; the second leaves
out labels whose score is below one threshold. What they can't say exactly isn't
written: an app would decide otherwise than `predict` does.

Source: the schema of TFLite metadata, version 1.5.0 (ScoreCalibrationOptions,
ScoreThresholdingOptions).
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from flatbuffers.number_types import Float32Flags, Int8Flags, Uint8Flags
from flatbuffers.table import Table

from export.contract.heads import Head
from export.tflite_format.flat_tables import number, table_in
from leaf_files.run_folder import SIGMOID

# Numbers of fields, and kinds of units.
_UNIT_KIND, _UNIT = 0, 1
_CALIBRATION, _THRESHOLD = 2, 3
_TRANSFORMATION, _DEFAULT_SCORE = 0, 1
_GLOBAL_THRESHOLD = 0
_INVERSE_LOGISTIC = 2

# Of labels that are never decided on: no score reaches it.
_NEVER = 2.0
# From here on, the label that reaches its threshold is the most probable of a softmax.
_MAJORITY = 0.5
# Leaves out the zeros of labels below their least score, and nothing else.
_ABOVE_ZERO = 1e-6


@dataclasses.dataclass(frozen=True)
class ScoreUnits:
    """What MediaPipe does with the scores of an output.

    Attributes:
        threshold: Labels whose score is below it are left out; 0 leaves none out.
        slopes: For each label the factor on its score's logit; () leaves them be.
        least: For each label the score, before that, below which it becomes 0.

    Example:

    >>> ScoreUnits(threshold=0.5).calibrates
    False
    """

    threshold: float = 0.0
    slopes: tuple[float, ...] = ()
    least: tuple[float, ...] = ()

    @property
    def calibrates(self) -> bool:
        """Whether there is a file of the labels' parameters.

        Example:

        >>> ScoreUnits(slopes=(0.5, 0.5), least=(0.0, 0.0)).calibrates
        True
        """
        return bool(self.slopes)


def score_units(head: Head) -> ScoreUnits | None:
    """The units that decide as a head's `Decisions` do; None where none do.

    Exact are: of a sigmoid, everything; of a softmax without a temperature, one
    threshold for all labels, or several of at least 0.5.

    Example:

    >>> from leaf_files.decisions import Decisions
    >>> labels, decisions = ("tit", "wren"), Decisions(none_below=0.75)
    >>> score_units(Head("", labels, "softmax", decisions=decisions)).threshold
    0.75
    >>> warm = Decisions(temperature=2.0, none_below=0.75)
    >>> score_units(Head("", labels, "softmax", decisions=warm)) is None
    True
    """
    decisions = head.decisions
    if decisions.is_identity:
        return None
    is_sigmoid = head.activation == SIGMOID
    temperature = decisions.temperature
    if not decisions.can_refuse:
        return _calibration(head.labels, temperature) if is_sigmoid else None
    default = 0.5 if is_sigmoid and not decisions.none_below else None
    levels = decisions.levels(head.labels, default)
    finite = levels[np.isfinite(levels)]
    is_common = finite.size == levels.size and np.ptp(levels) == 0.0
    is_exact = temperature == 1.0 and (is_common or np.all(finite >= _MAJORITY))
    if not (is_sigmoid or is_exact):
        return None
    threshold = _float32(max(finite.min(initial=1.0), _ABOVE_ZERO))
    if is_common and temperature == 1.0:
        return ScoreUnits(threshold)
    return dataclasses.replace(
        _calibration(head.labels, temperature),
        threshold=threshold,
        least=tuple(_uncalibrated(level, temperature) for level in levels),
    )


def _calibration(labels, temperature):
    return ScoreUnits(
        slopes=(_float32(1.0 / temperature),) * len(labels),
        least=(0.0,) * len(labels),
    )


def _uncalibrated(level, temperature):
    """The probability of the model whose calibrated one is `level`."""
    if not math.isfinite(level):
        return _NEVER
    if level in (0.0, 1.0):
        return float(level)
    odds = temperature * (math.log(level) - math.log1p(-level))
    return _float32(1.0 / (1.0 + math.exp(-odds)))


def _float32(value):
    """The number that the file can hold."""
    return float(np.float32(value))


def unit_fields(units: ScoreUnits) -> list[dict[int, Any]]:
    """The tables of the units, as `export.tflite_format.flat_tables` writes them.

    Example:

    >>> unit_fields(ScoreUnits(threshold=0.5))
    [{0: ('Uint8', 3), 1: {0: ('Float32', 0.5)}}]
    """
    fields: list[dict[int, Any]] = []
    if units.calibrates:
        options = {
            _TRANSFORMATION: ("Int8", _INVERSE_LOGISTIC),
            _DEFAULT_SCORE: ("Float32", 0.0),
        }
        fields.append({_UNIT_KIND: ("Uint8", _CALIBRATION), _UNIT: options})
    if units.threshold:
        threshold = {_GLOBAL_THRESHOLD: ("Float32", units.threshold)}
        fields.append({_UNIT_KIND: ("Uint8", _THRESHOLD), _UNIT: threshold})
    return fields


def read_units(units: Sequence[Table], parameters: Sequence[str]) -> ScoreUnits | None:
    """The `ScoreUnits` in the tables of an output; None if there are none.

    Models of others may have parameters that `ScoreUnits` can't hold; these are
    passed over.

    Args:
        units: Its process units.
        parameters: Lines of its file of parameters; () if it has none.

    Example:

    >>> read_units([], ()) is None
    True
    """
    threshold, rows = 0.0, None
    for unit in units:
        kind, options = number(unit, _UNIT_KIND, Uint8Flags), table_in(unit, _UNIT)
        if kind == _THRESHOLD:
            threshold = number(options, _GLOBAL_THRESHOLD, Float32Flags)
        elif kind == _CALIBRATION:
            transformation = number(options, _TRANSFORMATION, Int8Flags)
            if transformation == _INVERSE_LOGISTIC:
                rows = _rows(parameters)
    if not threshold and not rows:
        return None
    _, slopes, _, least = zip(*rows) if rows else ((),) * 4
    return ScoreUnits(threshold, slopes, least)


def _rows(parameters):
    """The four numbers of each line; None if they are none of ours."""
    try:
        rows = [tuple(map(_float32, line.split(","))) for line in parameters]
    except ValueError:
        return None
    ours = all(len(row) == 4 and row[::2] == (1.0, 0.0) for row in rows)
    return rows if ours else None


def parameters_text(units: ScoreUnits) -> str:
    """The file of the labels' parameters: scale, slope, offset and least score each.

    Example:

    >>> parameters_text(ScoreUnits(slopes=(0.5, 0.5), least=(0.0, 0.75)))
    '1,0.5,0,0\\n1,0.5,0,0.75'
    """
    # Nine digits bring a float32 back as it was; MediaPipe counts an empty last line.
    return "\n".join(
        f"1,{slope:.9g},0,{least:.9g}"
        for slope, least in zip(units.slopes, units.least, strict=True)
    )
