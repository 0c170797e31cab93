"""A model whose own probabilities are the calibrated ones."""

import dataclasses
from typing import Any

from export.contract.heads import Head
from export.source.opening import Source
from leaf_files.quiet import import_keras
from leaf_files.run_folder import SIGMOID

_TINY = 1e-30  # a probability of 0 must not become -inf


def calibrated(source: Source) -> Source:
    """The model with the temperature of each head in its graph.

    All files then give calibrated probabilities by themselves, whatever runs them, and
    say a temperature of 1.

    Args:
        source: The model.

    Example:

    >>> calibrated(source).heads[0].decisions.temperature
    1.0
    """
    heads = tuple(map(_with_temperature_inside, source.heads))
    if heads == source.heads:
        return source
    outputs = {
        head.name: _divided(head, source.model.output[head.name])
        for head in source.heads
    }
    model = import_keras().Model(source.model.input, outputs)
    return dataclasses.replace(source, model=model, heads=heads)


def _with_temperature_inside(head: Head) -> Head:
    decisions = head.decisions
    if decisions.temperature == 1.0:
        return head
    chosen_by = {**decisions.chosen_by, "temperature_in_graph": decisions.temperature}
    return dataclasses.replace(
        head,
        decisions=dataclasses.replace(decisions, temperature=1.0, chosen_by=chosen_by),
    )


def _divided(head: Head, output: Any) -> Any:
    """A head's output whose logits are divided by its temperature."""
    ops = import_keras().ops
    factor = 1.0 / head.decisions.temperature
    if factor == 1.0:
        return output
    if head.gives_logits:
        return output * factor
    log = ops.log(ops.maximum(output, _TINY))
    if head.activation != SIGMOID:
        return ops.softmax(log * factor)
    return ops.sigmoid((log - ops.log(ops.maximum(1.0 - output, _TINY))) * factor)
