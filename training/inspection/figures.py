"""Pictures of a task: its classes, lengths, loudness, and the split."""

import collections

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from leaf_files.figures import AMBER, RUST, SILVER, SLATE, TEAL, save_figure
from training.inspection.findings import decibels
from training.tasks.clip_sets import SPLITS

COLORS = {"train": TEAL, "validation": AMBER, "test": RUST}
_MOST_CLASSES = 60
_MOST_GROUPS = 40
_BINS = 40


def draw_task(facts, findings, folder):
    """Draws a task into PNG files; the folder is made if need be.

    Args:
        facts: `training.inspection.facts.TaskFacts`.
        findings: Dict of `training.inspection.findings.findings_of`.
        folder: Path.

    Raises:
        UserError: The folder can't be made.

    >>> from training.inspection.facts import facts_of
    >>> from training.inspection.findings import findings_of
    >>> from training.settings.config import FitConfig
    >>> from training.tasks.registry import get_task
    >>> facts = facts_of(get_task("folder:drums"), FitConfig("folder:drums"))
    >>> draw_task(facts, findings_of(facts), Path("drawn"))
    >>> sorted(path.name for path in Path("drawn").iterdir())
    ['classes.png', 'lengths.png', 'loudness.png']
    """
    figures = {
        "classes": classes(findings),
        "lengths": lengths(facts.clips),
        "loudness": loudness(facts.clips),
    }
    if any(clip.group is not None for clip in facts.clips):
        figures["groups"] = groups(facts.clips)
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")


def classes(findings):
    """Clips of each class, by split; the largest class first.

    >>> counts = {"clips": 5, **{split: {"clips": 5} for split in SPLITS}}
    >>> classes({"classes": {"kick": counts, "snare": counts}}).axes[0].get_title()
    '2 classes'
    """
    of_class = findings["classes"]
    names = sorted(of_class, key=lambda name: -of_class[name]["clips"])[:_MOST_CLASSES]
    counts = {
        split: [of_class[name][split]["clips"] for name in names] for split in SPLITS
    }
    figure = _stacked(names, counts, [of_class[name]["clips"] for name in names])
    [axes] = figure.axes
    left_out = len(of_class) - len(names)
    axes.set(
        xlabel="clips",
        title=f"{len(of_class)} classes"
        + (f", the largest {_MOST_CLASSES}" * (left_out > 0)),
    )
    return figure


def groups(clips):
    """Clips of each group, in the color of its split; the largest group first.

    >>> from types import SimpleNamespace
    >>> clips = [SimpleNamespace(group=who, split="train") for who in ("ann", "bo")]
    >>> groups(clips).axes[0].get_title()
    '2 groups'
    """
    by_group: dict = collections.defaultdict(collections.Counter)
    for clip in clips:
        by_group[clip.group][clip.split] += 1
    names = sorted(by_group, key=lambda name: -by_group[name].total())[:_MOST_GROUPS]
    counts = {split: [by_group[name][split] for name in names] for split in SPLITS}
    figure = _stacked(names, counts, [by_group[name].total() for name in names])
    [axes] = figure.axes
    left_out = len(by_group) > len(names)
    axes.set(
        xlabel="clips",
        title=f"{len(by_group)} groups" + f", the largest {_MOST_GROUPS}" * left_out,
    )
    return figure


def lengths(clips):
    """A histogram of the lengths of clips; logarithmic where they differ much.

    >>> from types import SimpleNamespace
    >>> clips = [SimpleNamespace(seconds=seconds, split=None) for seconds in (0.1, 5.0)]
    >>> lengths(clips).axes[0].get_xscale()
    'log'
    """
    seconds = [clip.seconds for clip in clips]
    is_wide = max(seconds) > 10 * max(min(seconds), 1e-3)
    figure = _histogram(clips, seconds, is_wide)
    [axes] = figure.axes
    axes.set(xlabel="length, s", ylabel="clips", title="Lengths")
    return figure


def loudness(clips):
    """A histogram of the loudness of clips, RMS in dB below full scale.

    >>> from types import SimpleNamespace
    >>> clips = [SimpleNamespace(power=power, split=None) for power in (0.01, 0.1)]
    >>> loudness(clips).axes[0].get_xlabel()
    'loudness, dBFS'
    """
    figure = _histogram(clips, [decibels(clip.power) for clip in clips])
    [axes] = figure.axes
    axes.set(xlabel="loudness, dBFS", ylabel="clips", title="Loudness (RMS)")
    return figure


def _stacked(names, counts, totals):
    """Bars of clips by split; of clips that aren't split, in one color."""
    figure = Figure(figsize=(7, 1.7 + 0.24 * len(names)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    starts = np.zeros(len(names))
    if not any(map(any, counts.values())):
        axes.barh(places, totals, color=SILVER)
    else:
        for split in SPLITS:
            axes.barh(
                places, counts[split], left=starts, color=COLORS[split], label=split
            )
            starts += counts[split]
        figure.legend(loc="outside lower center", ncols=len(SPLITS), frameon=False)
    for place, total in enumerate(totals):
        axes.text(total, place, f" {total}", va="center", fontsize=8, color=SLATE)
    axes.set_yticks(places, [name.replace("$", r"\$") for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1.1 * max(totals))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _histogram(clips, values, is_logarithmic=False):
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    low, high = min(values), max(values)
    if is_logarithmic:
        edges = np.geomspace(max(low, 1e-3), high, _BINS + 1).tolist()
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda seconds, _: f"{seconds:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        edges = np.linspace(low - 1e-6, high + 1e-6, _BINS + 1).tolist()
    by_split = {
        split: [v for clip, v in zip(clips, values) if clip.split == split]
        for split in SPLITS
    }
    if any(by_split.values()):
        axes.hist(
            [by_split[split] for split in SPLITS],
            bins=edges,
            stacked=True,
            color=[COLORS[split] for split in SPLITS],
            label=SPLITS,
        )
        axes.legend()
    else:
        axes.hist(values, bins=edges, color=SILVER)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
