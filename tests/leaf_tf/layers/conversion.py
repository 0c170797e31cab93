"""What a layer becomes as a TFLite file of builtin operators."""

import tempfile

import numpy as np


def run_tflite(layer, inputs):
    """Outputs of a layer, converted as export does, for inputs of a fixed shape."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from export.contract.layout import INPUT, OUTPUT
    from export.writers.folding import fold
    from leaf_tf.frontends.live_plan import weights_stay

    if not layer.built:
        layer.build(inputs.shape)
    serve = tf.function(
        lambda waveform: {OUTPUT: layer(waveform)},
        input_signature=[tf.TensorSpec(inputs.shape, tf.float32, name=INPUT)],
        autograph=False,
    )
    with weights_stay():
        folded = fold(serve.get_concrete_function())
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, signatures={"serving_default": folded})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        content = converter.convert()
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (place,) = interpreter.get_input_details()
    interpreter.set_tensor(place["index"], np.asarray(inputs, np.float32))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
