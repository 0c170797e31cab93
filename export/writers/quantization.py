"""Makes a float32 model smaller: float16, dynamic-range, int8.

Integers destroy a frontend: its filters reject what is outside their band by terms
that cancel to a thousandth and less, and its energies span ten decades. So it computes
in float, from weights of float16; only those that average energies are int8. The
encoder is what integers are for.
"""

import re
import warnings

from export.contract.failures import first_line
from export.contract.layout import INPUT, SIGNATURE
from export.tflite_format.graph_edits import (
    ENCODER,
    averaging_products,
    drop_remarks,
    halve_constants,
    pool_maxima,
)
from export.tflite_format.model import read_model, write_model
from files.errors import UserError
from files.quiet import native_logs_hidden

_BITS = 8


def to_float16(model):
    """The model with its weights as float16, which are widened as it is loaded.

    Args:
        model: `ModelT`, float32, after `graph_edits.name_parts`.

    Returns:
        `ModelT`.
    """
    halve_constants(model)
    drop_remarks(model)
    return model


def to_dynamic(model):
    """The model with an encoder of int8 weights.

    Its activations are made int8 as they come, each by its own range.

    Args, Returns:
        As `to_float16`.

    Raises:
        UserError: The quantizer is not installed, or fails.
    """
    return _quantized(model, "add_dynamic_config", {"num_bits": _BITS})


def to_int8(model, windows):
    """The model with an encoder that computes in int8, weights and activations.

    Args:
        model: As of `to_float16`.
        windows: (n, window_samples), float32, such as the model was trained on: they
            tell the ranges of the activations.

    Returns:
        `ModelT`.

    Raises:
        UserError: The quantizer is not installed, or fails.
    """
    pool_maxima(model)
    bits = {"activation_num_bits": _BITS, "weight_num_bits": _BITS}
    return _quantized(model, "add_static_config", bits, windows)


def _quantized(model, configuration, bits, windows=None):
    averages = "|".join(map(re.escape, averaging_products(model)))
    content = write_model(model)
    with native_logs_hidden(), warnings.catch_warnings():
        # That it keeps all activations, which is what calibrating is.
        warnings.filterwarnings("ignore", message=".*preserve_all_tensors")
        try:
            from ai_edge_quantizer import calibrator, quantizer, recipe_manager
            from ai_edge_quantizer.qtyping import TFLOperationName
            from ai_edge_quantizer.utils.qsv_utils import min_max_update
        except ImportError as error:
            raise UserError(
                f"int8 weights need the package ai-edge-quantizer ({error}); install "
                "it: python -m pip install ai-edge-quantizer"
            ) from error
        recipe = recipe_manager.RecipeManager()
        # Matched with the names of what an operator makes, each with a ";" behind.
        getattr(recipe, configuration)(
            f"^{ENCODER}/", TFLOperationName.ALL_SUPPORTED, **bits
        )
        if windows is None:
            # Of depthwise filters XNNPACK has no such kernels: it runs them in float.
            recipe.add_weight_only_config(
                f"^{ENCODER}/", TFLOperationName.DEPTHWISE_CONV_2D, _BITS
            )
        if averages:
            recipe.add_weight_only_config(
                f"^({averages});", TFLOperationName.FULLY_CONNECTED, _BITS
            )
        try:
            ranges = None
            if windows is not None:
                # By default they are averages over the windows, which cut off what
                # the loud ones reach.
                observer = calibrator.Calibrator(
                    content, num_threads=1, qsv_update_func=min_max_update
                )
                inputs = [{INPUT: window[None]} for window in windows]
                observer.calibrate({SIGNATURE: inputs}, recipe)
                ranges = observer.get_model_qsvs()
            quantized = quantizer.Quantizer(
                content, recipe.get_quantization_recipe()
            ).quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
        except Exception as error:  # it raises many kinds
            raise UserError(
                f"the quantizer failed: {first_line(error):.300}"
            ) from error
    return to_float16(read_model(quantized.quantized_model))
