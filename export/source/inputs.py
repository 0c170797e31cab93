"""What a model does to its waveform before a frontend takes it."""

import dataclasses

import numpy as np

from export.contract.probes import probe_windows
from export.source.stages import (
    as_input,
    as_numpy,
    is_model,
    maker,
    plain_name,
    tensors,
)
from files.errors import UserError
from files.quiet import import_keras

_LOUD = 0  # of the probe windows
# Full scale of integers; a 16-bit one is divided by 32768 or by 32767.
_FULL_SCALES = tuple(2.0**bits - less for bits in (7, 15, 23, 31) for less in (0, 1))
_ALIKE = 0.6  # correlation of a waveform with a piece of it, filled up
_QUIETER = 64.0  # so much, and it is no gain
# Layers and operations, lower case without "_", before a frontend: those that cut
# or fill up, and those that hand a waveform on as it is.
_CUTTING = frozenset("cropping1d getitem pad slice zeropadding1d".split())
_HANDING_ON = frozenset(
    "activation cast expanddims flatten gaussiannoise identity inputlayer masking "
    "reshape squeeze".split()
)
_SCALING = frozenset("divide multiply rescaling truedivide".split())


@dataclasses.dataclass(frozen=True)
class _Before:
    """What comes before one frontend.

    Attributes:
        frontend: The layer.
        models: list of keras.Model, one after the other from the model's input to
            what the frontend takes.
        operations: All that is in them.
    """

    frontend: object
    models: list
    operations: list


def sample_rate_of(model, path):
    """The rate of the waveform that a model takes, in Hz: that of its frontend.

    Args:
        model: keras.Model, functional.
        path: Its file, for messages.

    Raises:
        UserError: It has no frontend, or frontends of different rates.
    """
    found = {}
    for layer in _layers(model):
        rate = getattr(layer, "sample_rate", None)
        if rate is not None:
            found.setdefault(rate, layer.name)
    if not found:
        raise UserError(
            f"no layer of {path} has a sample_rate; put a leaf_tf frontend, which has "
            "one, inside the model"
        )
    if len(found) > 1:
        named = " and ".join(f"{name} {rate} Hz" for rate, name in found.items())
        raise UserError(
            f"the frontends of {path} must take one waveform, at one sample rate; "
            f"received {named}"
        )
    return next(iter(found))


def with_full_scale(model, sample_rate, window_samples, path):
    """A model whose waveform is in [-1, 1].

    A model that begins with a division by the full scale of integers, such as
    `Rescaling(1 / 32768)`, takes those; without that step it takes [-1, 1].

    Args:
        model: keras.Model, functional, from one waveform.
        sample_rate, window_samples: As of `export.source.opening.Source`.
        path: Its file, for messages.

    Returns:
        The model, or one of its layers without the first of them; a note on what was
        left out, "" if nothing was.

    Raises:
        UserError: What comes before a frontend changes the number of samples by more
            than cutting, or the scale in a way that can't be left out; or the model
            takes integers.
    """
    gains = set()
    for before in _before_frontends(model):
        waveform = _loud_waveform(model, sample_rate, window_samples)
        heard = _heard(before, waveform)
        _require_samples(before, waveform, heard, path)
        if all(map(_is_judged, before.operations)):
            gains.add(float(np.std(heard)) / max(float(np.std(waveform)), 1e-30))
    cut, divisor = _undivided(model)
    quiet = [gain for gain in gains if gain < 1 / _QUIETER]
    if not quiet:
        if not model.inputs[0].dtype.startswith(("float", "bfloat")):
            raise UserError(
                f"{path} takes a waveform of {model.inputs[0].dtype}; the files take "
                "float32 in [-1, 1]: give the model an input of float32"
            )
        return model, ""
    full_scale = next((f for f in _FULL_SCALES if _is_near(divisor, f)), None)
    if full_scale is None or not all(_is_near(1 / g, divisor) for g in gains):
        raise UserError(
            f"{path} makes its waveform {1 / min(quiet):.4g} times quieter before the "
            "frontend, so it does not take one in [-1, 1], as the files do; leave "
            "that step out, or make it a Rescaling(1 / 32768) right behind the input"
        )
    outputs = import_keras().Model(cut, model.output)
    return outputs, (
        f"the model divides its waveform by {divisor:g} first: that step is left out, "
        "the files take a waveform in [-1, 1]"
    )


def _layers(model):
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        elif hasattr(layer, "layer"):
            yield layer.layer
            yield from _layers(layer.layer) if hasattr(layer.layer, "layers") else ()


def _before_frontends(model):
    """A `_Before` for each frontend of the model and of models within."""
    from leaf_tf.frontends.base import Frontend

    for tensor in tensors(model.outputs):
        operation, taken = maker(tensor)
        inner = getattr(operation, "layer", operation)
        if isinstance(inner, Frontend) and taken:
            yield _path(model, taken[0], inner, [])
        elif is_model(operation) and len(taken) == 1:
            for within in _before_frontends(operation):
                yield _path(model, taken[0], within.frontend, [within])


def _path(model, tensor, frontend, within):
    own = [maker(made)[0] for made in tensors([tensor])]
    models = [import_keras().Model(model.inputs[0], tensor)]
    for inside in within:
        own += inside.operations
        models += inside.models
    return _Before(frontend, models, own)


def _loud_waveform(model, sample_rate, window_samples):
    """(1, samples) or (1, samples, 1), in full scale of the model's input."""
    waveform = probe_windows(sample_rate, window_samples)[_LOUD : _LOUD + 1]
    dtype = model.inputs[0].dtype
    if not dtype.startswith(("float", "bfloat")):
        full_scale = 2.0**7 - 1 if dtype == "int8" else 2.0**15 - 1
        waveform = (full_scale * waveform).astype(dtype)
    return as_input(model, waveform)


def _heard(before, waveform):
    heard = import_keras().ops.convert_to_tensor(waveform)
    for model in before.models:
        heard = model(heard, training=False)
    return as_numpy(heard)


def _require_samples(before, waveform, heard, path):
    changing = [
        operation
        for operation in before.operations
        if _plain(operation) not in _CUTTING | _HANDING_ON | _SCALING
    ]
    taken, given = waveform.size, heard.size
    names = ", ".join(operation.name for operation in changing if _resamples(operation))
    if not (names or changing or _is_part(heard, waveform)):
        names = ", ".join(
            operation.name
            for operation in before.operations
            if _plain(operation) in _CUTTING | {"reshape"}
        )
    if taken == given or not names:
        return
    raise UserError(
        f"{path} makes {given} samples of {taken} before its frontend ({names}), so "
        f"its waveform is not one of the frontend's {before.frontend.sample_rate} Hz; "
        "leave that step out: files resample clips to the frontend's rate"
    )


def _is_part(heard, waveform):
    """Whether one is a piece of the other, a chirp, whatever its gain and filling.

    Every second sample of a chirp is another chirp: its correlation is low.
    """
    short, long = sorted(
        (np.ravel(heard).astype(float), np.ravel(waveform).astype(float)), key=np.size
    )
    size = short.size + long.size
    products = np.fft.irfft(np.fft.rfft(long, size) * np.fft.rfft(short, size).conj())
    energies = np.cumsum(np.pad(long**2, (1, 0)))
    of_pieces = energies[short.size :] - energies[: -short.size]
    least = 1e-3 * np.max(of_pieces)
    norms = np.sqrt(np.maximum(of_pieces, least) * np.sum(short**2))
    correlations = np.abs(products[: of_pieces.size]) / np.maximum(norms, 1e-30)
    return bool(np.max(correlations) > _ALIKE)


def _resamples(operation):
    strides = getattr(operation, "strides", None)
    if strides is None:
        return not getattr(operation, "weights", None)
    return any(stride != 1 for stride in np.atleast_1d(strides))


def _is_judged(operation):
    """Whether it has no weights, or only those of a normalization."""
    return not getattr(operation, "weights", None) or "normalization" in _plain(
        operation
    )


def _undivided(model):
    """The tensor behind the divisions that a model begins with, and the divisor."""
    consumers: dict = {}
    for tensor in tensors(model.outputs):
        for taken in maker(tensor)[1]:
            consumers.setdefault(id(taken), []).append(tensor)
    cut = tensor = model.inputs[0]
    scale = 1.0
    while len(consumers.get(id(tensor), [])) == 1:
        (tensor,) = consumers[id(tensor)]
        operation, place, _ = tensor._keras_history
        own = _scale(operation, operation._inbound_nodes[place])
        if own is None:
            if _plain(operation) not in _HANDING_ON:
                break
        else:
            scale *= own
            cut = tensor
    return cut, 1 / scale if scale else 0.0


def _scale(operation, node):
    """The number that an operation multiplies what it takes with; None if by none."""
    name = _plain(operation)
    if name == "rescaling":
        number, offset = operation.scale, operation.offset
        return float(number) if np.ndim(number) == 0 and not np.any(offset) else None
    if name in _SCALING:
        numbers = [
            a
            for a in (*node.arguments.args, *node.arguments.kwargs.values())
            if isinstance(a, int | float)
        ]
        is_scaled = len(node.input_tensors) == 1 and len(numbers) == 1
        if not is_scaled or isinstance(node.arguments.args[0], int | float) * (
            name != "multiply"
        ):
            return None
        number = float(numbers[0])
        return number if name == "multiply" else 1 / number if number else None
    return None


def _is_near(value, other):
    return abs(value - other) <= 1e-3 * other


def _plain(operation):
    return plain_name(type(operation).__name__)
