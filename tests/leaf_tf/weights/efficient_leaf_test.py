"""Weights of EfficientLEAF, whose numbers mean something else than ours."""

import numpy as np
import pytest

import leaf_tf
from leaf_tf.frontends.efficient_leaf import EfficientLeaf
from leaf_tf.weights import export_weights
from tests.leaf_tf.parameters import numbers, parameters_of
from tests.reference import leaf as reference


def built(layer):
    layer.build((None, None))
    return layer


def symmetric(n_filters):
    layer = leaf_tf.Leaf(n_filters, method="exact", pooling_padding="symmetric")
    return built(layer)


@pytest.mark.parametrize("has_logs", [False, True])
def test_efficientleaf_in_numbers_and_in_logarithms(has_logs, rng):
    parameters = {
        "center_freqs": np.array([0.2, 0.9, 2.0]),
        "sigmas": np.array([60.0, 20.0, 5.0]),
        "alpha": np.array([0.5, 0.9, 1.0]),
        "delta": np.array([0.5, 1.0, 3.0]),
        "root": np.array([1.0, 2.0, 4.0]),
        "smooth_coef": np.array([0.02, 0.1, 0.5]),
    }
    arrays = {
        "compression.alpha": parameters["alpha"],
        "compression.delta": parameters["delta"],
        # The inverse of PCEN's exponent, or the logarithm of the exponent itself.
        "compression.r": 1 / parameters["root"] if has_logs else parameters["root"],
        "compression.s": parameters["smooth_coef"],
    }
    if has_logs:
        arrays = {name: np.log(array) for name, array in arrays.items()}
    arrays["filterbank.center_freqs"] = parameters["center_freqs"]
    arrays["filterbank.bandwidths"] = parameters["sigmas"]
    arrays["filterbank.pooling_widths"] = np.full(3, 0.4)
    layer = symmetric(3)
    leaf_tf.import_weights(layer, arrays, source="efficientleaf")
    values = parameters_of(layer)
    for name, expected in parameters.items():
        np.testing.assert_allclose(values[name], expected, rtol=1e-6)
    waveform = 0.2 * rng.standard_normal(900)
    energies = reference.energies(
        waveform, parameters.pop("center_freqs"), parameters.pop("sigmas"), 401
    )
    times = np.arange(900) - np.arange(0, 900, 160)[:, None]
    windows = np.exp(-0.5 * (times / 80) ** 2) * (np.abs(times) <= 200)
    expected = reference.pcen(np.maximum(windows @ energies, 1e-5), **parameters)
    outputs = numbers(layer(waveform[None].astype("float32")))[0]
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_logarithms_that_pcen_does_not_allow_are_refused():
    layer = symmetric(2)
    arrays = export_weights(layer, source="efficientleaf")
    for name in ("alpha", "delta", "s"):
        arrays[f"compression.{name}"] = np.log(arrays[f"compression.{name}"])
    arrays["compression.alpha"] = np.array([0.1, -0.1])
    arrays["compression.r"] = np.array([-0.7, 0.2])
    message = "alpha 0.1, root 0.2. numpy.minimum"
    with pytest.raises(ValueError, match=message):
        leaf_tf.import_weights(layer, arrays, source="efficientleaf")


class Published:
    """The published EfficientLEAF, in float64; filters in groups of its own."""

    def __init__(self, arrays, n_groups, window_factor, stride_factor):
        self.arrays = arrays
        self.n_groups = n_groups
        self.window_factor = window_factor
        self.stride_factor = stride_factor

    def energies(self, waveform, size=401, hop=160):
        """(frames, n_filters), frame j centered on sample hop * j."""
        centers, sigmas, widths = (
            self.arrays[f"filterbank.{name}"]
            for name in ("center_freqs", "bandwidths", "pooling_widths")
        )
        outputs = []
        for filters in np.array_split(np.arange(len(centers)), self.n_groups):
            most = np.pi / centers[filters].max() * self.stride_factor
            stride = max(s for s in range(1, hop + 1) if hop % s == 0 and s <= most)
            half = int(sigmas[filters].max() * self.window_factor) // 2
            taps = int(size / stride + 0.5)
            taps += 1 - taps % 2
            times = np.arange(taps) - taps // 2
            padded = np.pad(waveform, half)
            for n in filters:
                gabor = reference.gabor_filters([centers[n]], [sigmas[n]], 2 * half + 1)
                windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
                energies = np.abs(windows[::stride] @ gabor[0]) ** 2
                energies = np.pad(energies, taps // 2)
                width = widths[n] / stride * size / taps * (taps - 1) / 2
                lowpass = np.exp(-0.5 * (times / width) ** 2)
                frames = np.lib.stride_tricks.sliding_window_view(energies, taps)
                outputs.append(frames[:: hop // stride] @ lowpass)
        return np.stack(outputs, axis=1)

    def features(self, waveform):
        """Without the median, normalised: (frames, n_filters)."""
        energies = self.energies(waveform)
        n = energies.shape[1]
        logs = np.log1p(10 ** self.arrays["compression.log1p.a"] * energies)
        logs -= np.sort(logs, axis=0)[(len(logs) - 1) // 2]
        gamma, beta, mean, variance = (
            self.arrays[f"compression.TBN.bn.{name}"][-n:]
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        return (logs - mean) / np.sqrt(variance + 1e-5) * gamma + beta


@pytest.mark.parametrize("appends", [False, True])
@pytest.mark.parametrize("settings", [(4, 4.77, 1.0), (3, 5.0, 16.0)])
def test_efficient_leaf_has_the_published_features(settings, appends, rng):
    n_groups, window_factor, stride_factor = settings
    layer = built(
        EfficientLeaf(
            12,
            n_groups=n_groups,
            window_factor=window_factor,
            stride_factor=stride_factor,
        )
    )
    n_norms = 24 if appends else 12
    arrays = {
        "filterbank.center_freqs": numbers(layer.filterbank.center_freqs),
        "filterbank.bandwidths": numbers(layer.filterbank.sigmas),
        "filterbank.pooling_widths": rng.uniform(0.2, 0.4, 12),
        "compression.log1p.a": rng.uniform(1, 6, 12),
        "compression.TBN.bn.weight": rng.uniform(0.5, 2, n_norms),
        "compression.TBN.bn.bias": rng.uniform(-1, 1, n_norms),
        "compression.TBN.bn.running_mean": rng.uniform(-1, 1, n_norms),
        "compression.TBN.bn.running_var": rng.uniform(0.5, 2, n_norms),
    }
    state = {**arrays, "compression.TBN.bn.num_batches_tracked": np.array(7)}
    leaf_tf.import_weights(layer, state, source="efficientleaf")
    # At this length SAME padding puts frames where the published code has them.
    waveform = 0.2 * rng.standard_normal(160 * 6 + 1)
    outputs = numbers(layer(waveform[None].astype("float32")))[0]
    expected = Published(arrays, *settings).features(waveform)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-3)
    exported = export_weights(layer, source="efficientleaf")
    assert exported.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_allclose(exported[name], array[-12:], rtol=1e-6)


def test_what_an_efficient_leaf_exports_is_imported_unchanged(rng):
    layer, other = built(EfficientLeaf(12)), built(EfficientLeaf(12))
    for weight in layer.weights:
        weight.assign(rng.uniform(0.1, 3.0, weight.shape))
    arrays = export_weights(layer, source="efficientleaf")
    assert {array.shape for array in arrays.values()} == {(12,)}
    leaf_tf.import_weights(other, arrays, source="efficientleaf")
    for ours, theirs in zip(layer.weights, other.weights):
        np.testing.assert_array_equal(numbers(ours), numbers(theirs))


def test_an_efficient_leaf_with_another_compression_has_other_energies():
    layer = built(EfficientLeaf(8, compression="pcen"))
    message = "leaf_tf.EfficientLeaf.*compression='log1p', median_subtraction=True"
    with pytest.raises(ValueError, match=message):
        leaf_tf.import_weights(layer, {}, source="efficientleaf")
    with pytest.raises(ValueError, match="must be a leaf_tf.Leaf for audax"):
        leaf_tf.import_weights(layer, {}, source="audax")
