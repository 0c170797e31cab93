"""Sets a frontend's weights from those of another implementation, and back."""

from collections.abc import Mapping

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from leaf_tf.frontends.base import Frontend
from leaf_tf.weights.formats import FIXED_AVERAGE, FORMATS, SOURCES

_MOST_LISTED = 10
# Of EfficientLEAF's batch norm, which may normalise each channel twice.
_BATCH_NORM = ("batch_gamma", "batch_beta", "moving_mean", "moving_variance")


def import_weights(
    layer: Frontend, arrays: Mapping[str, ArrayLike], source: str = "leaf-audio"
) -> None:
    """Sets a frontend's weights from another implementation's variables.

    Nothing is set unless everything fits. Values outside our bounds are kept;
    the forward pass clips them, as the sources do.

    Sources, and the layer each needs, besides the `n_filters`, `sample_rate`,
    `window_len` and `window_stride` that its weights were trained with:

    - "leaf-audio", the official one: `Leaf()`; also with preemp, mean_var_norm.
    - "leaf-pytorch", "speechbrain": `Leaf(pooling_padding="symmetric",
      pooling_bias=True)`.
    - "efficientleaf": for its Leaf, `Leaf(pooling_padding="symmetric")`. For its
      EfficientLeaf with `LogTBN` and a median filter, `EfficientLeaf` with its
      groups and factors; of the features that it appends to those without the
      median, the weights are left out. Frames are up to half a stride later here.
    - "audax": `Leaf()`.

    Args:
        layer: A built `leaf_tf.Leaf` or `EfficientLeaf`.
        arrays: Mapping of the source's variable names to arrays, those of the frontend
            alone: the TensorFlow variables by their names, a torch `state_dict()`,
            a flax `flatten_dict(params, sep="/")`. Names may stand in a scope, such
            as "features.", "module." or "params/frontend/".
            leaf-audio's moving average may be one number for all channels, or
            fixed: `simple_rnn_cell/kernel`, a diagonal. EfficientLEAF's PCEN holds
            logarithms (`learn_logs`) if all its `s` are below 0.
        source: One of the sources above.

    Raises:
        ValueError: Unknown source; layer not built, no frontend that the source has,
            or built otherwise; the names that are missing, unknown, or hold an
            array that does not fit.

    Example:
        >>> layer = leaf_tf.Leaf(pooling_padding="symmetric", pooling_bias=True)
        >>> layer.build((None, None))
        >>> arrays = leaf_tf.export_weights(layer, source="leaf-pytorch")
        >>> leaf_tf.import_weights(layer, arrays, source="leaf-pytorch")

    Source: google-research/leaf-audio, SarthakYadav/leaf-pytorch,
    speechbrain/speechbrain, CPJKU/EfficientLEAF, SarthakYadav/audax.
    """
    format_ = _matching_format(layer, source)
    values, problems = {}, []
    unread = {name.removesuffix(":0"): array for name, array in arrays.items()}
    weights = layer.published_weights()
    for weight_name, name in _held_names(format_, weights):
        endings = [name.removeprefix("leaf/")]
        if weight_name in format_.other_names:
            endings.append(format_.other_names[weight_name])
        matches = [name for name in unread if _ends_with(name, endings)]
        if len(matches) != 1:
            what = "missing" if not matches else f"given {len(matches)} times"
            problems.append(f"{what}: {' or '.join(endings)}")
        for name in matches:
            try:
                array = np.asarray(unread.pop(name))
                values.update(_read(array, name, weight_name, layer.n_filters))
            except ValueError as error:
                problems.append(f"{name}: {error}")
    unknown = [name for name in unread if not _ends_with(name, format_.ignored)]
    problems += [f"unknown: {name}" for name in unknown[:_MOST_LISTED]]
    if len(unknown) > _MOST_LISTED:
        more = len(unknown) - _MOST_LISTED
        problems.append(f"{more} more unknown; give the frontend's variables only")
    if not problems:
        try:
            values = format_.from_source(values, layer)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError(
            f"The {source} weights do not fit layer {layer.name!r}: "
            + "; ".join(problems)
        )
    for weight_name, value in values.items():
        weights[weight_name].assign(value)
    layer.weights_were_set()


def export_weights(
    layer: Frontend, source: str = "leaf-audio"
) -> dict[str, np.ndarray]:
    """A frontend's weights as another implementation's variables.

    `import_weights` brings back exactly what was exported.

    Args:
        layer: A built `leaf_tf.Leaf` or `EfficientLeaf`, as `import_weights` needs it
            for the source.
        source: Source of `import_weights`. EfficientLEAF's PCEN must be one without
            logarithms (`learn_logs=False`, as in its Leaf), its `LogTBN` one with
            `append_filtered=False`.

    Returns:
        Dictionary of the source's variable names, without a scope around the
        frontend, to NumPy arrays of the source's shapes.

    Raises:
        ValueError: Unknown source; layer not built, no frontend that the source has,
            or with what the source does not have.

    Example:
        >>> layer = leaf_tf.Leaf(pooling_padding="symmetric", pooling_bias=True)
        >>> layer.build((None, None))
        >>> arrays = leaf_tf.export_weights(layer, source="leaf-pytorch")
        >>> arrays["_complex_conv._kernel"].shape
        (40, 2)

    What torch loads is `{name: torch.from_numpy(array) for name, array in
    arrays.items()}`, by `load_state_dict`.
    """
    format_ = _matching_format(layer, source)
    weights = layer.published_weights()
    placed = {id(weight) for weight in weights.values()}
    others = [weight.path for weight in layer.weights if id(weight) not in placed]
    if others:
        raise ValueError(
            f"{source} has no place for these weights of layer {layer.name!r}: "
            + ", ".join(others)
        )
    values = {name: ops.convert_to_numpy(weight) for name, weight in weights.items()}
    values = format_.to_source(values, layer)
    return {
        name: _written(values, weight_name, format_)
        for weight_name, name in _held_names(format_, weights)
    }


def _matching_format(layer, source):
    """The source's `Format` of a layer that computes as the source does."""
    if source not in SOURCES:
        raise ValueError(f"`source` must be one of {SOURCES}. Received: {source!r}")
    allowed = [name for known, name in FORMATS if known == source]
    published_as = layer.published_as if isinstance(layer, Frontend) else None
    if published_as not in allowed:
        names = " or ".join(f"leaf_tf.{name}" for name in allowed)
        raise ValueError(
            f"`layer` must be a {names} for {source}. Received: {type(layer).__name__}"
        )
    if not layer.built:
        raise ValueError(
            f"Layer {layer.name!r} has no weights yet; call it on a waveform, or "
            "`layer.build((None, None))`, before."
        )
    format_ = FORMATS[source, published_as]
    settings = layer.get_config()
    needed = {
        name: value
        for name, value in format_.arguments.items()
        if settings[name] != value
    }
    if needed:
        actual_settings = {name: settings[name] for name in needed}
        raise ValueError(
            f"Weights of {source} need a layer made by leaf_tf.{published_as}(..., "
            f"{_listed(needed)}). Received: {layer.name!r} with "
            f"{_listed(actual_settings)}"
        )
    return format_


def _listed(arguments):
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def _held_names(format_, weights):
    """[(our name, the source's)] of the variables that hold the layer's weights."""
    return [
        (weight_name, name)
        for weight_name, name in format_.names.items()
        if weight_name in weights or weight_name == "kernel"
    ]


def _read(array, name, weight_name, n):
    """{our name: (n,) array} from the source's array of that name."""
    if weight_name == "kernel":
        center_freqs, sigmas = _shaped(array, (n, 2)).T
        return {"center_freqs": center_freqs, "sigmas": sigmas}
    if weight_name == "taps":
        return {"taps": np.ravel(_shaped(array, (2, 1, 1)))}
    if _ends_with(name, (FIXED_AVERAGE,)):
        array = np.diag(_shaped(array, (n, n)))
    if weight_name in _BATCH_NORM and array.shape == (2 * n,):
        array = array[n:]  # first all channels with their medians, then without
    if array.size not in (1, n):
        raise ValueError(f"expected {n} values or 1, received shape {array.shape}")
    return {weight_name: np.broadcast_to(np.ravel(array), (n,))}


def _written(values, weight_name, format_):
    """The source's array, a copy."""
    if weight_name == "kernel":
        return np.stack([values["center_freqs"], values["sigmas"]], axis=-1)
    if weight_name == "taps":
        return np.array(values["taps"]).reshape(2, 1, 1)
    # Where filters are in one kernel, windows have the axes of a kernel, too.
    is_kernel = weight_name == "widths" and "kernel" in format_.names
    return np.array(values[weight_name]).reshape((1, 1, -1, 1) if is_kernel else -1)


def _ends_with(name, endings):
    """Whether a name is one of `endings`, scopes before it aside.

    A bare "kernel" is leaf-audio's Gabor kernel's whole name: other kernels end in it.
    """
    name = name.replace(".", "/")
    return any(
        name == ending or (ending != "kernel" and name.endswith("/" + ending))
        for ending in (ending.replace(".", "/") for ending in endings)
    )


def _shaped(array, shape):
    if array.shape != shape:
        raise ValueError(f"expected shape {shape}, received {array.shape}")
    return array
