"""`python -m benchmarks accuracy`: how far fast LEAF is from the definition."""

import sys
from typing import Any

import numpy as np
from keras import ops

import leaf_tf
from benchmarks import signals
from benchmarks.speed import machine
from leaf_tf.dsp import mel
from leaf_tf.layers.lowpass import MAX_WIDTH

INITIALISATIONS = ("mel", "official_mel")
# Of noise that a random bank's errors are measured on.
NOISE_SECONDS = 20


def measure(n_banks, folders=()):
    """Errors on many signals, and of random filterbanks beside their prediction.

    Args:
        n_banks: Random filterbanks.
        folders: Folders of real clips, to try besides the signals made here.

    Returns:
        A dict for JSON: "machine"; "signals", one row a signal and
        initialisation, differences of the PCEN output; "banks", one row a bank,
        relative RMS errors of the pooled energies on white noise.
    """
    rows = []
    for initial_filters in INITIALISATIONS:
        fast, exact = (
            leaf_tf.Leaf(initial_filters=initial_filters, method=method)
            for method in ("fast", "exact")
        )
        for name, waveforms in _signals(folders).items():
            _say(f"{initial_filters}: {name}")
            rows.append(
                {
                    "signal": name,
                    "initial_filters": initial_filters,
                    **differences(fast, exact, waveforms),
                }
            )
    random = np.random.default_rng(0)
    banks = []
    for bank in range(n_banks):
        _say(f"random filterbank {bank + 1} of {n_banks}")
        banks.append({"bank": bank, **bank_errors(*random_bank(random), seed=bank)})
    return {"machine": machine(), "signals": rows, "banks": banks}


def differences(fast, exact, waveforms):
    """Differences of two frontends' features, over the frames of all waveforms.

    Returns:
        Dict of "max", "mean", and of the largest one "worst_filter",
        "worst_frame" and how many "frames" its waveform has.
    """
    worst, total, count = {"max": -1.0}, 0.0, 0
    for waveform in waveforms:
        batch = waveform[None]
        features = [ops.convert_to_numpy(leaf(batch))[0] for leaf in (fast, exact)]
        difference = np.abs(features[0].astype("float64") - features[1])
        frame, filter_ = np.unravel_index(difference.argmax(), difference.shape)
        total, count = total + difference.sum(), count + difference.size
        if difference[frame, filter_] > worst["max"]:
            worst = {
                "max": float(difference[frame, filter_]),
                "worst_filter": int(filter_),
                "worst_frame": int(frame),
                "frames": len(difference),
            }
    return {**worst, "mean": float(total / count)}


def random_bank(
    random: np.random.Generator, n_filters: int = 40, kernel_size: int = 401
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """center_freqs, sigmas, widths drawn from all that the paper's bounds allow.

    Sigmas and widths are uniform in their logarithm: each octave is as likely.
    """
    sigma_ends = np.log(mel.sigma_limits(kernel_size))
    width_ends = np.log([2.0 / kernel_size, MAX_WIDTH])
    return (
        np.sort(random.uniform(0, np.pi, n_filters)),
        np.exp(random.uniform(sigma_ends[0], sigma_ends[1], n_filters)),
        np.exp(random.uniform(width_ends[0], width_ends[1], n_filters)),
    )


def bank_errors(center_freqs, sigmas, widths, seed=0):
    """The plan of a bank: what it costs, the error it predicts, the one it has.

    Returns:
        Dict of "cost", multiplications a sample, and the relative RMS errors of
        the worst filter, "predicted" and "measured", on white noise.
    """
    fast, exact = (
        leaf_tf.Leaf(len(sigmas), compression="none", method=method)
        for method in ("fast", "exact")
    )
    noise = np.random.default_rng(seed).normal(size=(NOISE_SECONDS, 16000))
    for leaf in (fast, exact):
        leaf.build((None, None))
        leaf.set_weights([center_freqs, sigmas, widths])
    computed, reference = (
        # Frames whose window is inside the clip.
        ops.convert_to_numpy(leaf(noise.astype("float32")))[:, 3:-3].astype("float64")
        for leaf in (fast, exact)
    )
    errors = np.sqrt(np.mean((computed - reference) ** 2, axis=(0, 1)))
    relative = errors / reference.mean((0, 1))
    plan: Any = fast.plan
    predicted = fast.predicted_errors()[0]
    worst = int(predicted.argmax())
    return {
        "cost": plan.multiplications_per_sample,
        "predicted": float(predicted[worst]),
        "measured": float(relative.max()),
        "measured_there": float(relative[worst]),
    }


def _signals(folders):
    """{name: waveforms}."""
    named = {name: [waveform] for name, waveform in signals.made().items()}
    for folder in folders:
        named[folder.name] = list(signals.read(folder).values())
    return named


def _say(line):
    print(line, file=sys.stderr, flush=True)
