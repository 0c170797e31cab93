"""Pooled energies of Gabor filters at the cost of log-mel: a plan, and how it is run.

LEAF computes the energy of every filter at every sample and then keeps one pooled
frame in 160. An energy varies no faster than its filter's band is wide, so few
samples of it carry it all. A plan puts the filters into groups, each with

- a rate: filters of low frequency run behind a decimator, at 1 / rate;
- a stride: energies are computed at every stride-th sample only;
- taps: a Gaussian ends where it is negligible.

Frames are weighted sums of the energies. The weights are those of the pooling window,
interpolated with the least error from all samples to those computed. The error of all
of this is predicted beforehand, from the statistics of filtered noise.

The plan of the default `leaf_tf.Leaf`, 40 mel filters of 401 taps at 16 kHz, a frame
every 160 samples. It takes 949 multiplications a sample in place of 32080:

    filters  center, kHz   signal                   taps  energy every  energies
                                                                        a hop
                           waveform, 16 kHz
    32-39    4.6 - 7.3      +---------------------> 101    8 samples    20 ---+
    24-31    2.6 - 4.3      +---------------------> 165   10            16 ---+
                            |                                                 |
                           decimated by 2, 8 kHz                              |
    16-23    1.4 - 2.4      +---------------------> 141   16            10 ---+
                            |                                                 |
                           decimated by 2, 4 kHz                              |
    2-15     0.2 - 1.3      +---------------------> 131   20             8 ---+
    0-1      0.1 - 0.2      +---------------------> 111    4            40 ---+
                                                                              |
                           frames, 100 a second <--- weights over 3 hops -----+

Filters 0 and 1 have so many energies because their Gaussians are cut where they are
still high, which spreads them beyond their band.

One frame of the group 2-15. The window is in the middle of three hops. Energies are
placed so that its edges, where it is still high, are midway between two of them:

    hops             |<---- 160 ---->|<---- 160 ---->|<---- 160 ---->|
    energies          x x x x x x x x x x x x x x x x x x x x x x x x
    pooling window       |<------------ 401 samples ------------>|

| module | has |
| --- | --- |
| `taps` | decimators, cuts, decimated taps: fixed matrices |
| `plan` | `Group` and `Plan`: what a plan is; the plan of the definition |
| `statistics` | covariances of energies of noise; weights of least error |
| `errors` | predicted errors of a plan, and those allowed |
| `limits` | how far each filter may be simplified |
| `planner` | the choice of the cheapest plan within a tolerance |
| `kept` | plans made before: shipped, or kept on a disk |
| `kernels` | what groups compute with, made of the live weights |
| `signals` | the waveform at each rate |
| `ends` | frames of a clip, and the correction of those at its ends |
| `energies` | all of it at work on a waveform |

Each imports from those above it alone.
"""

from leaf_tf.dsp.multirate.energies import pooled_energies
from leaf_tf.dsp.multirate.errors import (
    allowed_errors,
    holds,
    interpolation,
    predicted_errors,
)
from leaf_tf.dsp.multirate.kept import find_plan
from leaf_tf.dsp.multirate.plan import Group, Plan, exact_plan, lanes
from leaf_tf.dsp.multirate.planner import TOLERANCE, plan_multirate

__all__ = [
    "TOLERANCE",
    "Group",
    "Plan",
    "allowed_errors",
    "exact_plan",
    "find_plan",
    "holds",
    "interpolation",
    "lanes",
    "plan_multirate",
    "pooled_energies",
    "predicted_errors",
]
