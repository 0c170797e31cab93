"""A filterbank's energies at few samples: the plan of it, and how it is run."""

from leaf_tf.dsp.multirate.energies import pooled_energies
from leaf_tf.dsp.multirate.plan import (
    Group,
    Plan,
    allowed_errors,
    exact_plan,
    interpolation,
    lanes,
)
from leaf_tf.dsp.multirate.planner import TOLERANCE, plan_multirate

__all__ = [
    "TOLERANCE",
    "Group",
    "Plan",
    "allowed_errors",
    "exact_plan",
    "interpolation",
    "lanes",
    "plan_multirate",
    "pooled_energies",
]
