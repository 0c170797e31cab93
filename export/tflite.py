"""Writes a TFLite file of builtin operators."""

import tempfile

from export.folding import fold
from export.serving import serving_function
from files.errors import UserError
from files.quiet import import_tensorflow, native_logs_hidden


def write_tflite(source, path):
    """Writes the float32 model for one window, (1, window_samples).

    Weights, and what is computed from them alone, are constants in it.

    Args:
        source: `export.sources.Source`.
        path: File to write.

    Raises:
        UserError: An operator of the model is not among TFLite's own. It is
            never replaced by a select-TF one, which phones and browsers lack.
    """
    tf = import_tensorflow()
    serve = serving_function(source, batch=1, samples=source.window_samples)
    with native_logs_hidden(), tempfile.TemporaryDirectory() as folder:
        # Saved here, not by the converter: where it can't save (a swish brings
        # a gradient of its own), it says nothing and leaves the names out.
        tf.saved_model.save(
            tf.Module(),
            folder,
            signatures={"serving_default": fold(serve.get_concrete_function())},
            options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
        )
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            content = converter.convert()
        except Exception as error:  # the converter's own has no public name
            raise UserError(_reason(error)) from error
    with open(path, "wb") as file:
        file.write(content)


def _reason(error):
    names = sorted(
        {entry.operator.name for entry in getattr(error, "errors", ())} - {""}
    )
    if names:
        return (
            f"TFLite has no builtin operator for {', '.join(names)}: the model would "
            "need select-TF or custom operators, which phones and browsers lack; "
            "replace it in the model, or export with --formats saved_model"
        )
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"the TFLite converter failed: {first_line}"
