"""Planned energies against the definition, computed slowly in float64."""

import keras
import numpy as np
import pytest
from keras import ops

from leaf_tf.dsp import multirate
from leaf_tf.dsp.multirate import plan_multirate, pooled_energies
from tests.leaf_tf.dsp.multirate.banks import mel_bank
from tests.reference import leaf as reference

N_FILTERS = 40


def exact(waveforms, bank, kernel_size=401, strides=160):
    center_freqs, sigmas, widths = bank
    return np.stack(
        [
            reference.pooled(
                reference.energies(w, center_freqs, sigmas, kernel_size),
                widths,
                kernel_size,
                strides,
            )
            for w in waveforms
        ]
    )


def fast(waveforms, bank, plan):
    tensors = [ops.convert_to_tensor(v, dtype="float32") for v in (waveforms, *bank)]
    return ops.convert_to_numpy(pooled_energies(*tensors, plan))


def pcen(energies):
    parameters = [np.full(energies.shape[-1], v) for v in (0.96, 2.0, 2.0, 0.04)]
    floored = np.maximum(energies, 1e-5)
    return np.stack([reference.pcen(clip, *parameters) for clip in floored])


def assert_features_close(actual, expected, largest, mean):
    difference = np.abs(pcen(actual) - pcen(expected))
    assert difference.max() < largest
    assert difference.mean() < mean


def test_white_noise(rng):
    noise = 0.2 * rng.standard_normal((2, 16000))
    bank = mel_bank()
    actual = fast(noise, bank, plan_multirate(*bank))
    assert_features_close(actual, exact(noise, bank), 1e-3, 3e-5)


def test_predicted_error_is_what_white_noise_measures(rng):
    noise = 0.2 * rng.standard_normal((4, 16000))
    bank = mel_bank(16)
    plan = plan_multirate(*bank, tolerance=2e-3)
    expected = exact(noise, bank)[:, 2:-2]
    errors = fast(noise, bank, plan)[:, 2:-2] - expected
    measured = np.sqrt(np.mean(errors**2, axis=(0, 1))) / expected.mean(axis=(0, 1))
    predicted = multirate.predicted_errors(plan)[0]
    large = predicted > 1e-5  # smaller ones are float32 rounding
    np.testing.assert_allclose(measured[large], predicted[large], rtol=0.5)


@pytest.mark.parametrize(
    "samples", [1, 100, 160, 161, 400, 700, 1599, 1600, 1601, 2345]
)
def test_first_and_last_frames_at_any_length(samples, rng):
    noise = 0.2 * rng.standard_normal((1, samples))
    bank = mel_bank()
    actual = fast(noise, bank, plan_multirate(*bank))
    assert_features_close(actual, exact(noise, bank), 1e-2, 3e-4)


def test_tones_and_impulses():
    times = np.arange(4000)
    tones = [np.sin(2 * np.pi * f / 16000 * times) for f in (100, 1000, 7000)]
    impulses = np.zeros(4000)
    impulses[::1234] = 1.0
    waveforms = 0.5 * np.stack([*tones, impulses])
    bank = mel_bank()
    actual = fast(waveforms, bank, plan_multirate(*bank))
    difference = np.abs(pcen(actual) - pcen(exact(waveforms, bank)))
    # Tones begin and end at once: the worst is what leaks at the last frames.
    assert difference.mean() < 2e-3
    assert difference[-1].max() < 1e-2


def test_silence_is_zero():
    bank = mel_bank()
    assert np.all(fast(np.zeros((1, 3000)), bank, plan_multirate(*bank)) == 0)


@pytest.mark.parametrize(
    ("n_filters", "kernel_size", "sample_rate", "strides"),
    [
        (23, 201, 8000, 80),
        (12, 552, 22050, 220),  # an even kernel
        (20, 401, 16000, 100),
        (40, 401, 16000, 151),  # a prime hop
        (12, 81, 16000, 160),  # a hop longer than the window
        (3, 65, 16000, 32),
    ],
)
def test_any_rate_window_and_hop(n_filters, kernel_size, sample_rate, strides, rng):
    bank = mel_bank(n_filters, kernel_size, sample_rate)
    plan = plan_multirate(*bank, kernel_size, kernel_size, strides)
    noise = 0.2 * rng.standard_normal((1, 3001))
    expected = exact(noise, bank, kernel_size, strides)
    assert_features_close(fast(noise, bank, plan), expected, 1e-2, 3e-4)


@pytest.mark.parametrize("seed", range(3))
def test_random_filters_in_any_order(seed):
    rng = np.random.default_rng(seed)
    bank = (
        rng.uniform(0, np.pi, 12),
        np.exp(rng.uniform(np.log(2), np.log(80), 12)),
        rng.uniform(0.05, 0.5, 12),
    )
    noise = 0.2 * rng.standard_normal((1, 3333))
    actual = fast(noise, bank, plan_multirate(*bank))
    assert_features_close(actual, exact(noise, bank), 1e-2, 3e-4)


def test_exact_plan_is_the_definition(rng):
    bank = mel_bank(8)
    noise = 0.2 * rng.standard_normal((1, 1234))
    actual = fast(noise, bank, multirate.exact_plan(*bank, 401, 401, 160))
    np.testing.assert_allclose(actual, exact(noise, bank), rtol=2e-4)


def test_clips_of_a_batch_do_not_touch(rng):
    bank = mel_bank()
    plan = plan_multirate(*bank)
    noise = 0.2 * rng.standard_normal((2, 2000))
    alone = fast(noise[:1], bank, plan)
    np.testing.assert_allclose(fast(noise, bank, plan)[:1], alone, rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
def test_unknown_length_in_a_graph(rng):
    import tensorflow as tf

    bank = [tf.constant(v, tf.float32) for v in mel_bank()]
    plan = plan_multirate(*mel_bank())
    graph = tf.function(
        lambda waveform: pooled_energies(waveform, *bank, plan),
        input_signature=[tf.TensorSpec([None, None])],
    )
    for samples in (1, 159, 700, 2345):
        waveform = tf.constant(rng.standard_normal((2, samples)), tf.float32)
        expected = pooled_energies(waveform, *bank, plan)
        np.testing.assert_allclose(graph(waveform), expected, rtol=1e-5, atol=1e-9)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
def test_gradients_are_those_of_the_exact_plan(rng):
    import tensorflow as tf

    bank = [tf.Variable(v, dtype=tf.float32) for v in mel_bank()]
    waveform = tf.constant(0.2 * rng.standard_normal((2, 4000)), tf.float32)
    targets = tf.constant(rng.standard_normal((2, 25, N_FILTERS)), tf.float32)

    def gradients(plan):
        with tf.GradientTape() as tape:
            energies = pooled_energies(waveform, *map(tf.convert_to_tensor, bank), plan)
            loss = tf.reduce_sum(targets * tf.math.log(energies + 1e-5))
        return tape.gradient(loss, bank)

    actual = gradients(plan_multirate(*mel_bank()))
    expected = gradients(multirate.exact_plan(*mel_bank(), 401, 401, 160))
    for ours, theirs in zip(actual, expected):
        assert np.linalg.norm(ours - theirs) < 2e-2 * np.linalg.norm(theirs)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
def test_constant_weights_leave_constant_kernels_in_tflite(rng, tmp_path):
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from export.writers.folding import fold

    plan = plan_multirate(*mel_bank())
    bank = [tf.constant(v, tf.float32) for v in mel_bank()]
    graph = tf.function(
        lambda waveform: {"energies": pooled_energies(waveform, *bank, plan)},
        input_signature=[tf.TensorSpec([1, 4000], name="waveform")],
    )
    folded = fold(graph.get_concrete_function())
    tf.saved_model.save(tf.Module(), tmp_path, signatures={"serving_default": folded})
    model = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path)).convert()
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    names = [op["op_name"] for op in interpreter._get_ops_details()]
    assert not {"EXP", "SIN", "COS", "GATHER", "WHILE", "IF"} & set(names)
    assert names.count("DELEGATE") == 1
    noise = (0.2 * rng.standard_normal((1, 4000))).astype(np.float32)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], noise)
    interpreter.invoke()
    actual = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(actual, pooled_energies(noise, *bank, plan), rtol=1e-4)


def test_a_compact_plan_has_the_same_energies_from_smaller_kernels(rng):
    bank = mel_bank()
    plan = plan_multirate(*bank)
    compact = plan.compact()
    waveforms = rng.normal(size=(2, 4000)).astype(np.float32)
    np.testing.assert_allclose(
        fast(waveforms, bank, compact), fast(waveforms, bank, plan), rtol=2e-5
    )
    assert _kernel_numbers(compact) < 0.6 * _kernel_numbers(plan)
    assert compact.compact() == compact
    for group, wide in zip(compact.groups, plan.groups):
        # A vector is filled by each step of it, or was not by the plan either.
        lanes = 2 * len(group.filters) * group.per_block
        assert lanes >= 16 or group.per_block == wide.per_block


def _kernel_numbers(plan):
    return sum(
        g.n_blocks * g.block * 2 * len(g.filters) * g.per_block for g in plan.groups
    )
