"""Weights of other implementations, read into our layers by their names."""

import dataclasses
from collections.abc import Callable

import numpy as np

from leaf_tf.frontends import Leaf
from leaf_tf.layers import PCEN

SOURCES = ("leaf-audio",)


@dataclasses.dataclass(frozen=True)
class _Entry:
    """Where one variable of the source goes.

    Attributes:
        names: Ends of the source's names that stand for it, any one of which
            must be given.
        weights: Our weights that it sets.
        convert: From the source's array and name to one array a weight.
    """

    names: tuple[str, ...]
    weights: tuple
    convert: Callable


def import_weights(layer, arrays, source="leaf-audio"):
    """Sets a Leaf's weights from another implementation's variables.

    Nothing is set unless everything fits. Values outside our bounds are kept;
    the forward pass clips them, as the official code does.

    Args:
        layer: A built `leaf_tf.Leaf`.
        arrays: Mapping of the source's variable names to arrays. For
            "leaf-audio": `kernel` (N, 2) = center (rad/sample), sigma (samples);
            `.../learnable_pooling/kernel` (1, 1, N, 1); `.../PCEN/alpha`, `delta`,
            `root` (N,); `.../PCEN/EMA/smooth` (N,) or (1,), or, for a fixed
            average, `.../simple_rnn_cell/kernel` (N, N), a diagonal;
            `.../tfbanks_preemp/kernel` (2, 1, 1). A ":0" at the end is ignored.
        source: "leaf-audio".

    Raises:
        ValueError: Unknown source; layer not built or no Leaf; the names that
            are missing, unknown, or hold an array of the wrong shape.
    """
    if source not in SOURCES:
        raise ValueError(f"`source` must be one of {SOURCES}. Received: {source!r}")
    if not isinstance(layer, Leaf):
        raise ValueError(
            f"`layer` must be a leaf_tf.Leaf. Received: {type(layer).__name__}"
        )
    if not layer.built:
        raise ValueError(
            f"Layer {layer.name!r} has no weights yet; call it on a waveform, or "
            "`layer.build((None, None))`, before `import_weights`."
        )
    values, problems = [], []
    unread = {name.removesuffix(":0"): array for name, array in arrays.items()}
    for entry in _leaf_audio_entries(layer):
        given = [name for name in unread if _ends_with(name, entry.names)]
        if len(given) != 1:
            what = "missing" if not given else f"given {len(given)} times"
            problems.append(f"{what}: {' or '.join(entry.names)}")
        for name in given:
            array = np.asarray(unread.pop(name))
            try:
                values.extend(zip(entry.weights, entry.convert(array, name)))
            except ValueError as error:
                problems.append(f"{name}: {error}")
    problems += [
        f"unknown: {name}" for name in unread if not _ends_with(name, _REDUNDANT)
    ]
    if problems:
        raise ValueError(
            f"The {source} weights do not fit layer {layer.name!r}: "
            + "; ".join(problems)
        )
    for weight, value in values:
        weight.assign(value)
    layer.replan()


# The other half of a fixed moving average, 1 - s: says nothing new.
_REDUNDANT = ("simple_rnn_cell/recurrent_kernel",)


def _leaf_audio_entries(layer):
    n = layer.n_filters
    filtering, pcen = layer.filtering, layer.compressing

    def columns(array, _):
        return _shaped(array, (n, 2)).T

    def per_channel(array, _):
        return [np.broadcast_to(np.ravel(array), _one_or(n, array))]

    def smooth(array, name):
        if name.endswith("simple_rnn_cell/kernel"):
            array = np.diag(_shaped(array, (n, n)))
        return per_channel(array, name)

    entries = [
        _Entry(
            ("tfbanks_complex_conv/kernel", "kernel"),
            (filtering.center_freqs, filtering.sigmas),
            columns,
        ),
        _Entry(("learnable_pooling/kernel",), (layer.pooling.widths,), per_channel),
    ]
    if layer.preemp:
        entries.append(
            _Entry(
                ("tfbanks_preemp/kernel",),
                (layer.preemphasis.taps,),
                lambda array, _: [np.ravel(_shaped(array, (2, 1, 1)))],
            )
        )
    if isinstance(pcen, PCEN):
        entries += [
            _Entry((f"PCEN/{name}",), (getattr(pcen, name),), per_channel)
            for name in ("alpha", "delta", "root")
        ]
        entries.append(
            _Entry(
                ("PCEN/EMA/smooth", "simple_rnn_cell/kernel"),
                (pcen.smooth_coef,),
                smooth,
            )
        )
    return entries


def _ends_with(name, endings):
    """Whether a name is one of `endings`, scopes before it aside.

    A bare "kernel" is the Gabor kernel's whole name: other kernels end in it.
    """
    return any(
        name == ending or (ending != "kernel" and name.endswith("/" + ending))
        for ending in endings
    )


def _shaped(array, shape):
    if array.shape != shape:
        raise ValueError(f"expected shape {shape}, received {array.shape}")
    return array


def _one_or(n, array):
    if array.size not in (1, n):
        raise ValueError(f"expected {n} values or 1, received shape {array.shape}")
    return (n,)
