"""Errors of a plan, predicted from the statistics of filtered noise before it runs."""

import functools

import numpy as np

from leaf_tf.dsp.multirate.plan import Group, Plan
from leaf_tf.dsp.multirate.statistics import BankStatistics, Values

# Relative error allowed on top of the tolerance, times the height of a Gaussian where
# its window cuts it, for input outside the filter's band.
_LEAKAGE = 0.06
# Error allowed in the first and last frames, in tolerances.
_AT_THE_ENDS = 7.0


def plan_statistics(
    plan: Plan, center_freqs: Values, sigmas: Values, pooling_widths: Values
) -> BankStatistics:
    """Statistics of filters over the energies that enter one frame of a plan.

    Args:
        plan: `Plan`, of which the sizes are taken.
        center_freqs, sigmas, pooling_widths: (n_filters,), the filters.

    Example:
        >>> from leaf_tf.dsp.multirate import exact_plan
        >>> bank = [0.5], [20.0], [0.4]
        >>> plan_statistics(exact_plan(*bank, 401, 401, 160), *bank).lowpasses.shape
        (2, 1, 401)
    """
    return _statistics(
        tuple(center_freqs),
        tuple(sigmas),
        tuple(pooling_widths),
        plan.kernel_size,
        plan.pool_size,
        plan.hops * plan.strides,
    )


# Each group of a plan, and each check of it, asks for those of the same filters. They
# take some MB each.
_statistics = functools.lru_cache(maxsize=4)(BankStatistics)


@functools.lru_cache(maxsize=256)
def interpolation(plan: Plan, group: Group) -> np.ndarray:
    """Matrix from a pooling window to weights of a group's energies.

    Args:
        plan: `Plan`.
        group: `Group` of it.

    Returns:
        (energies a frame, pool_size), float64; for stride 1 it only places the window.

    Example:
        >>> from leaf_tf.dsp.multirate import plan_multirate
        >>> plan = plan_multirate([0.5], [20.0], [0.4])
        >>> plan.groups[0].stride, interpolation(plan, plan.groups[0]).shape
        (16, (30, 401))
    """
    positions = plan.positions(group)
    # Nothing to estimate: every energy is there.
    if group.stride == 1:
        return (np.arange(plan.pool_size) == positions[:, None]).astype(np.float64)
    # For the filters that the plan was made for: a constant, whatever is learned.
    statistics = plan_statistics(
        plan, plan.center_freqs, plan.sigmas, plan.pooling_widths
    )
    return _computed(statistics, group).interpolation(positions)


def predicted_errors(
    plan: Plan,
    center_freqs: Values | None = None,
    sigmas: Values | None = None,
    pooling_widths: Values | None = None,
) -> np.ndarray:
    """Relative RMS errors of the pooled energies that a plan computes.

    Args:
        plan: `Plan`.
        center_freqs, sigmas, pooling_widths: (n_filters,), the filters to run
            by this plan. Default to those it was made for.

    Returns:
        (4, n_filters): on white noise; on noise that is 20 dB stronger outside each
        filter's band than in it, which shows what leaks into a quiet band; on white
        noise at the ends of a clip, where half the pooling window is outside; at
        onsets, where energies rise by 40 dB over the window.

    Example:
        >>> from leaf_tf.dsp.multirate import exact_plan
        >>> plan = exact_plan([0.5, 1.0], [20.0, 10.0], [0.4, 0.4], 401, 401, 160)
        >>> bool(predicted_errors(plan).max() < 1e-6)
        True
    """
    statistics = plan_statistics(
        plan,
        plan.center_freqs if center_freqs is None else center_freqs,
        plan.sigmas if sigmas is None else sigmas,
        plan.pooling_widths if pooling_widths is None else pooling_widths,
    )
    errors = np.empty((4, plan.n_filters))
    for group in plan.groups:
        filters = np.array(group.filters)
        weights = statistics.lowpasses[:, filters] @ interpolation(plan, group).T
        errors[:, filters] = _computed(statistics, group).relative_errors(
            plan.positions(group), weights
        )
    return errors


def _computed(statistics, group):
    """`ComputedEnergies` of a group."""
    filters = np.array(group.filters)
    return statistics.computed(filters, group.rate, group.stride, group.half_length)


def allowed_errors(sigmas: Values, kernel_size: int, tolerance: float) -> np.ndarray:
    """Largest `predicted_errors` that a plan may have.

    The tolerance on white noise. A filter longer than its window is cut where it is
    still high. Its response far from its band takes the full rate to compute, so a
    part of the cut's height is allowed on top. The first and the last frame of a clip
    are allowed more.

    Args:
        sigmas: (n_filters,), samples.
        kernel_size: Samples in a filter.
        tolerance: Relative RMS error on white noise.

    Returns:
        (4, n_filters), in the order of `predicted_errors`.

    Example:
        >>> allowed_errors([20.0], 401, 3e-4).ravel()
        array([0.0003, 0.0003, 0.0021, 0.0003])
    """
    cut = np.exp(-0.5 * (kernel_size // 2 / np.asarray(sigmas, np.float64)) ** 2)
    parts = np.array([1.0, 1.0, _AT_THE_ENDS, 1.0])
    leaks = np.array([0.0, 1.0, 1.0, 1.0]) * _LEAKAGE
    return parts[:, None] * tolerance + leaks[:, None] * cut


def holds(
    plan: Plan,
    center_freqs: Values,
    sigmas: Values,
    pooling_widths: Values,
    slack: float = 2.0,
) -> bool:
    """Whether a plan still suits filters that training moved.

    Args:
        plan: `Plan`.
        center_freqs, sigmas, pooling_widths: (n_filters,), the filters now.
        slack: Errors that are accepted, relative to those that are allowed.

    Returns:
        Whether all predicted errors are at most `slack` times `allowed_errors`.

    Example:
        >>> from leaf_tf.dsp.multirate import plan_multirate
        >>> plan = plan_multirate([0.5], [20.0], [0.4])
        >>> holds(plan, [0.5], [20.0], [0.4]), holds(plan, [0.5], [10.0], [0.4])
        (True, False)
    """
    errors = predicted_errors(plan, center_freqs, sigmas, pooling_widths)
    allowed = allowed_errors(sigmas, plan.kernel_size, plan.tolerance)
    return bool(np.all(errors <= slack * allowed))
