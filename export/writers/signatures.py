"""The signatures of a SavedModel: the questions that a server can ask it."""

import json
from typing import Any

import numpy as np

from export.contract.heads import output_name
from export.contract.layout import (
    ABOUT,
    INPUT,
    LENGTHS,
    OUTPUT,
    PADDED_SIGNATURE,
    QUESTION,
    SIGNATURE,
)
from export.source import stages
from export.source.opening import Source
from export.writers.folding import SharedConstants, folded_call
from export.writers.serving import LOUDEST, logits, model_outputs, probabilities
from leaf_files.quiet import import_keras, import_tensorflow

_TOP = 5


def make_signatures(source: Source, trainable: bool = False) -> dict[str, Any]:
    """The signatures of a SavedModel of a model.

    Each takes `waveform` (batch, samples), float32, of any batch and any length from
    one sample; of the model's own length if that is fixed. It is refused with an
    error if it holds no samples, a number that is not finite, or numbers that are no
    sound (an effective value of two million).

        serving_default: `probabilities` and `logits` (batch, classes) of each head,
            and `top_labels` (batch, k), strings, and `top_probabilities` (batch, k) of
            its k = min(5, classes) most probable classes. Among several heads the
            names are <head>_probabilities, ...
        serving_padded: The same for clips of different lengths, padded at their end;
            takes `lengths` (batch,), int32, too. Each clip gets the answer that it
            gets alone. A model of a fixed length has no such signature.
        features: `features` (batch, frames, n_filters) of the frontend.
        embeddings: `embeddings` (batch, dims), the input of the heads.
        about: Facts that a caller must know, for any string `question` (TF Serving's
            REST has no call without input): `sample_rate` (Hz) and `window_samples`,
            int32; `labels` (classes,) and `activation` of each head, strings; also
            `decisions`, JSON, of one whose probabilities are calibrated or have
            thresholds, see `leaf_files.decisions`.

    `features` and `embeddings` are left out of models that have no such tensor.

    Args:
        source: The model.
        trainable: Whether they take the weights from the model's variables. Else these
            are folded to constants.

    Returns:
        {name: tf.function}.

    Example:

    >>> sorted(make_signatures(source))
    ['about', 'embeddings', 'features', 'serving_default', 'serving_padded']
    """
    constants = None if trainable else SharedConstants()
    shared = _shared(source, constants)
    signatures = {
        SIGNATURE: _function(
            source, lambda waveform: _answer(source, shared(waveform)["heads"])
        ),
        ABOUT: _about(source),
    }
    if source.model.input_shape[1] is None:
        signatures[PADDED_SIGNATURE] = _padded(source, shared, constants)
    for name in stages.inner(source.model):
        signatures[name] = _stage(source, shared, name)
    return signatures


def _shared(source, constants):
    """One function in the file for all that the signatures compute of a waveform.

    Weights are folded into it, unless there are no `constants`. Of a model of any
    length there are two then, one of them for the length of a window: most clients ask
    for that, and many of the operations for any length only find out what that is.
    """
    tf = import_tensorflow()
    outputs = _all_outputs(source)
    spec = _waveform_spec(source)
    any_length = _call(outputs, [spec], constants)
    if spec.shape[1] is not None or not constants:
        return tf.function(any_length, input_signature=[spec], autograph=False)
    samples = source.window_samples
    of_window = tf.TensorSpec((None, samples), tf.float32, name=INPUT)
    # Constants of its own: to fetch shared ones takes a fifth of its time.
    window = folded_call(outputs, [of_window])

    def one_window(waveform):
        # Not `ensure_shape`: TensorFlow may check it before it knows the branch.
        waveform = tf.identity(waveform)
        waveform.set_shape(of_window.shape)
        return window(waveform)

    def shared(waveform):
        return tf.cond(
            tf.shape(waveform)[1] == samples,
            lambda: one_window(waveform),
            lambda: any_length(waveform),
        )

    return tf.function(shared, input_signature=[spec], autograph=False)


def _call(function, signature, constants):
    """`folded_call`; the function as it is without `constants` to share."""
    return folded_call(function, signature, constants) if constants else function


def _all_outputs(source):
    """Function from waveforms to all outputs of the model."""
    keras = import_keras()
    outputs = {"heads": source.model.output, **stages.inner(source.model)}
    model = keras.Model(source.model.input, outputs)
    return lambda waveform: model_outputs(model, waveform)


def _stage(source, shared, name):
    return _function(source, lambda waveform: {name: shared(waveform)[name]})


def _waveform_spec(source):
    tf = import_tensorflow()
    return tf.TensorSpec((None, source.model.input_shape[1]), tf.float32, name=INPUT)


def _function(source, serve):
    """A tf.function of waveforms that are checked."""
    tf = import_tensorflow()
    return tf.function(
        lambda waveform: serve(_checked(waveform)),
        input_signature=[_waveform_spec(source)],
        autograph=False,
    )


def _checked(waveform):
    tf = import_tensorflow()
    samples = tf.shape(waveform)[1]
    message = (
        f"`{INPUT}` must have at least one sample and finite numbers only, scaled to "
        "[-1, 1]."
    )
    check = tf.debugging.Assert(samples > 0, [message, tf.shape(waveform)])
    with tf.control_dependencies([check]):
        waveform = tf.debugging.check_numerics(waveform, message)
    # The bound of `graph_edits.guard_outputs`.
    power = tf.reduce_mean(tf.square(waveform), axis=1)
    is_sound = tf.reduce_all(power < LOUDEST**2)
    with tf.control_dependencies([tf.debugging.Assert(is_sound, [message, power])]):
        return tf.identity(waveform)


def _answer(source, outputs):
    answer = {}
    for head in source.heads:
        head_answer = _head_answer(head, outputs[head.name])
        answer.update({output_name(head.name, k): v for k, v in head_answer.items()})
    return answer


def _head_answer(head, output):
    tf = import_tensorflow()
    all_probabilities = probabilities(head, output)
    top, classes = tf.math.top_k(all_probabilities, min(_TOP, len(head.labels)))
    return {
        OUTPUT: all_probabilities,
        "logits": logits(head, output),
        "top_labels": tf.gather(tf.constant(head.labels), classes),
        "top_probabilities": top,
    }


def _padded(source, shared, constants):
    """`serving_padded`: by a mask if a trial shows that it works, else clip by clip."""
    tf = import_tensorflow()

    with_mask = _call(
        lambda waveform, mask: model_outputs(source.model, waveform, mask),
        [
            tf.TensorSpec((None, None), tf.float32, name=INPUT),
            tf.TensorSpec((None, None), tf.bool, name="mask"),
        ],
        constants,
    )

    def masked(waveform, lengths):
        mask = tf.sequence_mask(lengths, tf.shape(waveform)[1])
        return _answer(source, with_mask(waveform, mask))

    def one_by_one(waveform, lengths):
        def alone(clip):
            waveform, length = clip
            answer = _answer(source, shared(waveform[None, :length])["heads"])
            return {name: value[0] for name, value in answer.items()}

        specs = {}
        for head in source.heads:
            specs.update(_one_answer_specs(head))
        return tf.map_fn(alone, (waveform, lengths), fn_output_signature=specs)

    answer = masked if _ignores_padding(source, shared, masked) else one_by_one

    def serve(waveform, lengths):
        waveform = _checked(waveform)
        is_length = (lengths > 0) & (lengths <= tf.shape(waveform)[1])
        message = f"`{LENGTHS}` must be from 1 to the samples of `{INPUT}`."
        check = tf.debugging.Assert(tf.reduce_all(is_length), [message, lengths])
        with tf.control_dependencies([check]):
            return answer(waveform, tf.identity(lengths))

    specs = [
        tf.TensorSpec((None, None), tf.float32, name=INPUT),
        tf.TensorSpec((None,), tf.int32, name=LENGTHS),
    ]
    return tf.function(serve, input_signature=specs, autograph=False)


def _one_answer_specs(head):
    """Shapes and types of `_answer` for one clip."""
    tf = import_tensorflow()
    n_classes, n_top = len(head.labels), min(_TOP, len(head.labels))
    specs = {
        OUTPUT: tf.TensorSpec(n_classes, tf.float32),
        "logits": tf.TensorSpec(n_classes, tf.float32),
        "top_labels": tf.TensorSpec(n_top, tf.string),
        "top_probabilities": tf.TensorSpec(n_top, tf.float32),
    }
    return {output_name(head.name, name): spec for name, spec in specs.items()}


def _ignores_padding(source, shared, masked):
    """Whether a padded clip with a mask gets the answers that it gets alone."""
    length = source.sample_rate // 3
    noise = np.random.default_rng(0).uniform(-1, 1, (1, 2 * length)).astype("float32")
    padded = masked(noise, np.array([length], "int32"))
    alone = _answer(source, shared(noise[:, :length])["heads"])
    names = [head.output for head in source.heads]
    return all(np.allclose(padded[name], alone[name], atol=1e-5) for name in names)


def _about(source):
    tf = import_tensorflow()

    def tell(question):
        answer = {
            "sample_rate": tf.constant(source.sample_rate),
            "window_samples": tf.constant(source.window_samples),
        }
        for head in source.heads:
            answer[output_name(head.name, "labels")] = tf.constant(head.labels)
            answer[output_name(head.name, "activation")] = tf.constant(head.activation)
            for name, content in head.decisions_entry.items():
                text = json.dumps(content, sort_keys=True)
                answer[output_name(head.name, name)] = tf.constant(text)
        return answer

    specs = [tf.TensorSpec((), tf.string, name=QUESTION)]
    return tf.function(tell, input_signature=specs, autograph=False)
