"""The learned parameters of a frontend, in numbers and in pictures; wants matplotlib.

    visualize = leaf_tf.visualize
    initial = visualize.untrained(frontend)
    print(visualize.drift(frontend, initial))
    visualize.drift_figure(frontend, initial).savefig("drift.png")

`import leaf_tf` loads this module when it is first used. Figures are free of pyplot:
nothing is shown, and nothing stays in memory once they are dropped.
"""

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from leaf_tf.dsp import mel
from leaf_tf.frontends.base import Frontend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEFORE, AFTER = "#9aa5b1", "#c2410c"
_COMPRESSION, _HINT = "#0f766e", "#64748b"

PCEN_PARAMETERS = ("alpha", "delta", "root", "smooth_coef")
_PCEN_LABELS = {"smooth_coef": "smooth_coef, per frame"}
_LOWEST_DB = -50.0
_TICKS_HZ = (0, 300, 1000, 2000, 4000, 8000, 16000, 32000, 64000)


@dataclasses.dataclass(frozen=True)
class Drift:
    """How far a frontend went from its start; each a mean over its channels.

    Changes are relative to the value before, |after - before| / |before|: 1.0 for a
    doubled one. None stands for what the frontend doesn't have, and for changes from
    an initial value of 0.

    Attributes:
        filters: The headline, from 0, no filter moved, to 1, no filter overlaps
            with what it was: the Hellinger distance of power responses,

                sqrt(1 - sum |G| |G'| / sqrt(sum |G|^2 sum |G'|^2))

            over all frequencies, G and G' the filter's frequency responses before
            and after. Gains don't count. A Gabor filter that moves by a tenth of its
            bandwidth goes 0.12 far, by a whole bandwidth 0.87; one of twice the
            bandwidth 0.32.
        center_shift_hz: |after - before| of center frequencies, Hz.
        center_shift_bandwidths: The same, in the filter's bandwidth before.
        bandwidth_change: Change of the filters' bandwidths.
        pooling_width_change: Change of the pooling windows' widths.
        alpha_change, delta_change, root_change, smooth_coef_change: Changes of PCEN's.

    Example:
        >>> str(leaf_tf.visualize.Drift(filters=0.12, pooling_width_change=0.5))
        'filters 0.12 of 1, pooling width 50 %'

    Source: that filters hardly move, where PCEN does, is what arXiv:2404.06702 and
        arXiv:2302.10014 report (the latter by the Jensen-Shannon distance).
    """

    filters: float | None = None
    center_shift_hz: float | None = None
    center_shift_bandwidths: float | None = None
    bandwidth_change: float | None = None
    pooling_width_change: float | None = None
    alpha_change: float | None = None
    delta_change: float | None = None
    root_change: float | None = None
    smooth_coef_change: float | None = None

    def changes(self) -> dict[str, float]:
        """{what: relative change}, of all that the frontend has."""
        changes = {
            "center / bandwidth": self.center_shift_bandwidths,
            "bandwidth": self.bandwidth_change,
            "pooling width": self.pooling_width_change,
            **{
                f"PCEN {name}": getattr(self, f"{name}_change")
                for name in PCEN_PARAMETERS
            },
        }
        return {name: value for name, value in changes.items() if value is not None}

    def __str__(self):
        parts = [
            f"{name} {_percent(change)}" for name, change in self.changes().items()
        ]
        if self.center_shift_hz is not None:
            parts.insert(0, f"center {self.center_shift_hz:.3g} Hz")
        if self.filters is not None:
            parts.insert(0, f"filters {self.filters:.3g} of 1")
        return ", ".join(parts) or "nothing learned"


def untrained(layer: Frontend) -> Frontend:
    """A new frontend of the same settings, built: as it is before training.

    The very filters where they start from a formula, as Gabor filters do; of random
    ones, and of weights that were set by hand, keep the initial weights yourself.

    Example:
        >>> initial = leaf_tf.visualize.untrained(leaf_tf.Leaf(n_filters=4))
        >>> initial.center_freqs_hz().round()
        array([ 532., 1296., 2536., 4544.])
    """
    fresh = type(layer).from_config(layer.get_config())
    fresh.build((None, None))
    return fresh


def drift(layer: Frontend, initial: Frontend) -> Drift:
    """How far a frontend went from its start.

    Args:
        layer: The trained frontend.
        initial: The same before training, see `untrained`.

    Returns:
        A `Drift`, of what the frontend has: filters, their center frequencies and
        bandwidths, Gaussian pooling, PCEN.

    Raises:
        ValueError: A frontend that is not built; two that don't match.

    Example:
        >>> frontend = leaf_tf.Leaf(n_filters=4)
        >>> initial = leaf_tf.visualize.untrained(frontend)
        >>> trained = leaf_tf.visualize.untrained(frontend)
        >>> _ = trained.pooling.widths.assign(0.8 * trained.pooling.widths)
        >>> print(leaf_tf.visualize.drift(trained, initial))
        filters 0 of 1, center 0 Hz, center / bandwidth 0 %, bandwidth 0 %,
        pooling width 20 %, PCEN alpha 0 %, PCEN delta 0 %, PCEN root 0 %,
        PCEN smooth_coef 0 %
    """
    _require_alike(layer, initial)
    values = {}
    if layer.frequency_responses() is not None:
        values["filters"] = filter_distances(layer, initial).mean()
    centers = layer.center_freqs_hz()
    if centers is not None:
        shifts = np.abs(centers - initial.center_freqs_hz())
        bandwidths, bandwidths_before = layer.bandwidths_hz(), initial.bandwidths_hz()
        values["center_shift_hz"] = shifts.mean()
        values["center_shift_bandwidths"] = (shifts / bandwidths_before).mean()
        values["bandwidth_change"] = _change(bandwidths, bandwidths_before)
    widths = layer.pooling_widths_ms()
    if widths is not None:
        values["pooling_width_change"] = _change(widths, initial.pooling_widths_ms())
    pcen, before = layer.pcen_parameters(), initial.pcen_parameters()
    if pcen is not None and before is not None:
        for name in PCEN_PARAMETERS:
            values[f"{name}_change"] = _change(pcen[name], before[name])
    return Drift(
        **{
            name: None if value is None else float(value)
            for name, value in values.items()
        }
    )


def filter_distances(layer: Frontend, initial: Frontend) -> np.ndarray:
    """How far each filter went, 0 to 1: see `Drift.filters`.

    Returns:
        (n_filters,), float64.

    Example:
        >>> frontend = leaf_tf.Leaf(n_filters=4)
        >>> initial = leaf_tf.visualize.untrained(frontend)
        >>> trained = leaf_tf.visualize.untrained(frontend)
        >>> leaf_tf.visualize.filter_distances(trained, initial).round(3)
        array([0., 0., 0., 0.])
    """
    _require_alike(layer, initial)
    after, before = (_unit(_responses(each)) for each in (layer, initial))
    # sqrt(1 - sum(after * before)), exactly 0 for a filter that stayed.
    return np.linalg.norm(after - before, axis=0) / math.sqrt(2.0)


def figures(layer: Frontend, initial: Frontend | None = None) -> dict[str, "Figure"]:
    """All figures of this module that the frontend has the stages for.

    Args:
        layer: A frontend.
        initial: The same before training, or None: then without `drift`.

    Returns:
        {name: Figure}; {} for a frontend that learns none of what is drawn.

    Raises:
        ValueError: A frontend that is not built; two that don't match.

    Example:
        >>> frontend = leaf_tf.Leaf(n_filters=4)
        >>> frontend.build((None, None))
        >>> list(leaf_tf.visualize.figures(frontend))
        ['filter_responses', 'filters', 'pooling_widths', 'pcen_parameters']
    """
    _require_built(layer)
    drawn = {}
    if layer.frequency_responses() is not None:
        drawn["filter_responses"] = filter_responses(layer)
    if layer.center_freqs_hz() is not None:
        drawn["filters"] = centers_and_bandwidths(layer, initial)
    if layer.pooling_widths_ms() is not None:
        drawn["pooling_widths"] = pooling_widths(layer, initial)
    if layer.pcen_parameters() is not None:
        drawn["pcen_parameters"] = pcen_parameters(layer, initial)
    if drawn and initial is not None:
        drawn["drift"] = drift_figure(layer, initial)
    return drawn


def filter_responses(layer: Frontend) -> "Figure":
    """Amplitude responses of all filters, dB over Hz, pre-emphasis left out.

    A line a filter, in the order of the channels: as the frontend's
    `frequency_responses` says. Those of an `EfficientLeaf` are drawn before groups cut
    them short.

    Args:
        layer: A frontend with learned filters: `Leaf`, `EfficientLeaf`, `SincNet`,
            `SincNetPlus`, `TimeDomainFilterbanks`, or `MelFilterbanks` with
            `learn_filters=True`; built.

    Raises:
        ValueError: A frontend without such filters.

    Example:
        >>> frontend = leaf_tf.Leaf(n_filters=4)
        >>> frontend.build((None, None))
        >>> figure = leaf_tf.visualize.filter_responses(frontend)
        >>> [axes.get_title() for axes in figure.axes]
        ['Frequency responses of the filters']
    """
    _require_built(layer)
    responses = _responses(layer)
    n_bins = len(responses) // 2 + 1
    freqs_hz = np.arange(n_bins) * (layer.sample_rate / len(responses))
    levels = 20.0 * np.log10(np.maximum(responses[:n_bins], 1e-10))
    figure = _figure(9, 3.8)
    axes = figure.subplots()
    axes.set_prop_cycle(color=_colors(layer.n_filters))
    axes.plot(freqs_hz, levels, linewidth=0.9)
    axes.set(
        ylabel="amplitude, dB",
        ylim=np.array([_LOWEST_DB, 3.0]) + max(levels.max(), -200.0),
        title="Frequency responses of the filters",
    )
    _scale_as_mel(axes, "x", layer.sample_rate, "frequency, Hz")
    return figure


def centers_and_bandwidths(
    layer: Frontend, initial: Frontend | None = None
) -> "Figure":
    """Center frequencies and bandwidths of the filters, Hz; lines join pairs.

    Left the center frequencies in the order of the channels, right the bandwidths
    (full width at half maximum of the amplitude response) over them, as the forward
    pass uses them, within their bounds.

    Args:
        layer: A frontend that learns center frequencies, such as `Leaf` or
            `SincNet`; built.
        initial: The same before training, to be drawn behind it.

    Raises:
        ValueError: A frontend without center frequencies; two that don't match.

    Example:
        >>> frontend = leaf_tf.Leaf(n_filters=4)
        >>> frontend.build((None, None))
        >>> figure = leaf_tf.visualize.centers_and_bandwidths(frontend)
        >>> [axes.get_title() for axes in figure.axes]
        ['Center frequencies', 'Bandwidths']
    """
    _require_built(layer)
    _required(layer.center_freqs_hz(), layer, "center frequencies of its own")
    figure = _figure(9, 3.8)
    left, right = figure.subplots(1, 2)
    frontends = _before_and_after(layer, initial)
    filters = [(each.center_freqs_hz(), each.bandwidths_hz()) for each in frontends]
    index = np.arange(layer.n_filters)
    _draw(left, [(index, centers) for centers, _ in filters])
    _draw(right, filters)
    if initial is not None:
        left.legend()
    left.set(xlabel="filter", title="Center frequencies")
    left.xaxis.get_major_locator().set_params(integer=True)
    _scale_as_mel(left, "y", layer.sample_rate, "center frequency, Hz")
    right.set(ylabel="bandwidth (FWHM), Hz", yscale="log", title="Bandwidths")
    _label_decades(right.yaxis)
    _scale_as_mel(right, "x", layer.sample_rate, "center frequency, Hz")
    return figure


def pooling_widths(layer: Frontend, initial: Frontend | None = None) -> "Figure":
    """Full width at half maximum of the pooling windows, ms, by channel.

    A dashed line marks the hop between frames: what is narrower by far sees parts of
    the waveform only.

    Args:
        layer: A frontend with Gaussian pooling, such as `Leaf`; built.
        initial: The same before training, to be drawn behind it.

    Raises:
        ValueError: A frontend without Gaussian pooling; two that don't match.

    Example:
        >>> frontend = leaf_tf.Leaf(n_filters=4)
        >>> frontend.build((None, None))
        >>> figure = leaf_tf.visualize.pooling_widths(frontend)
        >>> [axes.get_title() for axes in figure.axes]
        ['Pooling']
    """
    _require_built(layer)
    _required(layer.pooling_widths_ms(), layer, "Gaussian pooling")
    figure = _figure(6, 3.6)
    axes = figure.subplots()
    frontends = _before_and_after(layer, initial)
    _draw(axes, [(_places(each), each.pooling_widths_ms()) for each in frontends])
    if initial is not None:
        axes.legend()
    axes.axhline(
        layer.window_stride, color=BEFORE, linestyle="--", linewidth=0.8, zorder=0
    )
    axes.annotate(
        "hop between frames",
        (1.0, layer.window_stride),
        (-4, -4),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize="small",
        color=_HINT,
    )
    axes.set(ylabel="pooling width (FWHM), ms", title="Pooling")
    axes.set_ylim(0.0, 1.15 * axes.get_ylim()[1])
    _place_channels(axes, layer)
    return figure


def pcen_parameters(layer: Frontend, initial: Frontend | None = None) -> "Figure":
    """alpha, delta, root and smooth_coef of PCEN, by channel; a panel each.

    Args:
        layer: A frontend with `PCEN`, such as `Leaf`; built.
        initial: The same before training, to be drawn behind it.

    Raises:
        ValueError: A frontend without PCEN; two that don't match.

    Example:
        >>> frontend = leaf_tf.Leaf(n_filters=4)
        >>> frontend.build((None, None))
        >>> figure = leaf_tf.visualize.pcen_parameters(frontend)
        >>> len(figure.axes)
        4
    """
    _require_built(layer)
    _required(layer.pcen_parameters(), layer, "PCEN")
    figure = _figure(9, 5.4)
    grid = figure.subplots(2, 2, sharex=True)
    frontends = _before_and_after(layer, initial)
    values = [frontend.pcen_parameters() for frontend in frontends]
    places = [_places(frontend) for frontend in frontends]
    for axes, name in zip(grid.flat, PCEN_PARAMETERS):
        _draw(axes, [(x, parameters[name]) for x, parameters in zip(places, values)])
        axes.set_ylabel(_PCEN_LABELS.get(name, name))
        axes.ticklabel_format(axis="y", useOffset=False)
        _place_channels(axes, layer)
    for axes in grid[0]:
        axes.set_xlabel("")
    if initial is not None:
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)
    return figure


def drift_figure(layer: Frontend, initial: Frontend) -> "Figure":
    """How far each filter went, and each kind of parameter: `Drift` as a picture.

    Args:
        layer: The trained frontend.
        initial: The same before training, see `untrained`.

    Raises:
        ValueError: A frontend that learns none of it; two that don't match.

    Example:
        >>> frontend = leaf_tf.Leaf(n_filters=4)
        >>> initial = leaf_tf.visualize.untrained(frontend)
        >>> trained = leaf_tf.visualize.untrained(frontend)
        >>> figure = leaf_tf.visualize.drift_figure(trained, initial)
        >>> [axes.get_title() for axes in figure.axes]
        ['Filters moved by 0 of 1', 'Parameters changed by']
    """
    numbers = drift(layer, initial)
    if numbers == Drift():
        raise _unsupported(layer, "filters, Gaussian pooling or PCEN")
    changes = numbers.changes()
    panels = (numbers.filters is not None) + bool(changes)
    figure = _figure(4.5 * panels, 3.6)
    first, *_, last = 2 * list(figure.subplots(1, panels, squeeze=False)[0])
    if numbers.filters is not None:
        _draw_distances(first, initial, filter_distances(layer, initial))
    if changes:
        _draw_changes(last, changes)
    return figure


def _draw_distances(axes, initial, distances):
    axes.vlines(_places(initial), 0.0, distances, color=BEFORE)
    axes.plot(_places(initial), distances, ".", color=AFTER)
    axes.set(
        ylabel="distance (1: no overlap)",
        ylim=(0.0, 1.1 * max(distances.max(), 0.01)),
        title=f"Filters moved by {distances.mean():.2g} of 1",
    )
    _place_channels(axes, initial, "center frequency before, Hz")


def _draw_changes(axes, changes):
    bars = axes.barh(list(changes), [100.0 * change for change in changes.values()])
    axes.bar_label(bars, [_percent(change) for change in changes.values()], padding=3)
    for bar, name in zip(bars, changes):
        bar.set_color(_COMPRESSION if name.startswith("PCEN") else AFTER)
    axes.invert_yaxis()
    axes.set(xlabel="mean change, %", title="Parameters changed by")
    axes.set_xlim(0.0, 130.0 * max(*changes.values(), 0.01))
    axes.grid(alpha=0.3, axis="x")


def _percent(change):
    return f"{100.0 * change:.3g} %"


def _required(answer, layer, what):
    """The answer of a frontend, unless that is None."""
    if answer is None:
        raise _unsupported(layer, what)
    return answer


def _unsupported(layer, what):
    return ValueError(
        f"`layer` must be a frontend with {what}, such as leaf_tf.Leaf. "
        f"Received: {type(layer).__name__}"
    )


def _require_built(layer):
    if not isinstance(layer, Frontend):
        raise ValueError(
            "`layer` must be a leaf_tf frontend, such as leaf_tf.Leaf(). "
            f"Received: {type(layer).__name__}"
        )
    if not layer.built:
        raise ValueError(
            f"Layer {layer.name!r} has no weights yet; call it on a waveform, or "
            "`layer.build((None, None))`, before it is drawn."
        )


def _require_alike(layer, initial):
    for frontend in (layer, initial):
        _require_built(frontend)
    if _kind(layer) != _kind(initial):
        raise ValueError(
            "`initial` must be the frontend before training: of the same class, number "
            f"of filters, rate and stages. Received: {_kind(initial)} for "
            f"{_kind(layer)}"
        )


def _kind(layer):
    compression = type(layer.compressing).__name__
    return type(layer).__name__, layer.n_filters, layer.sample_rate, compression


def _before_and_after(layer, initial):
    if initial is None:
        return [layer]
    _require_alike(layer, initial)
    return [initial, layer]


def _unit(responses):
    """Each filter's response scaled to norm 1; of silent ones zeros."""
    return responses / np.maximum(np.linalg.norm(responses, axis=0), 1e-300)


def _responses(layer):
    return _required(layer.frequency_responses(), layer, "filters of its own")


def _change(after, before):
    """Mean relative change, None from 0."""
    if np.any(before == 0.0):
        return None
    return np.mean(np.abs(after - before) / np.abs(before))


def _places(layer):
    """Where on the x axis a channel is drawn: its center frequency, if it has one."""
    centers = layer.center_freqs_hz()
    return np.arange(layer.n_filters) if centers is None else centers


def _place_channels(axes, layer, label="center frequency, Hz"):
    if layer.center_freqs_hz() is not None:
        _scale_as_mel(axes, "x", layer.sample_rate, label)
    else:
        axes.set_xlabel("filter")
        axes.grid(alpha=0.3)


def _figure(width, height):
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _colors(n):
    from matplotlib import colormaps

    return colormaps["viridis"](np.linspace(0.0, 0.9, n))


def _draw(axes, points):
    """Dots before and after, each pair joined.

    Args:
        points: [(x, y)], of one frontend or of the initial and the trained.
    """
    styles = (("before training", BEFORE, "o"), ("after training", AFTER, "."))
    for (x, y), (label, color, marker) in zip(points, styles[-len(points) :]):
        axes.plot(x, y, marker, color=color, markersize=5, label=label)
    if len(points) == 2:
        (x_before, y_before), (x_after, y_after) = points
        # One line of all pairs: NaN lifts the pen.
        gaps = np.full(len(x_before), np.nan)
        axes.plot(
            np.stack([x_before, x_after, gaps], axis=1).ravel(),
            np.stack([y_before, y_after, gaps], axis=1).ravel(),
            color=AFTER,
            linewidth=0.8,
            alpha=0.6,
            zorder=1.5,
        )


def _scale_as_mel(axes, axis, sample_rate, label):
    """Hz on the mel scale: filters that are born equally far apart look it."""
    nyquist = sample_rate / 2
    ticks = [tick for tick in _TICKS_HZ if tick <= nyquist]
    names = [f"{tick // 1000}k" if tick >= 1000 else str(tick) for tick in ticks]
    axes.set(
        **{
            f"{axis}label": label,
            f"{axis}lim": (0.0, nyquist),
        }
    )
    scale = getattr(axes, f"set_{axis}scale")
    scale("function", functions=(mel.hz_to_mel, mel.mel_to_hz))
    getattr(axes, f"set_{axis}ticks")(ticks, names)
    axes.grid(alpha=0.3)


def _label_decades(axis):
    """Plain numbers at 1, 2 and 5 of each decade."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())
