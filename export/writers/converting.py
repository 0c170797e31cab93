"""From a function of TensorFlow to a TFLite model, by the converter that is installed.

TensorFlow's own, `tf.lite`, is to leave TensorFlow's packages. The package
litert-converter has the same passes, which begin at what TensorFlow itself says of a
function.
"""

import importlib.util
import os
import tempfile
from typing import Any

from export.contract.layout import SIGNATURE
from export.writers.folding import fold
from export.writers.saved_model import save_module
from leaf_files.errors import UserError, first_line
from leaf_files.quiet import import_tensorflow, native_logs_hidden

TF_LITE, LITERT = CONVERTERS = "tf.lite", "litert-converter"
# Variable of the environment that names one of these.
VARIABLE = "LEAF_TFLITE_CONVERTER"

_ENTRY = "tf.entry_function"  # what TensorFlow calls the function that was converted
# A first run of the passes, on this, is what makes TensorFlow's operators known.
_ANY_MODULE = """
func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  %y = stablehlo.add %x, %x : tensor<1xf32>
  return %y : tensor<1xf32>
}
"""


def convert(serve: Any) -> bytes:
    """The bytes of a TFLite model of builtin operators.

    Args:
        serve: tf.function with an input signature of fixed shapes, to a dict.

    Raises:
        UserError: Builtin operators are not enough, no converter is installed, or it
            fails.

    Example:

    >>> tf = import_tensorflow()
    >>> spec = [tf.TensorSpec((2,), tf.float32, name="x")]
    >>> content = convert(tf.function(lambda x: {"y": 2 * x}, input_signature=spec))
    >>> content[4:8]
    b'TFL3'
    """
    by_name = {TF_LITE: _by_tf_lite, LITERT: _by_litert}
    return by_name[converter()](fold(serve.get_concrete_function()))


def converter() -> str:
    """The name of the converter: `VARIABLE`'s, else the first that is installed.

    Raises:
        UserError: None is installed, or the variable names none, or one that isn't.

    Example:

    >>> converter() in CONVERTERS
    True
    """
    lite = getattr(import_tensorflow(), "lite", None)
    installed = {
        TF_LITE: hasattr(lite, "TFLiteConverter"),
        LITERT: importlib.util.find_spec("litert_converter") is not None,
    }
    wanted = os.environ.get(VARIABLE)
    if wanted and wanted not in CONVERTERS:
        raise UserError(
            f"{VARIABLE} must be one of {', '.join(CONVERTERS)}. Received: {wanted}"
        )
    for name in [wanted] if wanted else CONVERTERS:
        if installed[name]:
            return name
    if wanted == TF_LITE:
        raise UserError(
            f"this TensorFlow has no {TF_LITE}; leave out {VARIABLE}, and install "
            f"{LITERT}: python -m pip install {LITERT}"
        )
    lacks = "" if wanted else f", as this TensorFlow has no {TF_LITE}"
    raise UserError(
        f".tflite files need the package {LITERT}{lacks}; install it: python -m pip "
        f"install {LITERT}; or leave tflite out of --formats"
    )


def _by_tf_lite(serve):
    tf = import_tensorflow()
    with native_logs_hidden(), tempfile.TemporaryDirectory() as folder:
        # Saved here, not by the converter: where it can't save (a swish brings a
        # gradient of its own), it leaves the names out without a word.
        save_module(
            tf.Module(),
            folder,
            signatures={SIGNATURE: serve},
            options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
        )
        lite = tf.lite.TFLiteConverter.from_saved_model(folder)
        lite.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            return lite.convert()
        except Exception as error:  # the converter's own has no public name
            names = {e.operator.name for e in getattr(error, "errors", ())} - {""}
            raise _refusal(names, error) from error


def _by_litert(serve):
    tf = import_tensorflow()
    function = serve.get_concrete_function()
    text = tf.mlir.experimental.convert_function(
        function, pass_pipeline="tf-standard-pipeline"
    )
    with native_logs_hidden():
        from litert_converter.mlir import ir
        from litert_converter.mlir._mlir_libs import converter_api_ext

        context = ir.Context()
        converter_api_ext.prepare_mlir_context(context)
        with context:
            try:
                _run_passes(ir.Module.parse(_ANY_MODULE))
                module = ir.Module.parse(text)
                for each in module.body.operations:  # of loops, too
                    is_entry = _ENTRY in each.attributes
                    if is_entry:
                        each.attributes["sym_name"] = ir.StringAttr.get("main")
                    else:
                        each.attributes["sym_visibility"] = ir.StringAttr.get("private")
                _run_passes(module)
                names = set(_operators(module))
                left = {name for name in names if name.startswith("tf.")}
                if left:
                    raise _refusal(left, None)
                if "tfl.while" in names:
                    raise UserError(
                        f"{LITERT} can't write a loop, such as a recurrent layer's: "
                        "build the layer with unroll=True, or convert by a TensorFlow "
                        f"that has {TF_LITE}"
                    )
                converter_api_ext.set_signature(
                    module.operation,
                    SIGNATURE,
                    [tensor.op.name for tensor in function.inputs],
                    sorted(function.structured_outputs),
                )
                return converter_api_ext.export_flatbuffer_to_bytes(module.operation)
            except (ValueError, RuntimeError) as error:
                raise _refusal(set(), error) from error


def _run_passes(module):
    from litert_converter.mlir import passmanager
    from litert_converter.mlir._mlir_libs import converter_api_ext

    converter_api_ext.run_convert_to_tfl_passes(
        module, passmanager.PassManager(), converter_api_ext.ConvertToTFLConfig()
    )


def _operators(module):
    """Yields the names of the operators in a module, those in loops as well."""
    waiting = list(module.body.operations)
    while waiting:
        operation = waiting.pop().operation
        yield operation.name
        waiting += [op for region in operation.regions for b in region for op in b]


def _refusal(names, error):
    if names:
        return UserError(
            f"TFLite has no builtin operator for {', '.join(sorted(names))}: the model "
            "would need select-TF or custom operators, which phones and browsers lack; "
            "replace it in the model, or export with --formats saved_model"
        )
    return UserError(f"the TFLite converter failed: {first_line(error)}")
