"""What frontends say of themselves is what they do: all of them are asked alike."""

import dataclasses
import inspect

import keras
import numpy as np
import pytest
from keras import ops

import leaf_tf
from leaf_tf import visualize
from leaf_tf.frontends import FRONTENDS
from leaf_tf.layers import PCEN
from leaf_tf.layers.compressions import COMPRESSIONS
from leaf_tf.streaming import Stream
from leaf_tf.weights import SOURCES
from tests.leaf_tf.parameters import numbers, weights_by_name

RATE, N = 8000, 5
# So that they learn, and can be streamed.
OPTIONS = {
    "mel": {"learn_filters": True},
    "efficient_leaf": {"median_subtraction": False},
}
# By name, what is asked for below; of a frontend that isn't here, anything may be true.
ANSWERS = {
    "leaf": {"filters", "centers", "pooling", "pcen", "stream", "weights"},
    "efficient_leaf": {"filters", "centers", "pooling", "stream", "weights"},
    "tfbanks": {"filters", "stream"},
    "sincnet": {"filters", "centers", "stream"},
    "sincnet_plus": {"filters", "centers", "pooling", "pcen", "stream"},
    "wavegram": set(),
    "mel": {"filters", "stream"},
}
# Weights that the drift is made of, but for the taps of TimeDomainFilterbanks.
MEASURED = {
    *("center_freqs", "sigmas", "low_freqs", "bandwidths", "filterbank", "widths"),
    *("alpha", "delta", "root", "smooth_coef"),
}

pytestmark = pytest.mark.parametrize("name", FRONTENDS)


def make(name, **options):
    """A small frontend, the same one at each call."""
    keras.utils.set_random_seed(0)
    options = {**OPTIONS.get(name, {}), **options}
    layer = FRONTENDS[name](n_filters=N, sample_rate=RATE, **options)
    layer.build((None, None))
    return layer


def move(layer, rng):
    """All that is learned, by up to a tenth."""
    for weight in layer.trainable_weights:
        weight.assign(numbers(weight) * rng.uniform(0.9, 1.1, weight.shape))
    return layer


def one_line(error):
    message = str(error.value)
    assert "\n" not in message
    return message


def test_who_has_what(name):
    layer = make(name)
    has = {
        "filters": layer.frequency_responses() is not None,
        "centers": layer.center_freqs_hz() is not None,
        "pooling": layer.pooling_widths_ms() is not None,
        "pcen": layer.pcen_parameters() is not None,
        "stream": layer.energies_on_stream(lag=0) is not None,
        "weights": layer.published_as is not None,
    }
    found = {answer for answer, is_given in has.items() if is_given}
    assert found == ANSWERS.get(name, found)
    assert (layer.bandwidths_hz() is None) == (layer.center_freqs_hz() is None)


def test_a_tone_in_the_middle_of_a_filter_is_loudest_in_its_channel(name, rng):
    layer = move(make(name), rng)
    responses = layer.frequency_responses()
    if responses is None:
        assert layer.impulse_responses() is None
        return
    assert responses.shape[1] == N
    half = responses[: len(responses) // 2 + 1]
    middles = layer.center_freqs_hz()
    if middles is None:
        middles = half.argmax(axis=0) * RATE / len(responses)
    tones = 0.5 * np.cos(2 * np.pi * middles[:, None] / RATE * np.arange(2400))
    energies = numbers(
        layer.compute_energies(ops.convert_to_tensor(tones, "float32"), None)
    )
    middle = energies[:, energies.shape[1] // 2]
    np.testing.assert_array_equal(middle.argmax(axis=0), np.arange(N))


def test_centers_and_bandwidths_are_those_of_the_responses(name, rng):
    layer = move(make(name), rng)
    centers, bandwidths = layer.center_freqs_hz(), layer.bandwidths_hz()
    if centers is None:
        return
    responses = layer.frequency_responses()
    freqs = np.arange(len(responses)) * RATE / len(responses)
    for response, center, bandwidth in zip(responses.T, centers, bandwidths):
        half = response[freqs <= RATE / 2]
        above = freqs[np.flatnonzero(half >= half.max() / 2)]
        bin_hz = freqs[1]
        assert (above[0] + above[-1]) / 2 == pytest.approx(center, abs=2 * bin_hz)
        assert above[-1] - above[0] == pytest.approx(bandwidth, abs=4 * bin_hz)


def test_pooling_widths_are_those_of_the_window(name, rng):
    """A click is pooled to the window: frames show how wide it is."""
    layer = move(make(name, window_stride=0.25), rng)  # 2 samples
    widths = layer.pooling_widths_ms()
    if widths is None or np.isrealobj(layer.impulse_responses()):
        return  # what real filters answer to a click has either sign
    click = np.zeros((1, 1600), "float32")
    click[0, 800] = 1.0
    energies = numbers(layer.compute_energies(ops.convert_to_tensor(click), None))[
        0
    ].astype(np.float64)
    # The filter's own width in time adds to it, as squares do.
    added = 1000 * 2 * np.log(2) / np.pi * np.sqrt(2) / layer.bandwidths_hz()
    for energy, width, own in zip(energies.T, widths, added):
        above = np.flatnonzero(energy >= energy.max() / 2)
        found = 0.25 * (above[-1] - above[0] + 1)
        assert width - 1 < found < np.hypot(width, own) + 1


def test_nothing_drifts_but_what_is_moved(name):
    layer, initial = make(name), make(name)
    still = visualize.drift(layer, initial)
    assert set(dataclasses.astuple(still)) <= {0.0, None}
    seen = set()
    for weight in layer.trainable_weights:
        before = numbers(weight).copy()
        weight.assign(
            before * np.linspace(0.8, 0.95, before.size).reshape(before.shape)
        )
        drift = visualize.drift(layer, initial)
        if any(drift_ for drift_ in dataclasses.astuple(drift)):
            seen.add(weight.path.split("/", 1)[1])
        weight.assign(before)
    measured = MEASURED | ({"kernel"} if name == "tfbanks" else set())
    paths = {weight.path.split("/", 1)[1] for weight in layer.trainable_weights}
    assert seen == {path for path in paths if path.split("/")[-1] in measured}


def test_what_is_drawn_is_what_it_says(name, rng):
    layer, initial = move(make(name), rng), make(name)
    figures = visualize.figures(layer, initial)
    answers = {
        "filter_responses": layer.frequency_responses(),
        "filters": layer.center_freqs_hz(),
        "pooling_widths": layer.pooling_widths_ms(),
        "pcen_parameters": layer.pcen_parameters(),
    }
    expected = [figure for figure, answer in answers.items() if answer is not None]
    assert list(figures) == expected + ["drift"] * bool(expected)
    if "filter_responses" in figures:
        lines = figures["filter_responses"].axes[0].lines
        for line, response in zip(lines, answers["filter_responses"].T, strict=True):
            levels = 10 ** (line.get_ydata() / 20)
            np.testing.assert_allclose(levels, response[: len(levels)], atol=1e-9)
    if "filters" in figures:
        left, right = figures["filters"].axes
        np.testing.assert_allclose(left.lines[1].get_ydata(), answers["filters"])
        np.testing.assert_allclose(right.lines[1].get_ydata(), layer.bandwidths_hz())


def test_a_run_of_another_frontend_is_no_start(name):
    other = FRONTENDS["mel" if name == "leaf" else "leaf"](N, RATE)
    other.build((None, None))
    with pytest.raises(ValueError, match="`initial` must be the frontend before"):
        visualize.drift(make(name), other)


# --- what is frozen ---


@pytest.mark.parametrize("compression", ["default", "pcen", "log1p", "none"])
def test_after_freeze_the_compression_alone_learns(name, compression, rng):
    if name == "sincnet" and compression != "none":
        compression = "default"
    options = {} if compression == "default" else {"compression": compression}
    layer = make(name, **options)
    kept = [] if layer.compressing is None else layer.compressing.trainable_weights
    kept = {weight.path for weight in kept}
    layer.freeze(keep_compression=True)
    assert {weight.path for weight in layer.trainable_weights} == kept
    model = keras.Sequential(
        [
            keras.Input((800,)),
            layer,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2),
        ]
    )
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    before = {weight.path: numbers(weight).copy() for weight in layer.weights}
    noise = rng.uniform(0.1, 1, (4, 1)) * rng.uniform(-1, 1, (4, 800))
    model.fit(noise.astype("float32"), rng.uniform(-1, 1, (4, 2)), verbose=0)
    moved = {w.path for w in layer.weights if np.any(numbers(w) != before[w.path])}
    # Batch normalisation behind the compression takes part in it, with its averages.
    own = set() if layer.compressing is None else layer.compressing.weights
    assert kept <= moved <= {weight.path for weight in own}
    layer.freeze()
    assert layer.trainable_weights == []


def test_no_part_is_made_twice(name, monkeypatch):
    made = []
    init = PCEN.__init__

    def counted(self, *args, **kwargs):
        made.append(self)
        init(self, *args, **kwargs)

    monkeypatch.setattr(PCEN, "__init__", counted)
    options = {} if name == "sincnet" else {"compression": "pcen"}
    layer = FRONTENDS[name](**options)
    assert made == ([] if name == "sincnet" else [layer.compressing])


# --- streams, weights ---


def test_a_stream_is_the_frontend_or_a_line_says_why_not(name, rng):
    layer = move(make(name), rng)
    if layer.energies_on_stream(lag=0) is None:
        with pytest.raises(
            ValueError, match="can't be streamed; those that can: "
        ) as e:
            Stream(layer)
        assert type(layer).__name__ not in one_line(e).partition(";")[2]
        return
    stream = Stream(layer)
    waveform = rng.uniform(-1, 1, (2, 24 * stream.strides)).astype("float32")
    chunks = np.split(waveform, stream.strides * np.array([1, 6, 14]), axis=1)
    parts = [numbers(part) for part in stream.run(chunks)]
    np.testing.assert_allclose(
        np.concatenate(parts, axis=1), numbers(layer(waveform)), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("source", SOURCES)
def test_weights_go_to_a_source_and_back_or_a_line_says_why_not(name, source, rng):
    layer, other = (make(name, **_WANTED.get((name, source), {})) for _ in range(2))
    move(layer, rng)
    if (name, source) not in _WANTED:
        with pytest.raises(ValueError, match="must be a leaf_tf.*Received: ") as error:
            leaf_tf.export_weights(layer, source)
        one_line(error)
        return
    leaf_tf.import_weights(other, leaf_tf.export_weights(layer, source), source)
    expected = weights_by_name(layer)
    for weight_name, weight in weights_by_name(other).items():
        np.testing.assert_array_equal(numbers(weight), numbers(expected[weight_name]))


_TORCH = {"pooling_padding": "symmetric", "pooling_bias": True}
_WANTED: dict[tuple[str, str], dict] = {
    ("leaf", "leaf-audio"): {},
    ("leaf", "leaf-pytorch"): _TORCH,
    ("leaf", "speechbrain"): _TORCH,
    ("leaf", "efficientleaf"): {**_TORCH, "pooling_bias": False},
    ("leaf", "audax"): {},
    ("efficient_leaf", "efficientleaf"): {"median_subtraction": True},
}


def test_an_exact_twin_computes_the_same_nearly(name, rng):
    layer = move(make(name), rng)
    twin = layer.exact_twin()
    if twin is None:
        return
    waveform = rng.uniform(-1, 1, (1, 4000)).astype("float32")
    features = numbers(layer(waveform))
    assert 0 < np.abs(numbers(twin(waveform)) - features).max() < 0.01
    assert twin.exact_twin() is None
    assert 0 < layer.predicted_errors()[0].max() < 0.01


# --- how it is found ---


def test_it_is_public_and_its_docstring_names_all_that_it_takes(name):
    kind = FRONTENDS[name]
    assert getattr(leaf_tf, kind.__name__) is kind and kind.__name__ in leaf_tf.__all__
    told = inspect.getdoc(kind)
    taken = set(inspect.signature(kind).parameters) - {"kwargs"}
    missing = [
        argument
        for argument in (*taken, "mean_var_norm", "spec_augment")
        if not any(
            argument in line.partition(":")[0].replace(" ", "").split(",")
            for line in told.splitlines()
        )
    ]
    assert missing == []
    if name == "leaf":
        assert [c for c in COMPRESSIONS if f'"{c}"' not in told] == []
        assert "lengths" in told


@pytest.mark.parametrize("learn_filters", [True, False])
def test_a_tone_at_the_frequency_of_a_channel_is_loudest_there(name, learn_filters):
    """Channels that are sorted and filters that are not, where a frontend has both."""
    options = {"learn_filters": learn_filters, "sort_filters": True}
    known = inspect.signature(FRONTENDS[name]).parameters
    options = {option: options[option] for option in options if option in known}
    layer = make(name, compression="none", **options)
    if "sort_filters" in options:
        weights = weights_by_name(layer)["center_freqs"]
        weights.assign(numbers(weights)[::-1])
    frequencies = layer.channel_freqs_hz()
    if frequencies is None:
        assert layer.center_freqs_hz() is None
        return
    tones = 0.5 * np.cos(2 * np.pi * frequencies[:, None] / RATE * np.arange(2400))
    features = numbers(layer(tones.astype("float32")))
    middle = features[:, features.shape[1] // 2]
    np.testing.assert_array_equal(middle.argmax(axis=0), np.arange(N))
