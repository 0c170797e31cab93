"""Draws the pictures of docs/concepts.md: each shows what the layers compute.

python docs/draw_concepts.py
"""

import pathlib

import numpy as np
from draw_leaf import (
    COLORS,
    GREY,
    SAMPLE_RATE,
    SHOWN_FILTERS,
    impulse_responses,
    label_filters,
    stages,
    word,
)
from keras import ops
from matplotlib.figure import Figure

import leaf_tf

QUIETER = 15.0  # dB


def filters():
    """Impulse responses beside frequency responses, in the same colors."""
    figure, (left, right) = _figure(9, 3, 2)
    taps = impulse_responses()
    milliseconds = (np.arange(len(taps)) - len(taps) // 2) / SAMPLE_RATE * 1000
    spectra = np.abs(np.fft.fft(taps, 8192, axis=0))[:4096]
    freqs_hz = np.arange(4096) * SAMPLE_RATE / 8192
    for level, (n, color) in enumerate(zip(SHOWN_FILTERS, COLORS)):
        peak = np.abs(taps[:, n]).max()
        left.plot(milliseconds, taps[:, n].real / peak + 2.2 * level, color=color, lw=1)
        left.plot(
            milliseconds, np.abs(taps[:, n]) / peak + 2.2 * level, color=GREY, lw=0.7
        )
        right.plot(freqs_hz, spectra[:, n], color=color)
        right.axvline(freqs_hz[spectra[:, n].argmax()], color=color, lw=0.6, ls=":")
    left.set(title="impulse responses, real part", xlabel="ms", yticks=[], xlim=(-8, 8))
    right.set(title="frequency responses", xlabel="Hz", xlim=(0, 5000))
    return figure


def energy():
    """One filter's output, its energy, and what pooling makes of it."""
    figure, (left, right) = _figure(9, 3, 2)
    filtered, energies, pooled, _ = stages(word())
    n, shown = SHOWN_FILTERS[0], slice(4000, 4640)
    seconds = np.arange(len(energies)) / SAMPLE_RATE
    left.plot(seconds[shown], filtered[shown, 2 * n], color=GREY, lw=0.8)
    left.plot(seconds[shown], np.sqrt(energies[shown, n]), color=COLORS[0])
    left.legend(["filtered, real part", "modulus"], loc="upper left")
    left.set(title=f"filter {n}, 40 ms", xlabel="seconds", yticks=[])
    right.plot(seconds, energies[:, n] / energies[:, n].max(), color="#94a3b8", lw=0.6)
    frames = (80 + 160 * np.arange(len(pooled))) / SAMPLE_RATE
    right.plot(frames, pooled[:, n] / pooled[:, n].max(), ".-", color=COLORS[0], ms=3)
    right.legend(["energy, each sample", "pooled, each frame"], loc="upper left")
    right.set(title="the same filter, 1 s", xlabel="seconds", yticks=[], xlim=(0, 1))
    return figure


def pcen():
    """Pooled energies and features of a loud word and of the same word, quieter."""
    figure, axes = _figure(9, 5, 2, 2)
    for column, level in zip(axes.T, (0.0, -QUIETER)):
        _, _, pooled, features = stages(word() * 10 ** (level / 20))
        heard = "full level" if not level else f"{QUIETER:g} dB below"
        _image(column[0], 10 * np.log10(pooled + 1e-5), f"pooled, dB: {heard}", -50, 20)
        _image(column[1], features, f"PCEN: {heard}", 0, 2.5)
    return figure


def plan():
    """What the plan computes: the share of samples at which each filter runs."""
    leaf = leaf_tf.Leaf()
    leaf.build((None, None))
    figure, (axes,) = _figure(9, 3, 1)
    freqs_hz = (
        ops.convert_to_numpy(leaf.filtering.center_freqs) * SAMPLE_RATE / 2 / np.pi
    )
    lines = []  # strides with their labels above the dots; there, the next go below
    for group, color in zip(leaf.plan.groups, 10 * COLORS):
        chosen = list(group.filters)
        rate = "all samples" if group.rate == 1 else f"1 sample in {group.rate}"
        axes.plot(
            freqs_hz[chosen], [group.stride] * len(chosen), "o", color=color, ms=5
        )
        below = group.stride in lines
        lines.append(group.stride)
        axes.annotate(
            f"{rate}, {group.n_taps} taps",
            (freqs_hz[chosen[0]], group.stride),
            (0, -16 if below else 8),  # points
            textcoords="offset points",
            color=color,
        )
    saved = 2 * leaf.kernel_size * leaf.n_filters / leaf.plan.multiplications_per_sample
    axes.set(
        title=f"1/{saved:.0f} of the multiplications of the published form",
        xlabel="center frequency, Hz",
        ylabel="samples from one energy to the next",
        xlim=(0, 9000),
        ylim=(0, 24),
    )
    return figure


def _figure(width, height, *shape):
    figure = Figure(figsize=(width, height), layout="constrained")
    rows, columns = shape if len(shape) == 2 else (1, *shape)
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, axes if rows > 1 else axes[0]


def _image(axes, values, title, low, high):
    image = axes.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        extent=(0, 1, 0, values.shape[1]),
        cmap="magma",
        vmin=low,
        vmax=high,
        interpolation="nearest",
    )
    axes.set(title=title, xlabel="seconds")
    label_filters(axes)
    axes.figure.colorbar(image, ax=axes, pad=0.01)


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "pictures"
    for draw in (filters, energy, pcen, plan):
        draw().savefig(folder / f"{draw.__name__}.png", dpi=100)
        print(folder / f"{draw.__name__}.png")
