"""Plans that were made before: those of common settings, and those kept on a disk."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import uuid
from pathlib import Path

import numpy as np

from leaf_tf.dsp.multirate import errors, limits, planner, statistics, taps
from leaf_tf.dsp.multirate import plan as plans
from leaf_tf.dsp.multirate.plan import Plan, exact_plan
from leaf_tf.dsp.multirate.planner import plan_multirate
from leaf_tf.dsp.multirate.statistics import Values

# Written by `python -m benchmarks plans`.
SHIPPED = Path(__file__).with_name("plans.json")
# A plan is good for filters that differ from its own in the last digits.
_ALIKE = 1e-5


def find_plan(
    center_freqs: Values,
    sigmas: Values,
    pooling_widths: Values,
    kernel_size: int,
    pool_size: int,
    strides: int,
    tolerance: float,
    folder: Path | None = None,
) -> Plan:
    """A plan as `plan_multirate` makes it, which isn't made again if it is known.

    Args:
        center_freqs, sigmas, pooling_widths: (n_filters,), see `plan_multirate`.
        kernel_size, pool_size, strides, tolerance: The same.
        folder: Where plans are kept. None: nowhere. What can't be read there is made
            again, what can't be written is not kept.

    Returns:
        `Plan`, of these filters.

    Raises:
        ValueError: Argument out of range.

    Example:
        >>> kept = Path("kept")
        >>> settings = [0.1, 0.9], [60.0, 8.0], [0.4, 0.4], 401, 401, 160, 3e-4
        >>> plan = find_plan(*settings, kept)
        >>> len(list(kept.iterdir())), find_plan(*settings, kept) == plan
        (1, True)
    """
    bank = center_freqs, sigmas, pooling_widths
    sizes = kernel_size, pool_size, strides
    # A plan but for its groups.
    wanted = dataclasses.replace(
        exact_plan(*bank, *sizes), groups=(), tolerance=tolerance
    )
    for shipped in shipped_plans():
        if _is_alike(shipped, wanted):
            return dataclasses.replace(wanted, groups=shipped.groups)
    if folder is None:
        return plan_multirate(*bank, *sizes, tolerance)
    # The name tells which planner made it, the file of what. Whatever is wrong with
    # either, the plan is made again.
    file = folder / f"{_name(wanted)}.json"
    with contextlib.suppress(Exception):
        plan = Plan.from_config(json.loads(file.read_text()))
        if dataclasses.replace(plan, groups=()) == wanted:
            return plan
    plan = plan_multirate(*bank, *sizes, tolerance)
    with contextlib.suppress(OSError):
        _write(file, json.dumps(plan.get_config()))
    return plan


@functools.cache
def shipped_plans() -> tuple[Plan, ...]:
    """Plans that come with the package: common filterbanks as they start.

    Example:
        >>> any(plan.n_filters == 64 for plan in shipped_plans())
        True
    """
    configs = json.loads(SHIPPED.read_text())
    return tuple(Plan.from_config(config) for config in configs.values())


def _write(file, text):
    """Writes a file, whole or not at all; two processes may do so at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    try:
        beside.write_text(text)
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)


def _is_alike(plan, wanted):
    """Whether a plan's filters are those wanted, but for the last digits."""
    sizes, others = (
        (p.n_filters, p.kernel_size, p.pool_size, p.strides, p.tolerance)
        for p in (plan, wanted)
    )
    bank, known = ((p.center_freqs, p.sigmas, p.pooling_widths) for p in (wanted, plan))
    return sizes == others and bool(np.allclose(bank, known, rtol=_ALIKE, atol=0.0))


def _name(wanted):
    """Name of what `find_plan` keeps: of the settings, and of what makes plans."""
    text = json.dumps(wanted.get_config()) + _planner()
    return f"plan-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


@functools.cache
def _planner():
    """A hash of the code that makes plans: another one makes other plans."""
    modules = (errors, limits, planner, plans, statistics, taps)
    texts = [Path(str(module.__file__)).read_bytes() for module in modules]
    return hashlib.sha256(b"".join(texts)).hexdigest()
