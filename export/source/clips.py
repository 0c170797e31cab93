"""The clips on which an artifact is compared with Keras."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from export.contract.heads import Head
from leaf_files.command_line import a_few, warn
from leaf_files.errors import UserError
from leaf_files.labels import spelled_as
from leaf_files.run_folder import CLIPS_COLUMNS, CLIPS_TABLE, LABEL_SEPARATOR
from leaf_files.text import read_table, require_utf8
from leaf_files.walk import read_all, require_clips, walk
from leaf_files.windows import cut_windows

_SYNTHETIC_WINDOWS = 2  # per clip


@dataclasses.dataclass(frozen=True)
class Clips:
    """Windows of clips, in order.

    Attributes:
        origin: Origin of the clips, for the report.
        windows: (n_windows, window_samples), float32.
        clip_of_window: (n_windows,), the index of each window's clip.
        targets: (n_clips, classes), bool, the labels of each clip; None if unknown.

    Example:

    >>> Clips("noise", np.zeros((3, 800)), np.array([0, 0, 1]), targets=None).n_clips
    2
    """

    origin: str
    windows: np.ndarray
    clip_of_window: np.ndarray
    targets: np.ndarray | None

    @property
    def n_clips(self) -> int:
        """Number of clips."""
        return int(self.clip_of_window[-1]) + 1


def thinned(clips: Clips, most: int) -> Clips:
    """At most so many clips, evenly from all of them.

    Example:

    >>> clips = Clips("noise", np.zeros((4, 8)), np.array([0, 0, 1, 2]), None)
    >>> thinned(clips, 2).clip_of_window
    array([0, 0, 1])
    """
    if clips.n_clips <= most:
        return clips
    kept = np.linspace(0, clips.n_clips - 1, most).round().astype(int)
    is_kept = np.isin(clips.clip_of_window, kept)
    return Clips(
        clips.origin,
        clips.windows[is_kept],
        np.searchsorted(kept, clips.clip_of_window[is_kept]),
        None if clips.targets is None else clips.targets[kept],
    )


def head_clips(head: Head, sample_rate: int, window_samples: int) -> Clips:
    """The clips that a head is compared on: its own, else `synthetic_clips`.

    Example:

    >>> head_clips(Head("", ("no", "yes"), "softmax"), 8000, 4000).origin
    'synthetic noise and chirps'
    """
    if head.clips_folder is None:
        return synthetic_clips(sample_rate, window_samples)
    return read_clips(
        head.clips_folder, sample_rate, window_samples, head.labels, head.multi_label
    )


def read_clips(
    folder: str | Path,
    sample_rate: int,
    window_samples: int,
    labels: Sequence[str],
    multi_label: bool = False,
) -> Clips:
    """Reads a folder of clips, cut into windows.

    A `clips.csv` (header `file,label`) names the clips and their labels.
    Without it the clips are those that `python -m training evaluate` takes of the
    folder: a clip's label is the name of the folder's own subfolder that it is located
    in, at any depth. If one of these isn't a label, the clips are compared without
    labels, and a warning says so.

    Args:
        folder: The folder.
        sample_rate: Sample rate, Hz; clips of other rates are resampled.
        window_samples: Length of a window.
        labels: Labels of the head, in the order of its classes.
        multi_label: Whether `clips.csv` gives any number of labels, as a|b.

    Raises:
        UserError: No clips, an unreadable one, or a table with unknown labels.

    Example:

    >>> labels = ("north", "south", "east", "west")
    >>> clips = read_clips("run/evaluation_clips", 8000, 4000, labels)
    >>> clips.n_clips, clips.windows.shape, clips.targets.shape
    (6, (13, 4000), (6, 4))
    """
    folder = Path(folder)
    require_utf8(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder of clips {folder}")
    table = folder / CLIPS_TABLE
    if table.is_file():
        named = _read_table(table, labels, LABEL_SEPARATOR if multi_label else None)
        if not named:
            raise UserError(f"{table} holds no clips; fill it in, or remove it")
    else:
        named = _find(folder, labels)
    if not named:
        raise UserError(f"the folder {folder} holds no clips to compare on")
    waveforms = read_all([path for path, _ in named], sample_rate)
    is_labelled = all(names is not None for _, names in named)
    targets = (
        [[label in names for label in labels] for _, names in named]
        if is_labelled
        else None
    )
    return _cut(folder.name, waveforms, window_samples, targets)


def synthetic_clips(sample_rate: int, window_samples: int) -> Clips:
    """Noise, chirps, a click and silence, without labels: the same ones each time.

    Each is loud and quiet, since PCEN and log treat these differently.

    Example:

    >>> synthetic_clips(8000, 4000).windows.shape
    (18, 4000)
    """
    samples = _SYNTHETIC_WINDOWS * window_samples
    noise = np.random.default_rng(0).standard_normal(samples)
    # It sweeps from 0 Hz to half the sample rate.
    chirp = np.sin(np.pi * np.arange(samples) ** 2 / (2 * samples))
    click = np.zeros(samples)
    click[samples // 3] = 1.0
    loud = [0.3 * noise, 0.9 * chirp, 0.05 * noise + 0.5 * chirp, click]
    waveforms = [*loud, *(0.01 * waveform for waveform in loud), 0.0 * noise]
    waveforms = [np.clip(w, -1, 1).astype(np.float32) for w in waveforms]
    return _cut("synthetic noise and chirps", waveforms, window_samples, None)


def describe(clips: Sequence[Clips]) -> dict:
    """Origin and numbers of the clips of all heads, for the report.

    Example:

    >>> describe([synthetic_clips(8000, 4000)])["n_clips"]
    9
    """
    return {
        "origin": ", ".join(dict.fromkeys(each.origin for each in clips)),
        "n_clips": sum(each.n_clips for each in clips),
        "n_windows": sum(len(each.windows) for each in clips),
    }


def _read_table(path, labels, separator):
    """[(path, its labels)] of a `clips.csv`, in its order."""
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
            "is used once"
        )
    return list(once.items())


def _beside(table, name):
    r"""The path of a clip in a table, with "/" or, as Windows writes it, "\"."""
    path = table.parent / name
    return path if path.exists() else table.parent / name.replace("\\", "/")


def _require_one_label(named, table):
    label_of: dict[Path, str] = {}
    for path, (label,) in named:
        if label_of.setdefault(path, label) != label:
            raise UserError(
                f"{table} gives {path.name} the labels {label_of[path]} and {label}; a "
                "clip has one"
            )


def _row_labels(row, path, labels, separator):
    if separator is None:
        names = [_filled(row, "label", path)]
    else:  # a clip may have none
        names = [name for name in (row.get("label") or "").split(separator) if name]
    unknown = [name for name in names if name not in labels]
    if unknown:
        raise UserError(
            f"{path} gives {row['file']} the label {unknown[0]}, which the"
            f" model does not know; it knows {', '.join(labels)}"
        )
    return names


def _filled(row, column, path):
    if not row.get(column):
        raise UserError(
            f"{path} must have the columns {','.join(CLIPS_COLUMNS)}, both filled in "
            f"each row; received the row {dict(row)}"
        )
    return row[column]


def _find(folder, labels):
    """[(path, [label of its class], or None where classes are no labels)]."""
    walked, spelled = walk(folder), spelled_as(labels)
    classes: dict[str | None, str] = {
        name: spelled(name) for name, clips in walked.by_class.items() if clips
    }
    unknown = [name for name, label in classes.items() if label not in labels]
    is_labelled = bool(classes) and not unknown
    if is_labelled:
        walked.leave_loose()
    require_clips(walked, "clips to compare on")
    if unknown:
        warn(
            f"the clips of {folder} are compared without labels: {len(unknown)} of its "
            f"{len(classes)} subfolders of clips ({a_few(unknown)}) are no labels of "
            f"the model ({a_few(labels)})"
        )
    return [
        (path, [classes[walked.class_of(path)]] if is_labelled else None)
        for path in walked.clips
    ]


def _cut(origin, waveforms, window_samples, targets):
    cut = [cut_windows(waveform, window_samples) for waveform in waveforms]
    return Clips(
        origin=origin,
        windows=np.concatenate(cut),
        clip_of_window=np.repeat(np.arange(len(cut)), [len(c) for c in cut]),
        targets=None if targets is None else np.array(targets),
    )
