"""The clips on which an artifact is compared with Keras."""

import dataclasses
from pathlib import Path

import numpy as np

from files.command_line import a_few, warn
from files.errors import UserError
from files.labels import spelled_as
from files.text import read_table, require_utf8
from files.walk import read_all, require_clips, walk
from files.windows import cut_windows

_SYNTHETIC_WINDOWS = 2  # per clip


@dataclasses.dataclass(frozen=True)
class Clips:
    """Windows of clips, in order.

    Attributes:
        origin: Where they are from, for the report.
        windows: (n_windows, window_samples), float32.
        clip_of_window: (n_windows,), the index of each window's clip.
        targets: (n_clips, classes), bool: which labels each clip has; None if
            unknown.
    """

    origin: str
    windows: np.ndarray
    clip_of_window: np.ndarray
    targets: np.ndarray | None

    @property
    def n_clips(self):
        return int(self.clip_of_window[-1]) + 1


def head_clips(head, sample_rate, window_samples):
    """The clips that a head is compared on: its own, else `synthetic_clips`."""
    if head.clips_folder is None:
        return synthetic_clips(sample_rate, window_samples)
    return read_clips(
        head.clips_folder, sample_rate, window_samples, head.labels, head.multi_label
    )


def read_clips(folder, sample_rate, window_samples, labels, multi_label=False):
    """Reads a folder of clips, cut into windows.

    A `clips.csv` (header `file,label`) names the clips and their labels.
    Without it the clips are those that `python -m training evaluate` takes of the
    folder: a clip's label is the name of the folder's own subfolder in which it lies,
    at any depth. If one of these isn't a label, the clips are compared without labels,
    which is said on stderr.

    Args:
        folder: The folder.
        sample_rate: In Hz; clips of other rates are resampled.
        window_samples: Length of a window.
        labels: The head's, in the order of its classes.
        multi_label: Whether `clips.csv` gives any number of labels, as a|b.

    Returns:
        `Clips`.

    Raises:
        UserError: No clips, one that can't be read, or a table with unknown labels.
    """
    folder = Path(folder)
    require_utf8(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder of clips {folder}")
    table = folder / "clips.csv"
    if table.is_file():
        named = _read_table(table, labels, "|" if multi_label else None)
        if not named:
            raise UserError(f"{table} holds no clips; fill it in, or remove it")
    else:
        named = _find(folder, labels)
    if not named:
        raise UserError(f"the folder {folder} holds no clips to compare on")
    waveforms = read_all([path for path, _ in named], sample_rate)
    known = all(own is not None for _, own in named)
    targets = (
        [[label in own for label in labels] for _, own in named] if known else None
    )
    return _cut(folder.name, waveforms, window_samples, targets)


def synthetic_clips(sample_rate, window_samples):
    """Noise, chirps, a click and silence: the same ones each time.

    Loud and quiet ones, since PCEN and log treat them differently.

    Returns:
        `Clips`, without labels.
    """
    samples = _SYNTHETIC_WINDOWS * window_samples
    noise = np.random.default_rng(0).standard_normal(samples)
    # From 0 Hz to half the sample rate.
    chirp = np.sin(np.pi * np.arange(samples) ** 2 / (2 * samples))
    click = np.zeros(samples)
    click[samples // 3] = 1.0
    loud = [0.3 * noise, 0.9 * chirp, 0.05 * noise + 0.5 * chirp, click]
    waveforms = [*loud, *(0.01 * waveform for waveform in loud), 0.0 * noise]
    waveforms = [np.clip(w, -1, 1).astype(np.float32) for w in waveforms]
    return _cut("synthetic noise and chirps", waveforms, window_samples, None)


def describe(clips):
    """What the clips of all heads are, for the report.

    Args:
        clips: list of `Clips`.
    """
    return {
        "origin": ", ".join(dict.fromkeys(own.origin for own in clips)),
        "n_clips": sum(own.n_clips for own in clips),
        "n_windows": sum(len(own.windows) for own in clips),
    }


def _read_table(path, labels, separator):
    """[(path, its labels)] of a `clips.csv`."""
    try:
        rows = read_table(path)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    named = [
        (
            _beside(path, _filled(row, "file", path)),
            _row_labels(row, path, labels, separator),
        )
        for row in rows
    ]
    if separator is not None:
        return named
    _require_one_label(named, path)
    once = dict(named)
    if len(once) < len(named):
        repeated = len(named) - len(once)
        warn(
            f"{path} names a clip again in {repeated} of its {len(named)} rows; each "
            "is heard once"
        )
    return list(once.items())


def _beside(table, name):
    r"""The path of a clip that a table names, with "/" or, as of Windows, "\"."""
    path = table.parent / name
    return path if path.exists() else table.parent / name.replace("\\", "/")


def _require_one_label(named, table):
    label_of = {}
    for path, (label,) in named:
        if label_of.setdefault(path, label) != label:
            raise UserError(
                f"{table} gives {path.name} the labels {label_of[path]} and {label}; a "
                "clip has one"
            )


def _row_labels(row, path, labels, separator):
    if separator is None:
        own = [_filled(row, "label", path)]
    else:  # a clip may have none
        own = [label for label in (row.get("label") or "").split(separator) if label]
    unknown = [label for label in own if label not in labels]
    if unknown:
        raise UserError(
            f"{path} gives {row['file']} the label {unknown[0]}, which the"
            f" model does not know; it knows {', '.join(labels)}"
        )
    return own


def _filled(row, column, path):
    if not row.get(column):
        raise UserError(
            f"{path} must have the columns file,label, both filled in "
            f"each row; received the row {dict(row)}"
        )
    return row[column]


def _find(folder, labels):
    """[(path, the label of the class that it lies in, in a list, or None)]."""
    found, spelled = walk(folder), spelled_as(labels)
    own = {name: spelled(name) for name, clips in found.by_class.items() if clips}
    unknown = [name for name, label in own.items() if label not in labels]
    is_labelled = bool(own) and not unknown
    if is_labelled:
        found.leave_loose()
    require_clips(found, "clips to compare on")
    if unknown:
        warn(
            f"the clips of {folder} are compared without labels: {len(unknown)} of its "
            f"{len(own)} subfolders of clips ({a_few(unknown)}) are no labels of the "
            f"model ({a_few(labels)})"
        )
    return [
        (path, [own[found.class_of(path)]] if is_labelled else None)
        for path in found.clips
    ]


def _cut(origin, waveforms, window_samples, targets):
    cut = [cut_windows(waveform, window_samples) for waveform in waveforms]
    return Clips(
        origin=origin,
        windows=np.concatenate(cut),
        clip_of_window=np.repeat(np.arange(len(cut)), [len(c) for c in cut]),
        targets=None if targets is None else np.array(targets),
    )
