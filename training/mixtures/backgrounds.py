"""Backgrounds of mixtures: noise, or recordings one after the other."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from leaf_files.errors import UserError
from leaf_files.sound import file_blocks
from leaf_files.walk import find_clips
from training.tasks.noise import COLORS, endless_noise

_NOISE_PEAK = 6.0  # deviations, which noise exceeds once in 500 million samples
_JOINT_SECONDS = 0.01


@dataclasses.dataclass(frozen=True)
class Background:
    """A background of mean square 1.

    Attributes:
        blocks: Its samples, (samples,) each, at least as many as were asked for.
        peak: Its largest absolute value.
        files: Paths of the recordings that it is made of, in order.

    >>> make_background("pink", 8000, 100, np.random.default_rng(0)).files
    ()
    """

    blocks: Iterator[np.ndarray]
    peak: float
    files: Sequence[Path] = ()


class _Level(NamedTuple):
    """What a recording measures: samples, root of the mean square, peak."""

    samples: int
    rms: float
    peak: float


def make_background(name, sample_rate, samples, random):
    """The `Background` of a name.

    Recordings follow one another in a random order, each as loud as the others, and
    fade in and out for 10 ms; all are used before one is repeated. They are read as
    they are needed: twice, first for their levels.

    Args:
        name: "pink", "white", or the path of a folder of recordings, at any depth.
        sample_rate: Hz.
        samples: Samples that are needed.
        random: `numpy.random.Generator`.

    Raises:
        UserError: A folder that isn't there, or holds no sound.

    >>> background = make_background("drums", 8000, 1500, np.random.default_rng(0))
    >>> [path.suffix for path in background.files]
    ['.wav', '.wav']
    """
    if name in COLORS:
        return Background(endless_noise(random, name, sample_rate), _NOISE_PEAK)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {folder}: --background is {', '.join(COLORS)}, or a "
            "folder of recordings"
        )
    paths = find_clips(folder, "recording that could be a background")
    levels: dict[Path, _Level] = {}
    chosen, n_chosen, n_silent = [], 0, 0
    while n_chosen < samples:
        for place in random.permutation(len(paths)):
            path = paths[place]
            if path not in levels:
                levels[path] = _level(path, sample_rate)
            if not levels[path].rms:
                n_silent += 1
                continue
            chosen.append(path)
            n_chosen += levels[path].samples
            if n_chosen >= samples:
                break
        if not chosen:
            raise UserError(f"all of the {n_silent} recordings in {folder} are silent")
    peak = max(levels[path].peak / levels[path].rms for path in chosen)
    blocks = itertools.chain.from_iterable(
        _even(path, levels[path], sample_rate) for path in chosen
    )
    return Background(blocks, peak, tuple(chosen))


def _level(path, sample_rate):
    samples, energy, peak = 0, 0.0, 0.0
    for block in file_blocks(path, sample_rate):
        samples += block.size
        energy += float(np.sum(np.square(block, dtype=np.float64)))
        peak = max(peak, float(np.abs(block).max()))
    return _Level(samples, float(np.sqrt(energy / samples)), peak)


def _even(path, level, sample_rate):
    """Blocks of a recording at mean square 1, its ends faded."""
    n_read, n_joint = 0, round(_JOINT_SECONDS * sample_rate)
    for block in file_blocks(path, sample_rate):
        places = n_read + np.arange(block.size)
        n_read += block.size
        to_end = np.minimum(places + 1, level.samples - places)
        yield block * (np.minimum(1.0, to_end / (n_joint + 1)) / level.rms)
