"""EfficientLEAF's parameters, and their equivalents here."""

import math

import numpy as np

_PCEN = ("alpha", "delta", "root", "smooth_coef")


def pcen_from_source(values, layer):
    """EfficientLEAF's PCEN, in numbers or in logarithms (its `learn_logs`).

    In numbers `r` is the root, in logarithms that of 1 / root. Which of them it is
    shows in those of s, a number in [0, 1]: logarithms are below 0.

    Raises:
        ValueError: Logarithms of what PCEN does not allow. EfficientLEAF computes
            with them; clipping them would change the features.
    """
    if "smooth_coef" not in values or not np.all(values["smooth_coef"] < 0):
        return values
    too_large = {
        name: np.max(values[name])
        for name in ("alpha", "root")
        if np.max(values[name]) > 1e-6
    }
    if too_large:
        listed = ", ".join(f"{name} {most:.6g}" for name, most in too_large.items())
        raise ValueError(
            "PCEN takes an alpha up to 1 and a root from 1, logarithms up to 0; "
            f"received up to: {listed}. numpy.minimum(array, 0) makes them fit"
        )
    numbers = {name: np.exp(np.float64(values[name])) for name in _PCEN}
    numbers["root"] = 1.0 / numbers["root"]
    return {**values, **numbers}


def grouped_from_source(values, layer):
    """EfficientLEAF's groups of filters, see `_group_factors`."""
    strides, shrinkage = _group_factors(values["center_freqs"], layer)
    return {
        **values,
        "widths": np.float64(values["widths"]) * shrinkage,
        "a": np.float64(values["a"]) - np.log10(strides),
    }


def grouped_to_source(values, layer):
    """The inverse of `grouped_from_source`, in float64 so that it is exact."""
    strides, shrinkage = _group_factors(values["center_freqs"], layer)
    return {
        **values,
        "widths": np.float64(values["widths"]) / shrinkage,
        "a": np.float64(values["a"]) + np.log10(strides),
    }


def _group_factors(center_freqs, layer):
    """How energies and windows of each filter differ there: two arrays (n_filters,).

    Energies are computed at every s-th sample only, s by the center frequencies as
    they are; their sum over the window is not multiplied by s, as it is here.
    The window, of an odd number of these samples, is made as wide as that number
    makes it.

    Returns:
        s; the width of the window here for one of 1 there.
    """
    n, size, hop = layer.n_filters, layer.kernel_size, layer.strides
    n_groups = min(layer.n_groups, n)
    divisors = [i for i in range(1, hop + 1) if hop % i == 0]
    strides = np.empty(n)
    for group in range(n_groups):
        filters = slice(group * n // n_groups, (group + 1) * n // n_groups)
        highest = np.clip(np.max(center_freqs[filters]), math.pi / size, math.pi)
        most = max(layer.stride_factor * math.pi / highest, 1.0)
        strides[filters] = max(s for s in divisors if s <= most)
    taps = np.floor(size / strides + 0.5)
    taps += 1 - taps % 2
    # One tap has no width: there it is not a number.
    shrinkage = np.where(taps > 1, (taps - 1) / taps * size / (size - 1), 1.0)
    return strides, shrinkage
