"""Makes a float32 model smaller: float16, dynamic-range, int8, int4.

Integers destroy a frontend: its filters reject sound outside their band by terms that
cancel to a thousandth and less, and its energies span ten decades. So it computes in
float, from weights of float16; only weights that average energies are int8. The encoder
is computed in integers, behind the normalisation of the features.
"""

import importlib
import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from export.contract.layout import INPUT, SIGNATURE
from export.tflite_format.graph_edits import (
    ENCODER,
    averaging_products,
    drop_remarks,
    halve_constants,
    pool_maxima,
)
from export.tflite_format.model import read_model, write_model
from export.tflite_format.scaling import scale_in_float
from leaf_files.errors import UserError, first_line
from leaf_files.quiet import native_logs_hidden

_BITS = 8
# The quantizer, and the same under its later name.
PACKAGES = "ai_edge_quantizer", "litert_quantizer"


def to_float16(model: Any) -> Any:
    """The model with weights of float16, which are widened as it is loaded.

    Args:
        model: `ModelT`, float32, after `graph_edits.name_parts`.

    Returns:
        `ModelT`.
    """
    halve_constants(model)
    drop_remarks(model)
    return model


def to_dynamic(model: Any) -> Any:
    """The model with an encoder of int8 weights.

    Its activations are made int8 at run time, each by its own range.

    Args:
        model: `ModelT`, float32, after `graph_edits.name_parts`.

    Returns:
        `ModelT`.

    Raises:
        UserError: The quantizer is not installed, or fails.
    """
    return to_float16(_quantized(model, "add_dynamic_config", {"num_bits": _BITS}))


def to_int8(model: Any, windows: np.ndarray, weight_bits: int = _BITS) -> Any:
    """The model with an encoder that computes in int8, weights and activations.

    Args:
        model: `ModelT`, float32, after `graph_edits.name_parts`.
        windows: (n, window_samples), float32, such as the model was trained on: the
            ranges of the activations come from them.
        weight_bits: Bits of the encoder's weights, 8 or 4.

    Returns:
        `ModelT`.

    Raises:
        UserError: The quantizer is not installed, or fails.
    """
    return to_float16(to_integers(model, {INPUT: windows}, weight_bits))


def to_integers(
    model: Any, inputs: Mapping[str, np.ndarray], weight_bits: int = _BITS
) -> Any:
    """`to_int8` of a model of any inputs, whose other weights stay float32.

    Args:
        model: `ModelT`, float32, after `graph_edits.name_parts`.
        inputs: {input: (n, ...)}, float32, without the batch of 1.
        weight_bits: Bits of the encoder's weights, 8 or 4.

    Returns:
        `ModelT`.

    Raises:
        UserError: The quantizer is not installed, or fails.
    """
    pool_maxima(model)
    scale_in_float(model)
    bits = {"activation_num_bits": _BITS, "weight_num_bits": weight_bits}
    return _quantized(model, "add_static_config", bits, inputs)


def _quantized(model, configuration, bits, windows=None):
    averages = "|".join(map(re.escape, averaging_products(model)))
    content = write_model(model)
    with native_logs_hidden(), warnings.catch_warnings():
        # A warning that it keeps all activations: calibrating is just that.
        warnings.filterwarnings("ignore", message=".*preserve_all_tensors")
        calibrator, quantizer, recipe_manager, qsv_utils, operators = _quantizer()
        recipe = recipe_manager.RecipeManager()
        # The patterns match the names of an operator's outputs, each with a ";" behind.
        getattr(recipe, configuration)(f"^{ENCODER}/", operators.ALL_SUPPORTED, **bits)
        if windows is None:
            # XNNPACK has no dynamic kernels of depthwise filters; these run in float.
            recipe.add_weight_only_config(
                f"^{ENCODER}/", operators.DEPTHWISE_CONV_2D, _BITS
            )
        if averages:
            recipe.add_weight_only_config(
                f"^({averages});", operators.FULLY_CONNECTED, _BITS
            )
        try:
            ranges = None
            if windows is not None:
                # By default the ranges are averages over the windows, which cut off
                # the peaks of the loud ones.
                observer = calibrator.Calibrator(
                    content, num_threads=1, qsv_update_func=qsv_utils.min_max_update
                )
                inputs = [
                    {name: value[None] for name, value in zip(windows, values)}
                    for values in zip(*windows.values())
                ]
                observer.calibrate({SIGNATURE: inputs}, recipe)
                ranges = observer.get_model_qsvs()
            quantized = quantizer.Quantizer(
                content, recipe.get_quantization_recipe()
            ).quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
        except Exception as error:  # it raises many kinds of errors
            raise UserError(
                f"the quantizer failed: {first_line(error):.300}"
            ) from error
    return read_model(quantized.quantized_model)


def _quantizer():
    """Modules of the quantizer that is installed, and its names of operators."""
    refusals = []
    for package in PACKAGES:
        try:
            names = "calibrator", "quantizer", "recipe_manager", "utils.qsv_utils"
            modules = [importlib.import_module(f"{package}.{name}") for name in names]
            types = importlib.import_module(f"{package}.qtyping")
            return (*modules, types.TFLOperationName)
        except ImportError as error:
            refusals.append(error)
    raise UserError(
        f"int8 weights need the package ai-edge-quantizer ({refusals[0]}); install it: "
        "python -m pip install ai-edge-quantizer"
    ) from refusals[0]
