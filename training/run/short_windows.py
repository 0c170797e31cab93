"""A note on filters that are wider than asked for, as their window is too short."""

import numpy as np

from leaf_tf import frontends
from leaf_tf.dsp import mel
from training.run.models import make_frontend

# Windows to advise, ms.
_LONGER = (32, 40, 50, 64, 80, 100, 128, 160)


def short_window_note(config):
    """A line where the window that nobody chose is too short for the filters.

    It takes a long window to tell frequencies apart. A filter that would be narrower
    than the window allows starts as narrow as that, beside others as wide, and the
    window cuts it where it is high, which makes it slow (see docs/speed.md).

    Args:
        config: `FitConfig`.

    Returns:
        The line; None where all is well, where the window was chosen, and for other
        frontends than `leaf_tf.Leaf`.

    >>> from training.settings.config import FitConfig
    >>> print(short_window_note(FitConfig("any", frontend="leaf")))
    None
    >>> print(short_window_note(FitConfig("any", frontend="leaf", n_filters=128)))
    note: 33 of 128 filters would be narrower than ...: --set frontend.window_len=50 ...
    """
    if "window_len" in config.frontend_settings:
        return None
    leaf = make_frontend(config)
    if not isinstance(leaf, frontends.Leaf):
        return None
    n_wide = _n_at_the_limit(leaf, leaf.kernel_size)
    if not n_wide:
        return None
    note = (
        f"note: {n_wide} of {leaf.n_filters} filters would be narrower than a window "
        f"of {leaf.window_len:g} ms lets them be: they start alike in width, and are "
        "slow"
    )
    for length in _LONGER:
        taps = leaf.sample_rate * length // 1000 + 1
        if not _n_at_the_limit(leaf, taps):
            return f"{note}: --set frontend.window_len={length} has room for all"
    return note


def _n_at_the_limit(leaf, kernel_size):
    """Filters that start as narrow as so many taps allow, and no narrower."""
    _, sigmas = mel.initial_gabor_filters(
        leaf.n_filters,
        kernel_size,
        leaf.sample_rate,
        leaf.min_freq,
        leaf.max_freq,
        leaf.initial_filters,
    )
    return int(np.sum(sigmas >= mel.sigma_limits(kernel_size)[1]))
