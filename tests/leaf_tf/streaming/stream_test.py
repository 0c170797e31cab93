"""A stream's features are those of the whole sound, whatever the chunks."""

import keras
import numpy as np
import pytest
from keras import ops

import leaf_tf
from leaf_tf.streaming import Stream
from tests.leaf_tf.parameters import numbers, parameters_of, perturb
from tests.reference import leaf as reference

TENSORFLOW = keras.backend.backend() == "tensorflow"
TOLERANCE = 1e-5

FRONTENDS = {
    "leaf": lambda: leaf_tf.Leaf(n_filters=12),
    "leaf_exact": lambda: leaf_tf.Leaf(
        n_filters=8, method="exact", preemp=True, compression="log1p"
    ),
    "leaf_symmetric": lambda: leaf_tf.Leaf(
        n_filters=8, pooling_padding="symmetric", pooling_bias=True
    ),
    "leaf_exact_symmetric": lambda: leaf_tf.Leaf(
        n_filters=8, method="exact", pooling_padding="symmetric", pooling_bias=True
    ),
    "leaf_preemphasis": lambda: leaf_tf.Leaf(
        n_filters=8, preemp=True, compression="none"
    ),
    "leaf_sorted": lambda: leaf_tf.Leaf(
        n_filters=8, initial_filters="random", sort_filters=True, compression="log"
    ),
    "leaf_short_hops": lambda: leaf_tf.Leaf(n_filters=6, window_stride=4.0),
    "leaf_short_windows": lambda: leaf_tf.Leaf(n_filters=8, window_len=5.0),
    "leaf_even_kernels": lambda: leaf_tf.Leaf(
        n_filters=8, sample_rate=22050, compression="multi_rate_pcen"
    ),
    "leaf_exact_even_kernels": lambda: leaf_tf.Leaf(
        n_filters=8, sample_rate=22050, method="exact"
    ),
    "mel": lambda: leaf_tf.MelFilterbanks(learn_filters=True),
    "mel_pcen": lambda: leaf_tf.MelFilterbanks(compression="pcen"),
    "mel_loudness": lambda: leaf_tf.MelFilterbanks(compression="loudness_pcen"),
    "mel_simplified": lambda: leaf_tf.MelFilterbanks(
        compression="simplified_pcen", window_len=5.0
    ),
    "sincnet_plus": lambda: leaf_tf.SincNetPlus(n_filters=8),
    "sincnet": lambda: leaf_tf.SincNet(n_filters=8),
    "sincnet_short_windows": lambda: leaf_tf.SincNet(n_filters=8, window_len=5.0),
    "time_domain": lambda: leaf_tf.TimeDomainFilterbanks(n_filters=8, preemp=True),
    "efficient_leaf": lambda: leaf_tf.EfficientLeaf(
        n_filters=12, median_subtraction=False
    ),
    "efficient_leaf_pcen": lambda: leaf_tf.EfficientLeaf(
        n_filters=12, compression="pcen", preemp=True, window_stride=7.0, n_groups=3
    ),
}
# Hops of each chunk.
CHUNKS = {
    "1": [1] * 6,
    "2": [2] * 3,
    "5": [5] * 2,
    "10": [10] * 2,
    "50": [50],
    "mixed": [1, 50, 2, 10, 5],
    "one hop in all": [1],
    "few hops": [2, 1],
}


@pytest.fixture(scope="module", params=FRONTENDS.values(), ids=FRONTENDS)
def frontend(request):
    """A frontend whose weights have moved."""
    keras.utils.set_random_seed(0)
    layer = request.param()
    layer.build((None, None))
    if layer.weights:
        perturb(layer, np.random.default_rng(5))
    return layer


@pytest.fixture(scope="module")
def stream(frontend):
    return Stream(frontend)


def sound(rng, strides, hops, batch=2):
    """Noise that rises and falls, and starts and ends with a click."""
    samples = strides * hops
    loudness = np.exp(2 * np.sin(np.arange(samples) / 1000) - 3)
    waveform = loudness * rng.standard_normal((batch, samples))
    waveform[:, 0] = waveform[:, -1] = 0.9
    return waveform.astype("float32")


def in_chunks(stream, waveform, hops):
    """The features by `run`, of chunks of so many hops."""
    ends = stream.strides * np.cumsum(hops)
    chunks = np.split(waveform, ends[:-1], axis=1)
    return np.concatenate([numbers(part) for part in stream.run(chunks)], axis=1)


@pytest.mark.parametrize("hops", CHUNKS.values(), ids=CHUNKS)
def test_equals_the_frontend_from_the_first_frame_to_the_last(
    frontend, stream, hops, rng
):
    waveform = sound(rng, stream.strides, sum(hops))
    whole = numbers(frontend(waveform))
    if sum(hops) < 3 and isinstance(frontend, leaf_tf.TimeDomainFilterbanks):
        # Shorter than a window, of which the frontend makes a frame nevertheless.
        whole = whole[:, :0]
    parts = in_chunks(stream, waveform, hops)
    assert parts.shape == whole.shape
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=TOLERANCE)


def test_a_frame_is_there_as_soon_as_it_is_known(frontend, stream, rng):
    hops, frame = 24, 8
    waveform = sound(rng, stream.strides, hops, batch=1)
    end = (frame + stream.delay + 1) * stream.strides
    before = numbers(frontend(waveform))[0, frame]
    later, last_hop = waveform.copy(), waveform.copy()
    later[:, end:] *= -3
    # So loud that the last taps, however small, show it.
    last_hop[:, end - stream.strides : end] = 1e9 * rng.standard_normal(stream.strides)
    # The frame depends on the last hop that it waits for, and on none after it.
    after = numbers(frontend(later))[0, frame]
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=TOLERANCE)
    if frontend.kernel_size > frontend.strides:  # else the plan rounds up once more
        difference = numbers(frontend(last_hop))[0, frame] - before
        assert np.abs(difference).max() > TOLERANCE


def test_silence_at_the_start_is_the_frontends(frontend, stream, rng):
    waveform = sound(rng, stream.strides, 16)
    waveform[:, : 8 * stream.strides] = 0.0
    parts = in_chunks(stream, waveform, [8] * 2)
    whole = numbers(frontend(waveform))
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=TOLERANCE)


def test_before_the_first_frame_there_are_zeros(stream, rng):
    waveform = sound(rng, stream.strides, stream.delay + 2)
    state = stream.initial_state(2)
    frames, _ = stream.step(waveform, state)
    assert not np.any(numbers(frames)[:, : stream.delay])
    assert np.all(np.any(numbers(frames)[:, stream.delay :], axis=-1))


def test_equals_the_formulas_in_float64(rng):
    leaf = leaf_tf.Leaf(n_filters=6, method="exact")
    leaf.build((None, None))
    perturb(leaf, rng)
    waveform = sound(rng, 160, 30, batch=1)
    expected = reference.leaf(waveform[0], parameters_of(leaf))
    parts = in_chunks(Stream(leaf), waveform, [1, 2, 10, 17])
    np.testing.assert_allclose(parts[0], expected, rtol=1e-4, atol=1e-4)


def test_the_plan_is_executed_not_the_definition(rng):
    leaf, exact = leaf_tf.Leaf(), leaf_tf.Leaf(method="exact")
    waveform = sound(rng, 160, 20)
    fast = in_chunks(Stream(leaf), waveform, [20])
    away = np.abs(fast - numbers(exact(waveform))).max()
    # The plan's own error, a hundred times that between the stream and the plan.
    assert np.abs(fast - numbers(leaf(waveform))).max() < 2e-6
    assert 1e-5 < away < 1e-2


@pytest.mark.parametrize(
    "layer, delay, latency_ms",
    [
        # The window's middle is 80 samples into its hop; 560 samples.
        (leaf_tf.Leaf, 3, 35.0),
        (leaf_tf.SincNetPlus, 3, 35.0),
        # Frame k is the window from its hop's start on: 480 - 200 samples.
        (leaf_tf.MelFilterbanks, 2, 17.5),
        (leaf_tf.TimeDomainFilterbanks, 3, 27.5),
    ],
)
def test_latency(layer, delay, latency_ms):
    stream = Stream(layer())
    assert stream.delay == delay
    assert stream.latency_ms == pytest.approx(latency_ms)


def test_the_state_is_small_zero_and_of_one_shape(stream, rng):
    state = stream.initial_state(3)
    assert all(not np.any(numbers(value)) for value in state.values())
    for hops in (1, 30):
        _, state = stream.step(sound(rng, stream.strides, hops, batch=3), state)
        shapes = {name: tuple(value.shape[1:]) for name, value in state.items()}
        assert shapes == stream.state_shapes
        assert all(value.shape[0] == 3 for value in state.values())


@pytest.mark.parametrize(
    "layer, most",
    [
        # Waveform and decimated copies, 2 hops' worth of 40 sums, 40 averages.
        (leaf_tf.Leaf, 900),
        # 280 samples of the waveform, and the same sums and averages.
        (lambda: leaf_tf.Leaf(method="exact"), 280 + 281 + 121),
        # 320 samples, the clock, the count of marked frames.
        (leaf_tf.MelFilterbanks, 322),
    ],
)
def test_state_sizes(layer, most):
    shapes = Stream(layer()).state_shapes.values()
    assert sum(int(np.prod(shape)) for shape in shapes) <= most


def test_the_streams_of_a_batch_are_independent_and_start_anew(stream, rng):
    waveform = sound(rng, stream.strides, 20)
    first, second = np.split(waveform, 2, axis=1)
    alone, _ = stream.step(second[1:], stream.initial_state())
    state = stream.initial_state(2)
    _, state = stream.step(first, state)
    is_kept = np.array([1.0, 0.0], "float32")
    state = {
        name: value * is_kept.reshape((2,) + (1,) * (len(value.shape) - 1))
        for name, value in state.items()
    }
    together, _ = stream.step(second, state)
    np.testing.assert_allclose(
        numbers(together)[1:], numbers(alone), rtol=1e-5, atol=TOLERANCE
    )


def test_counting_stops_without_a_trace(stream, rng):
    waveform = sound(rng, stream.strides, 20, batch=1)
    _, state = stream.step(waveform, stream.initial_state())
    old = {**state, "heard": ops.full((1, 1), 2.0**20)}
    for hops in (1, 5):
        chunk = waveform[:, : hops * stream.strides]
        frames, state = stream.step(chunk, state)
        old_frames, old = stream.step(chunk, old)
        np.testing.assert_array_equal(numbers(old_frames), numbers(frames))
    assert numbers(old["heard"]) == 2.0**20


def test_training_leaves_the_stream_as_it_is(rng):
    leaf = leaf_tf.Leaf(n_filters=8)
    waveform = sound(rng, 160, 12)
    before = numbers(leaf(waveform))
    stream = Stream(leaf)
    perturb(leaf, rng)
    np.testing.assert_allclose(in_chunks(stream, waveform, [12]), before, atol=1e-5)
    assert np.abs(numbers(leaf(waveform)) - before).max() > 0.01


def test_features_have_the_policys_dtype(rng):
    leaf = leaf_tf.Leaf(n_filters=8, dtype="mixed_bfloat16")
    waveform = sound(rng, 160, 12)
    stream = Stream(leaf)
    frames, state = stream.step(waveform, stream.initial_state(2))
    assert keras.backend.standardize_dtype(frames.dtype) == "bfloat16"
    assert {keras.backend.standardize_dtype(v.dtype) for v in state.values()} == {
        "float32"
    }
    whole = numbers(ops.cast(leaf(waveform), "float32"))
    frames = numbers(ops.cast(frames, "float32"))
    np.testing.assert_allclose(
        frames[:, stream.delay :], whole[:, : 12 - stream.delay], atol=1e-2
    )


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own tracing")
def test_step_compiles(jit_compile, rng):
    import tensorflow as tf

    frontend = leaf_tf.Leaf(preemp=True)
    stream = Stream(frontend)
    step = tf.function(stream.step, jit_compile=jit_compile, autograph=False)
    waveform = sound(rng, stream.strides, 20)
    state, parts = stream.initial_state(2), []
    for chunk in np.split(waveform, 4, axis=1):
        frames, state = step(tf.constant(chunk), state)
        parts.append(frames)
    frames = np.concatenate(parts, axis=1)[:, stream.delay :]
    whole = numbers(frontend(waveform))[:, : 20 - stream.delay]
    np.testing.assert_allclose(frames, whole, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    "frontend, message",
    [
        (lambda: leaf_tf.Wavegram(), "the frontend Wavegram can't be streamed"),
        (lambda: leaf_tf.EfficientLeaf(), "median over the clip.* median_subtraction"),
        (lambda: leaf_tf.Leaf(mean_var_norm=True), "mean_var_norm=True can't be"),
        (
            lambda: leaf_tf.Leaf(compression=keras.layers.Rescaling(2.0)),
            "the compression Rescaling can't be streamed.*Allowed are PCEN",
        ),
        (lambda: keras.layers.Dense(3), "must be a leaf_tf frontend"),
    ],
)
def test_what_cannot_be_streamed_says_why(frontend, message):
    with pytest.raises(ValueError, match=message):
        Stream(frontend())


@pytest.mark.parametrize(
    "chunk, message",
    [
        (np.zeros((1, 161), "float32"), "a multiple of the hop, 160"),
        (np.zeros((1, 0), "float32"), "a multiple of the hop, 160"),
        (np.zeros(160, "float32"), "must be .batch, samples."),
        (np.zeros((1, 160, 2), "float32"), "must be .batch, samples."),
        (np.zeros((1, 160), "int16"), "divide 16-bit samples by 32768"),
    ],
)
def test_other_chunks_are_refused(chunk, message):
    stream = Stream(leaf_tf.MelFilterbanks())
    with pytest.raises(ValueError, match=message):
        stream.step(chunk, stream.initial_state())


def test_a_third_axis_of_one_channel_is_taken(rng):
    stream = Stream(leaf_tf.MelFilterbanks())
    waveform = sound(rng, 160, 5)
    expected, _ = stream.step(waveform, stream.initial_state(2))
    frames, _ = stream.step(waveform[..., None], stream.initial_state(2))
    np.testing.assert_array_equal(numbers(frames), numbers(expected))
