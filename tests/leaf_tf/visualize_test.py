import dataclasses
import subprocess
import sys
import warnings

import numpy as np
import pytest

import leaf_tf
from leaf_tf import visualize
from leaf_tf.dsp import units
from leaf_tf.frontends.base import Frontend
from leaf_tf.layers.gabor import GaborFilters
from tests.leaf_tf.parameters import numbers, perturb, weights_by_name
from tests.reference.leaf import gabor_filters

RATE = 16000
PCEN = ("alpha", "delta", "root", "smooth_coef")


class Adding(Frontend):
    """A foreign frontend whose filters n sum up the samples t and t + n."""

    def __init__(self):
        super().__init__(3, RATE, 25.0, 10.0, 60.0, None, "none")

    def impulse_responses(self):
        return np.eye(3)[:, :1] + np.eye(3)


class Free(Frontend):
    """A frontend whose taps themselves are a weight."""

    def __init__(self, taps):
        super().__init__(taps.shape[1] // 2, RATE, 25.0, 10.0, 60.0, None, "none")
        self.filters = self.add_weight(shape=(len(taps), 1, taps.shape[1]))
        self.filters.assign(taps[:, None])

    def impulse_responses(self):
        taps = numbers(self.filters)[:, 0].astype(np.float64)
        return taps[:, 0::2] + 1j * taps[:, 1::2]


class Filterbank(GaborFilters):
    """Gabor filters and pooling in one stage, as EfficientLeaf has them."""

    kernel_size, sample_rate = 401, RATE

    def build(self, _):
        self.center_freqs = self.add_bounded_weight("center_freqs", np.ones(3))
        self.sigmas = self.add_bounded_weight("sigmas", np.full(3, 20.0))
        self.widths = self.add_bounded_weight("widths", np.full(3, 0.4))


class OneStage(Frontend):
    """A frontend whose filters and pooling are one stage."""

    def __init__(self):
        super().__init__(3, RATE, 25.0, 10.0, 60.0, None, "none")
        self.filterbank = Filterbank()

    def build(self, input_shape):
        super().build(input_shape)
        self.filterbank.build(input_shape)

    def impulse_responses(self):
        return self.filterbank.impulse_responses()

    def center_freqs_hz(self):
        return self.filterbank.center_freqs_hz()

    def bandwidths_hz(self):
        return self.filterbank.bandwidths_hz()

    def pooling_widths_ms(self):
        return 25.0 * numbers(self.filterbank.widths)


def built(layer):
    layer.build((None, None))
    return layer


def leaf(**settings):
    defaults = {"n_filters": 6, "sample_rate": RATE, "max_freq": 2500.0}
    return built(leaf_tf.Leaf(**{**defaults, **settings}))


def free(taps):
    return built(Free(taps))


def adding():
    return built(Adding())


def change(layer, name, function):
    """Sets a weight to a function of what it is; returns the layer."""
    weight = weights_by_name(layer)[name]
    weight.assign(function(numbers(weight)))
    return layer


def bounded(stage, name):
    return numbers(stage.bounded(weights_by_name(stage)[name]))


def centers_hz(layer):
    return bounded(layer.filtering, "center_freqs") * RATE / (2 * np.pi)


def bandwidths_hz(layer):
    """FWHM in time is 2.3548 sigma; in frequency 2.3548 / sigma rad/sample."""
    fwhm = 2 * np.sqrt(2 * np.log(2))
    return fwhm / bounded(layer.filtering, "sigmas") * RATE / (2 * np.pi)


def moved(rng):
    """A Leaf and what it was before."""
    layer = leaf()
    perturb(layer, rng)
    return layer, leaf()


def dots(axes):
    """(x, y) of the dots before and after training."""
    return [line.get_data() for line in axes.lines if line.get_marker() in ("o", ".")]


def labels(axes):
    return axes.get_xlabel(), axes.get_ylabel()


# --- drift: settings whose answer is known ---


def test_centers_moved_by_100_hz_report_100_hz():
    initial = leaf()
    step = units.hz_to_radians(100.0, RATE)
    drift = visualize.drift(change(leaf(), "center_freqs", lambda f: f + step), initial)
    assert drift.center_shift_hz == pytest.approx(100.0, rel=1e-4)
    assert drift.center_shift_bandwidths == pytest.approx(
        np.mean(100.0 / bandwidths_hz(initial)), rel=1e-4
    )
    assert drift.filters > 0.1
    others = dataclasses.replace(
        drift, filters=0, center_shift_hz=0, center_shift_bandwidths=0
    )
    assert set(dataclasses.astuple(others)) == {0}


@pytest.mark.parametrize(
    "weight, factor, field, expected",
    [
        ("sigmas", 0.5, "bandwidth_change", 1.0),  # a doubled bandwidth
        ("sigmas", 2.0, "bandwidth_change", 0.5),
        ("widths", 0.5, "pooling_width_change", 0.5),
        ("alpha", 0.25, "alpha_change", 0.75),
        ("delta", 3.0, "delta_change", 2.0),
        ("root", 1.5, "root_change", 0.5),
        ("smooth_coef", 2.0, "smooth_coef_change", 1.0),
    ],
)
def test_a_parameter_times_a_factor(weight, factor, field, expected):
    layer = change(leaf(), weight, lambda values: values * factor)
    values = dataclasses.asdict(visualize.drift(layer, leaf()))
    assert values.pop(field) == pytest.approx(expected, rel=1e-5)
    distance = values.pop("filters")
    assert (distance > 0.1) == (weight == "sigmas")
    assert set(values.values()) == {0.0}


def test_changes_are_means_over_filters_of_either_sign():
    signs = np.array([0.1, -0.1, 0.0, 0.0, 0.0, 0.0])
    layer = change(leaf(), "delta", lambda delta: delta * (1 + signs))
    assert visualize.drift(layer, leaf()).delta_change == pytest.approx(0.2 / 6)


def test_what_lies_beyond_the_bounds_counts_as_the_forward_pass_uses_it():
    layer = change(leaf(), "widths", lambda widths: widths + 100)  # 0.5 at most
    drift = visualize.drift(layer, leaf())
    assert drift.pooling_width_change == pytest.approx(0.25, rel=1e-5)
    layer = change(leaf(), "center_freqs", lambda freqs: -freqs)
    assert visualize.drift(layer, leaf()).center_shift_hz == pytest.approx(
        centers_hz(leaf()).mean(), rel=1e-5
    )


def test_nothing_moved():
    drift = visualize.drift(leaf(), leaf())
    assert set(dataclasses.astuple(drift)) == {0.0}


def test_a_change_from_zero_has_no_size():
    initial, layer = (leaf(compression=leaf_tf.PCEN(alpha=0.0)) for _ in range(2))
    change(layer, "alpha", lambda alpha: alpha + 0.5)
    drift = visualize.drift(layer, initial)
    assert drift.alpha_change is None and drift.delta_change == 0.0


def test_the_distance_is_that_of_gaussians(rng):
    """Hellinger distance of Gaussian power responses, in closed form."""
    before = change(leaf(), "center_freqs", lambda _: np.linspace(0.5, 2.5, 6))
    change(before, "sigmas", lambda _: rng.uniform(10, 50, 6))
    after = change(leaf(), "center_freqs", lambda _: rng.uniform(0, 0.1, 6))
    change(after, "center_freqs", lambda shift: shift + np.linspace(0.5, 2.5, 6))
    change(after, "sigmas", lambda _: rng.uniform(10, 50, 6))
    b0, b1 = bandwidths_hz(before), bandwidths_hz(after)
    shift = centers_hz(after) - centers_hz(before)
    square = b0**2 + b1**2
    overlap = np.sqrt(2 * b0 * b1 / square) * 2 ** (-4 * shift**2 / square)
    distances = visualize.filter_distances(after, before)
    np.testing.assert_allclose(distances, np.sqrt(1 - overlap), rtol=1e-3, atol=1e-4)
    assert visualize.drift(after, before).filters == pytest.approx(distances.mean())


def test_the_examples_of_the_docstring():
    def distance(shift, factor):
        layers = []
        for moves in (0, 1):
            layer = change(leaf(), "sigmas", lambda _: np.full(6, 20.0))
            width = units.hz_to_radians(bandwidths_hz(layer)[0], RATE)
            step = width * shift * moves
            change(layer, "center_freqs", lambda _, step=step: np.full(6, 1.0 + step))
            change(layer, "sigmas", lambda s, f=factor**moves: s / f)
            layers.append(layer)
        return visualize.drift(layers[1], layers[0]).filters

    assert distance(0.1, 1) == pytest.approx(0.12, abs=0.005)
    assert distance(1.0, 1) == pytest.approx(0.87, abs=0.005)
    assert distance(0.0, 2) == pytest.approx(0.32, abs=0.005)
    assert distance(20.0, 1) == pytest.approx(1.0, abs=1e-6)


def test_gains_do_not_count_and_opposite_frequencies_do(rng):
    taps = rng.standard_normal((9, 4)).astype(np.float32)
    conjugate = taps * np.array([1, -1, 1, -1])
    assert visualize.drift(free(3 * taps), free(taps)).filters < 1e-6
    assert visualize.drift(free(conjugate), free(taps)).filters > 0.1


def test_a_filter_that_fell_silent_is_still_a_number(rng):
    taps = rng.standard_normal((9, 4)).astype(np.float32)
    distances = visualize.filter_distances(free(0 * taps), free(taps))
    assert np.all((distances > 0.5) & (distances <= 1.0))


def test_drift_reads_as_a_sentence():
    layer = change(leaf(), "sigmas", lambda sigmas: sigmas / 2)
    text = str(visualize.drift(layer, leaf()))
    assert "filters 0.3" in text and " of 1, center 0 Hz, " in text
    assert "bandwidth 100 %" in text and "PCEN alpha 0 %" in text
    assert str(visualize.Drift()) == "nothing learned"


def test_untrained_is_the_start_and_shares_nothing(rng):
    layer, initial = moved(rng)
    fresh = visualize.untrained(layer)
    for name, weight in weights_by_name(fresh).items():
        np.testing.assert_array_equal(numbers(weight), weights_by_name(initial)[name])
    assert visualize.drift(layer, fresh) == visualize.drift(layer, initial)


# --- figures: what is drawn is what the layer has ---


def test_responses_are_those_of_the_formula(rng):
    layer = leaf()
    perturb(layer, rng)
    weights = weights_by_name(layer)
    taps = gabor_filters(
        numbers(weights["center_freqs"]), numbers(weights["sigmas"]), 401
    )
    axes = visualize.filter_responses(layer).axes[0]
    assert labels(axes) == ("frequency, Hz", "amplitude, dB")
    for line, filter_taps in zip(axes.lines, taps, strict=True):
        freqs_hz, levels = line.get_data()
        assert (freqs_hz[0], freqs_hz[-1]) == (0.0, RATE / 2)
        expected = np.abs(np.fft.fft(filter_taps, 2 * (len(freqs_hz) - 1)))
        np.testing.assert_allclose(
            10 ** (levels / 20), expected[: len(freqs_hz)], atol=1e-5
        )


def test_a_tone_peaks_at_its_own_frequency_with_0_db():
    layer = change(
        leaf(), "center_freqs", lambda _: np.pi * np.array([1, 2, 3, 4, 5, 6]) / 8
    )
    for index, line in enumerate(visualize.filter_responses(layer).axes[0].lines):
        freqs_hz, levels = line.get_data()
        assert freqs_hz[levels.argmax()] == 1000 * (index + 1)
        assert levels.max() == pytest.approx(0.0, abs=0.01)


def test_responses_of_foreign_filters():
    for line, n in zip(visualize.filter_responses(adding()).axes[0].lines, range(3)):
        freqs_hz, levels = line.get_data()
        expected = 2 * np.abs(np.cos(np.pi * freqs_hz * n / RATE))
        np.testing.assert_allclose(10 ** (levels / 20), expected, atol=1e-6)


def test_responses_of_free_taps(rng):
    taps = rng.standard_normal((9, 4)).astype(np.float32)
    for n, line in enumerate(visualize.filter_responses(free(taps)).axes[0].lines):
        freqs_hz, levels = line.get_data()
        waves = np.exp(-2j * np.pi * np.outer(freqs_hz / RATE, np.arange(9)))
        expected = np.abs(waves @ (taps[:, 2 * n] + 1j * taps[:, 2 * n + 1]))
        np.testing.assert_allclose(10 ** (levels / 20), expected, atol=1e-5)


def test_filters_and_pooling_may_be_one_stage():
    layer, initial = built(OneStage()), built(OneStage())
    change(layer, "sigmas", lambda sigmas: sigmas / 2)
    change(layer, "widths", lambda widths: widths / 2)
    drift = visualize.drift(layer, initial)
    assert (drift.bandwidth_change, drift.pooling_width_change) == (1.0, 0.5)
    assert drift.filters == pytest.approx(np.sqrt(1 - np.sqrt(0.8)), rel=1e-3)
    for line in visualize.filter_responses(layer).axes[0].lines:
        freqs_hz, levels = line.get_data()
        # A Gaussian of deviation 1 / 10 rad/sample at 1 rad/sample, 0 dB there.
        expected = np.exp(-0.5 * (10 * (2 * np.pi * freqs_hz / RATE - 1)) ** 2)
        np.testing.assert_allclose(10 ** (levels / 20), expected, atol=1e-5)


def test_centers_and_bandwidths_before_and_after(rng):
    layer, initial = moved(rng)
    left, right = visualize.centers_and_bandwidths(layer, initial).axes
    assert labels(left) == ("filter", "center frequency, Hz")
    assert labels(right) == ("center frequency, Hz", "bandwidth (FWHM), Hz")
    names = [text.get_text() for text in left.get_legend().get_texts()]
    assert names == ["before training", "after training"]
    frontends = (initial, layer)
    for frontend, on_left, on_right in zip(frontends, dots(left), dots(right)):
        expected = centers_hz(frontend), bandwidths_hz(frontend)
        np.testing.assert_allclose(on_left, [np.arange(6), expected[0]], rtol=1e-5)
        np.testing.assert_allclose(on_right, expected, rtol=1e-5)


def test_pairs_are_joined_before_to_after(rng):
    layer, initial = moved(rng)
    axes = visualize.centers_and_bandwidths(layer, initial).axes[1]
    joints = np.reshape(axes.lines[-1].get_xdata(), (6, 3))
    np.testing.assert_allclose(joints[:, 0], centers_hz(initial), rtol=1e-5)
    np.testing.assert_allclose(joints[:, 1], centers_hz(layer), rtol=1e-5)
    assert np.isnan(joints[:, 2]).all()


def test_pooling_widths_are_in_ms(rng):
    """Initially 0.4 of half of 400 samples, 5 ms, as a deviation."""
    axes = visualize.pooling_widths(leaf()).axes[0]
    [(places, widths)] = dots(axes)
    np.testing.assert_allclose(places, centers_hz(leaf()), rtol=1e-5)
    np.testing.assert_allclose(widths, 5.0 * 2.354820, rtol=1e-5)
    assert labels(axes) == ("center frequency, Hz", "pooling width (FWHM), ms")
    layer, initial = moved(rng)
    (_, before), (_, after) = dots(visualize.pooling_widths(layer, initial).axes[0])
    np.testing.assert_allclose(before, 5.0 * 2.354820, rtol=1e-5)
    shares = bounded(layer.pooling, "widths") / 0.4
    np.testing.assert_allclose(after, before * shares, rtol=1e-5)


def test_pcen_has_a_panel_for_each_parameter(rng):
    layer, initial = moved(rng)
    axes = visualize.pcen_parameters(layer, initial).axes
    for panel, name in zip(axes, PCEN, strict=True):
        assert panel.get_ylabel().split(",")[0] == name
        for frontend, (x, y) in zip((initial, layer), dots(panel), strict=True):
            np.testing.assert_allclose(x, centers_hz(frontend), rtol=1e-5)
            np.testing.assert_allclose(
                y, bounded(frontend.compressing, name), rtol=1e-5
            )


def test_channels_without_center_frequencies_go_by_number():
    mel = built(leaf_tf.MelFilterbanks(5, RATE, compression="pcen"))
    panel = visualize.pcen_parameters(mel).axes[-1]
    assert panel.get_xlabel() == "filter"
    np.testing.assert_array_equal(dots(panel)[0][0], np.arange(5))


def test_the_drift_figure_holds_the_numbers(rng):
    layer, initial = moved(rng)
    drift = visualize.drift(layer, initial)
    left, right = visualize.drift_figure(layer, initial).axes
    x, y = left.lines[0].get_data()
    np.testing.assert_allclose(x, centers_hz(initial), rtol=1e-5)
    np.testing.assert_array_equal(y, visualize.filter_distances(layer, initial))
    assert f"{drift.filters:.2g} of 1" in left.get_title()
    widths = [bar.get_width() for bar in right.patches]
    fields = dataclasses.astuple(drift)[2:]
    np.testing.assert_allclose(widths, 100 * np.array(fields))
    names = [label.get_text() for label in right.get_yticklabels()]
    assert names[:3] == ["center / bandwidth", "bandwidth", "pooling width"]
    assert names[3:] == [f"PCEN {name}" for name in PCEN]


def test_the_drift_of_filters_alone_is_one_panel(rng):
    taps = rng.standard_normal((9, 4)).astype(np.float32)
    [axes] = visualize.drift_figure(free(taps + 1), free(taps)).axes
    assert axes.get_xlabel() == "filter"


@pytest.mark.parametrize(
    "make, names",
    [
        (leaf, ["filter_responses", "filters", "pooling_widths", "pcen_parameters"]),
        (
            lambda: leaf(compression="log"),
            ["filter_responses", "filters", "pooling_widths"],
        ),
        (adding, ["filter_responses"]),
        (
            lambda: built(leaf_tf.MelFilterbanks(compression="pcen")),
            ["pcen_parameters"],
        ),
    ],
)
def test_all_figures_that_a_frontend_has_stages_for(make, names):
    assert list(visualize.figures(make())) == names
    assert list(visualize.figures(make(), make())) == [*names, "drift"]


def test_mel_learns_nothing():
    mel = built(leaf_tf.MelFilterbanks())
    assert visualize.figures(mel, mel) == {}
    assert visualize.drift(mel, mel) == visualize.Drift()


@pytest.mark.parametrize(
    "settings",
    [
        {"n_filters": 1},
        {"sample_rate": 1001, "max_freq": None},
        {"n_filters": 64, "sample_rate": 48000},
    ],
)
def test_any_leaf_can_be_drawn(settings, tmp_path):
    layer = leaf(**settings)
    ends = np.resize([0.0, np.pi], layer.n_filters)
    change(layer, "center_freqs", lambda _: ends)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__ implementation")  # Keras's
        drawn = visualize.figures(layer, visualize.untrained(layer))
        for name, figure in drawn.items():
            figure.savefig(tmp_path / f"{name}.png")


# --- errors ---


@pytest.mark.parametrize(
    "function, what",
    [
        ("filter_responses", "filters of its own"),
        ("centers_and_bandwidths", "center frequencies of its own"),
        ("pooling_widths", "Gaussian pooling"),
        ("pcen_parameters", "PCEN"),
    ],
)
def test_frontends_without_the_stage_are_refused(function, what):
    mel = built(leaf_tf.MelFilterbanks())
    message = (
        f"`layer` must be a frontend with {what}, such as leaf_tf.Leaf. "
        "Received: MelFilterbanks"
    )
    with pytest.raises(ValueError, match=message):
        getattr(visualize, function)(mel)
    with pytest.raises(ValueError, match="has no weights yet; call it on a waveform"):
        getattr(visualize, function)(leaf_tf.Leaf())


def test_a_drift_of_nothing_cannot_be_drawn():
    mel = built(leaf_tf.MelFilterbanks())
    with pytest.raises(ValueError, match="filters, Gaussian pooling or PCEN"):
        visualize.drift_figure(mel, mel)


@pytest.mark.parametrize(
    "other", [{"n_filters": 7}, {"sample_rate": 8000}, {"compression": "log"}]
)
def test_another_frontend_is_no_start(other):
    for function in (visualize.drift, visualize.centers_and_bandwidths):
        with pytest.raises(ValueError, match="`initial` must be the frontend before"):
            function(leaf(), leaf(**other))


# --- what it costs to have it ---


def test_numbers_need_no_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import leaf_tf\n"
        "assert 'leaf_tf.visualize' not in sys.modules\n"
        "visualize = leaf_tf.visualize\n"
        "from leaf_tf import visualize as imported\n"
        "assert imported is visualize and 'visualize' in dir(leaf_tf)\n"
        "layer = leaf_tf.Leaf(2); layer.build((None, None))\n"
        "assert visualize.drift(layer, visualize.untrained(layer)).filters == 0.0"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_pyplot_keeps_no_figure():
    from matplotlib import pyplot

    visualize.figures(leaf(), leaf())
    assert pyplot.get_fignums() == []
