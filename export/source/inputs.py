"""Finds how a model changes its waveform before a frontend takes it."""

import dataclasses
from typing import Any

import numpy as np

from export.contract.probes import probe_windows
from export.source.stages import (
    as_input,
    as_numpy,
    has_weights,
    is_frontend,
    is_model,
    maker,
    plain_name,
    tensors,
)
from leaf_files.errors import UserError
from leaf_files.quiet import import_keras

_LOUD = 0  # index of the loud probe window
# Full scales of integers; 16-bit ones are divided by 32768 or by 32767.
_FULL_SCALES = tuple(2.0**bits - less for bits in (7, 15, 23, 31) for less in (0, 1))
_ALIKE = 0.6  # least correlation of a waveform with a piece of it, filled up
_QUIETER = 64.0  # factor from which a quieter waveform is another scale, no gain
# Layers and operations before a frontend, by `plain_name`: those that cut or fill up,
# and those that hand a waveform on as it is.
_CUTTING = frozenset("cropping1d getitem pad slice zeropadding1d".split())
_HANDING_ON = frozenset(
    "activation cast expanddims flatten gaussiannoise identity inputlayer masking "
    "reshape squeeze".split()
)
_SCALING = frozenset("divide multiply rescaling truedivide".split())


@dataclasses.dataclass(frozen=True)
class _Before:
    """The part of a model before one frontend.

    Attributes:
        frontend: The layer.
        models: Keras models, one after the other from the model's input to that of
            the frontend.
        operations: All operations in them.
    """

    frontend: object
    models: list
    operations: list


def sample_rate_of(model: Any, path: str) -> int:
    """The sample rate of the waveform that a model takes, Hz: its frontend's.

    Args:
        model: keras.Model, functional.
        path: File of the model, for messages.

    Raises:
        UserError: It has no frontend, or frontends of different rates.

    Example:

    >>> sample_rate_of(source.model, "model.keras")
    8000
    """
    names: dict[int, str] = {}  # of one layer for each rate
    for layer in _layers(model):
        rate = getattr(layer, "sample_rate", None)
        if rate is not None:
            names.setdefault(rate, layer.name)
    if not names:
        raise UserError(
            f"no layer of {path} has a sample_rate; put a leaf_tf frontend, which has "
            "one, inside the model"
        )
    if len(names) > 1:
        layers = " and ".join(f"{name} {rate} Hz" for rate, name in names.items())
        raise UserError(
            f"the frontends of {path} must take one waveform, at one sample rate; "
            f"received {layers}"
        )
    return next(iter(names))


def with_full_scale(
    model: Any, sample_rate: int, window_samples: int, path: str
) -> tuple[Any, str]:
    """A model whose waveform is in [-1, 1].

    A model that begins with a division by the full scale of integers, such as
    `Rescaling(1 / 32768)`, takes integers' values; without that step it takes [-1, 1].

    Args:
        model: keras.Model, functional, from one waveform.
        sample_rate: Sample rate, Hz.
        window_samples: Length of the waveform to try it with.
        path: File of the model, for messages.

    Returns:
        The model, or one of its layers less those that divide; a note on the step that
        was left out, "" if none was.

    Raises:
        UserError: A step before a frontend changes the number of samples by more than
            cutting, or the scale in a way that can't be left out; or the model takes
            integers.

    Example:

    >>> model, note = with_full_scale(source.model, 8000, 4000, "model.keras")
    >>> model is source.model, note
    (True, '')
    """
    gains = set()
    for before in _before_frontends(model):
        waveform = _loud_waveform(model, sample_rate, window_samples)
        frontend_input = _frontend_input(before, waveform)
        _require_samples(before, waveform, frontend_input, path)
        if all(map(_keeps_scale, before.operations)):
            rms = max(float(np.std(waveform)), 1e-30)
            gains.add(float(np.std(frontend_input)) / rms)
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
    for tensor in tensors(model.outputs):
        operation, inputs = maker(tensor)
        inner = getattr(operation, "layer", operation)
        if is_frontend(inner) and inputs:
            yield _path(model, inputs[0], inner, [])
        elif is_model(operation) and len(inputs) == 1:
            for within in _before_frontends(operation):
                yield _path(model, inputs[0], within.frontend, [within])


def _path(model, tensor, frontend, within):
    operations = [maker(output)[0] for output in tensors([tensor])]
    models = [import_keras().Model(model.inputs[0], tensor)]
    for inside in within:
        operations += inside.operations
        models += inside.models
    return _Before(frontend, models, operations)


def _loud_waveform(model, sample_rate, window_samples):
    """(1, samples) or (1, samples, 1), at full scale of the model's input."""
    waveform = probe_windows(sample_rate, window_samples)[_LOUD : _LOUD + 1]
    dtype = model.inputs[0].dtype
    if not dtype.startswith(("float", "bfloat")):
        full_scale = 2.0**7 - 1 if dtype == "int8" else 2.0**15 - 1
        waveform = (full_scale * waveform).astype(dtype)
    return as_input(model, waveform)


def _frontend_input(before, waveform):
    """The waveform as the frontend takes it, float32."""
    tensor = import_keras().ops.convert_to_tensor(waveform)
    for model in before.models:
        tensor = model(tensor, training=False)
    return as_numpy(tensor)


def _require_samples(before, waveform, frontend_input, path):
    """Refuses a model that resamples, by operations and by numbers of samples."""
    changing = [
        operation
        for operation in before.operations
        if _plain(operation) not in _CUTTING | _HANDING_ON | _SCALING
    ]
    n_before, n_after = waveform.size, frontend_input.size
    names = ", ".join(operation.name for operation in changing if _resamples(operation))
    if not (names or changing or _is_part(frontend_input, waveform)):
        names = ", ".join(
            operation.name
            for operation in before.operations
            if _plain(operation) in _CUTTING | {"reshape"}
        )
    if n_before == n_after or not names:
        return
    raise UserError(
        f"{path} makes {n_after} samples of {n_before} before its frontend ({names}), "
        "so its waveform is not one of the frontend's "
        f"{before.frontend.sample_rate} Hz; "
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
    piece_energies = energies[short.size :] - energies[: -short.size]
    least = 1e-3 * np.max(piece_energies)
    norms = np.sqrt(np.maximum(piece_energies, least) * np.sum(short**2))
    correlations = np.abs(products[: piece_energies.size]) / np.maximum(norms, 1e-30)
    return bool(np.max(correlations) > _ALIKE)


def _resamples(operation):
    strides = getattr(operation, "strides", None)
    if strides is None:
        return not has_weights(operation)
    return any(stride != 1 for stride in np.atleast_1d(strides))


def _keeps_scale(operation):
    """Whether its gain tells the scale: no weights, or those of a normalization."""
    return not has_weights(operation) or "normalization" in _plain(operation)


def _undivided(model):
    """The tensor behind the divisions that a model begins with, and the divisor."""
    consumers: dict = {}
    for tensor in tensors(model.outputs):
        for source in maker(tensor)[1]:
            consumers.setdefault(id(source), []).append(tensor)
    cut = tensor = model.inputs[0]
    scale = 1.0
    while len(consumers.get(id(tensor), [])) == 1:
        (tensor,) = consumers[id(tensor)]
        operation, place, _ = tensor._keras_history
        factor = _factor(operation, operation._inbound_nodes[place])
        if factor is None:
            if _plain(operation) not in _HANDING_ON:
                break
        else:
            scale *= factor
            cut = tensor
    return cut, 1 / scale if scale else 0.0


def _factor(operation, node):
    """The number that an operation multiplies its input by; None if there is none."""
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
