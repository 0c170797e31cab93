"""Draws docs/pictures/leaf.png: what each stage of LEAF makes of a word.

    python docs/draw_leaf.py

The word is one of the package's own synthetic task; every panel shows what the
layers themselves compute.
"""

import pathlib

import numpy as np
from keras import ops
from matplotlib.figure import Figure

import leaf_tf
from leaf_files.figures import GREY, RUST, TEAL, VIOLET
from leaf_tf.dsp.mel import mel_edges_hz
from training.tasks.synthetic import make_clip

SAMPLE_RATE = 16000
COLORS = (TEAL, RUST, VIOLET)
SHOWN_FILTERS = (6, 16, 28)


def word():
    """A word of the synthetic task, (16000,)."""
    return (make_clip(index=3, speakers=range(1))["audio"] / 32768).astype("float32")


def stages(waveform):
    """What each stage of a new Leaf makes of a waveform.

    Returns:
        Filtered (samples, 80), energies (samples, 40), pooled energies (frames, 40)
        and features (frames, 40).
    """
    leaf = leaf_tf.Leaf()
    leaf.build((None, None))
    filtered = leaf.filtering(waveform[None, :, None])
    energies = leaf.modulus(filtered)
    pooled = leaf.pooling(energies)
    features = leaf(waveform[None])
    outputs = (filtered, energies, pooled, features)
    return [ops.convert_to_numpy(values)[0] for values in outputs]


def draw():
    """The figure: a column for the waveform and one for each stage."""
    waveform = word()
    filtered, energies, pooled, features = stages(waveform)
    mel = ops.convert_to_numpy(leaf_tf.MelFilterbanks()(waveform[None]))[0]

    figure = Figure(figsize=(14, 4.6), layout="constrained")
    top, bottom = figure.subplots(2, 5)
    titles = (
        "waveform",
        "1  Gabor filters",
        "2  squared modulus",
        "3  Gaussian pooling",
        "4  PCEN",
    )
    for axes, title in zip(top, titles):
        axes.set_title(title, fontweight="bold")
        axes.set_yticks([])
    _draw_waveform(top[0], waveform)
    _draw_impulse_responses(top[1])
    _draw_energy(top[2], filtered, energies)
    _draw_pooling(top[3], energies, pooled)
    _draw_compression(top[4], pooled, features)
    _draw_image(bottom[0], mel, "log-mel, for comparison")
    _draw_frequency_responses(bottom[1])
    _draw_image(bottom[2], 10 * np.log10(energies + 1e-9), "energies, dB", vmin=-90)
    _draw_image(bottom[3], 10 * np.log10(pooled + 1e-5), "pooled energies, dB")
    _draw_image(bottom[4], features, "features")
    return figure


def _draw_waveform(axes, waveform):
    axes.plot(_seconds(waveform), waveform, color=GREY, linewidth=0.4)
    axes.set(xlabel="seconds", xlim=(0, 1))


def impulse_responses():
    """Complex taps (401, 40) of the initial filters, from the layer itself."""
    impulse = np.zeros((1, 401, 1), "float32")
    impulse[0, 200] = 1.0
    # Cross-correlation reads the taps backwards.
    outputs = ops.convert_to_numpy(leaf_tf.GaborConv1D()(impulse))[0, ::-1]
    return outputs[:, 0::2] + 1j * outputs[:, 1::2]


def _draw_impulse_responses(axes):
    taps = impulse_responses()
    milliseconds = (np.arange(401) - 200) / SAMPLE_RATE * 1000
    for level, (n, color) in enumerate(zip(SHOWN_FILTERS, COLORS)):
        response = taps[:, n].real / np.abs(taps[:, n]).max()
        axes.plot(milliseconds, response + 2.2 * level, color=color, linewidth=0.8)
    axes.set(xlabel="ms", xlim=(-12.5, 12.5))


def _draw_frequency_responses(axes):
    spectra = np.abs(np.fft.fft(impulse_responses(), 8192, axis=0))[:4096]
    freqs_hz = np.arange(4096) * SAMPLE_RATE / 8192
    for n in range(spectra.shape[1]):
        shown = n in SHOWN_FILTERS
        axes.plot(
            freqs_hz,
            spectra[:, n],
            color=COLORS[SHOWN_FILTERS.index(n)] if shown else "#cbd5e1",
            linewidth=1.2 if shown else 0.7,
            zorder=2 + shown,
        )
    axes.set(xlabel="Hz", title="their frequency responses", xlim=(0, 8000), yticks=[])


def _draw_energy(axes, filtered, energies):
    n = SHOWN_FILTERS[0]
    shown = slice(4000, 4640)
    axes.plot(
        _seconds(filtered)[shown], filtered[shown, 2 * n], color=GREY, linewidth=0.7
    )
    axes.plot(_seconds(filtered)[shown], np.sqrt(energies[shown, n]), color=COLORS[0])
    axes.set(xlabel="seconds")


def _draw_pooling(axes, energies, pooled):
    n = SHOWN_FILTERS[0]
    energy = energies[:, n] / energies[:, n].max()
    axes.plot(_seconds(energies), energy, color="#cbd5e1", linewidth=0.6)
    centers = (80 + 160 * np.arange(len(pooled))) / SAMPLE_RATE
    axes.plot(centers, pooled[:, n] / pooled[:, n].max(), ".-", color=COLORS[0], ms=3)
    axes.set(xlabel="seconds", xlim=(0, 1))


def _draw_compression(axes, pooled, features):
    frames = np.arange(len(pooled)) / 100
    for n, color in zip(SHOWN_FILTERS, COLORS):
        axes.plot(frames, features[:, n], color=color, linewidth=1)
    axes.set(xlabel="seconds", xlim=(0, 1))


def _draw_image(axes, image, title, vmin=None):
    axes.imshow(
        image.T,
        origin="lower",
        aspect="auto",
        extent=(0, 1, 0, image.shape[1]),
        cmap="magma",
        vmin=vmin,
        interpolation="nearest",
    )
    axes.set(title=title, xlabel="seconds")
    label_filters(axes)


def label_filters(axes):
    """Writes center frequencies beside rows of an image, one unit high each."""
    centers = mel_edges_hz(40, 60.0, 7800.0)[1:-1]  # LEAF starts where mel lies
    rows = np.array([0, 10, 20, 30, 39])
    axes.set_yticks(rows + 0.5, [f"{centers[row]:.0f}" for row in rows])
    axes.set_ylabel("center, Hz")


def _seconds(samples):
    return np.arange(len(samples)) / SAMPLE_RATE


if __name__ == "__main__":
    path = pathlib.Path(__file__).parent / "pictures" / "leaf.png"
    draw().savefig(path, dpi=110)
    print(path)
