"""Sounds that augmentation takes from folders: background noise, room responses."""

import dataclasses
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from leaf_files.clips import hear_clip, require_audio_rate, resample
from leaf_files.command_line import a_few, one_line, warn
from leaf_files.errors import UserError
from leaf_files.oddities import SILENT, warn_of_all
from leaf_files.text import require_utf8
from leaf_files.walk import cannot_be_used, find_clips
from training.input.rooms import N_SYNTHETIC, aligned, synthetic_responses
from training.tasks.identity import SOUND_DIGITS, fingerprint, identity

# Float32 samples of a folder that are kept in memory: 1 GiB.
MOST_SAMPLES = 2**28
_FOLDERS = {"noise_dir": "background noise", "rir_dir": "room response"}


class SoundMemory:
    """Waveforms one after the other in memory.

    Args:
        waveforms: float32 (samples,) each, at least one sample; not empty.

    Attributes:
        n_sounds: Number of waveforms.

    >>> SoundMemory([np.float32([1, 2])]).sound((0, 0)).numpy()
    array([1., 2.], dtype=float32)
    """

    def __init__(self, waveforms):
        samples = np.array([len(waveform) for waveform in waveforms], np.int64)
        self.n_sounds = len(samples)
        with tf.device("CPU"):  # a GPU has better use for its memory
            self._values = tf.constant(np.concatenate(waveforms))
            self._samples = tf.constant(samples)
            self._starts = tf.constant(np.cumsum(samples) - samples)

    def sound(self, seed):
        """A random one, (samples,), by a seed of two ints."""
        index = tf.random.stateless_uniform([], seed, 0, self.n_sounds, tf.int32)
        start = self._starts[index]
        return self._values[start : start + self._samples[index]]

    def part(self, seed, samples):
        """A random part of a random one, which is repeated where it is shorter.

        Args:
            seed: Two ints; the same give the same part.
            samples: Length of the part, an int.

        Returns:
            (samples,), float32.
        """
        which, where = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        sound = self.sound(which)
        length = tf.shape(sound)[0]
        n_places = tf.where(length < samples, length, length - samples + 1)
        place = tf.random.stateless_uniform([], where, 0, n_places, tf.int32)
        part = tf.cond(
            length < samples,
            lambda: tf.gather(sound, (place + tf.range(samples)) % length),
            lambda: sound[place : place + samples],
        )
        return tf.ensure_shape(part, [samples])


@dataclasses.dataclass(frozen=True)
class AugmentationSounds:
    """The sounds that a run's augmentation mixes in.

    Attributes:
        noise: `SoundMemory` of background noise, or None.
        responses: `SoundMemory` of room responses, or None.
        files: {setting that names a folder: {sound of a file, as in `ListedClip`: its
            path in the folder}}.

    >>> from training.settings.config import FitConfig
    >>> config = FitConfig("birds", noise_dir="drums", sample_rate=8000)
    >>> AugmentationSounds.read(config, say=print).noise.n_sounds
    10 files of background noise, 1.0 s, in drums
    10
    """

    noise: SoundMemory | None = None
    responses: SoundMemory | None = None
    files: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)

    @classmethod
    def read(cls, config, say):
        """Reads the folders of a `FitConfig`, and makes up the rooms that it wants.

        Args:
            config: `FitConfig`.
            say: Function that is called with a line about each folder.

        Raises:
            UserError: A folder isn't there, holds no sound, or files that can't be
                read, unless such are to be skipped.
        """
        _require_folders(config)
        files_of = {
            name: _read(name, config, say) for name in _FOLDERS if getattr(config, name)
        }
        noise = [file.waveform for file in files_of.get("noise_dir", ())]
        responses = [
            aligned(file.waveform, config.window_samples)
            for file in files_of.get("rir_dir", ())
        ]
        if config.synthetic_rirs:
            responses += synthetic_responses(
                len(responses) or N_SYNTHETIC,
                config.rt60,
                config.sample_rate,
                config.window_samples,
                config.seed,
            )
        return cls(
            SoundMemory(noise) if noise else None,
            SoundMemory(responses) if responses else None,
            {
                name: {f.sound: f.name for f in files}
                for name, files in files_of.items()
            },
        )

    def fingerprints(self):
        """{setting: fingerprint of the sounds in its folder, whatever their names}."""
        return {name: fingerprint(sorted(files)) for name, files in self.files.items()}


def _require_folders(config):
    """Checks that the folders of sounds are there; reads none of their files.

    Raises:
        UserError: One isn't.
    """
    for setting in _FOLDERS:
        folder = getattr(config, setting)
        if not folder:
            continue
        require_utf8(Path(folder))
        advice = f"name a folder of audio files as {_option(setting)}"
        if not os.path.exists(folder):
            raise UserError(f"there is no folder {folder}; {advice}")
        if not os.path.isdir(folder):
            raise UserError(f"{folder} is a file; {advice}")


@dataclasses.dataclass(frozen=True)
class _File:
    """A file of a folder of sounds.

    Attributes:
        name: Path in the folder.
        sound: Its sound, as in `ListedClip`.
        waveform: (samples,), at the model's rate, of peak 1 unless it is silent.
        oddities: Oddities of the sound, see `leaf_files.oddities`.
    """

    name: str
    sound: str
    waveform: np.ndarray
    oddities: Sequence[str]


def _read(setting, config, say):
    """The `_File`s of a folder that aren't silent, at least one; each sound once.

    Their order is that of their sounds: files may be renamed.
    """
    folder, what = Path(getattr(config, setting)), _FOLDERS[setting]
    paths = find_clips(folder, f"audio file that could be a {what}")
    files: list[_File] = []
    errors, silent, n_samples, n_kept = [], [], 0, 0
    for file in _files(paths, folder, config.sample_rate, what):
        if isinstance(file, UserError):
            errors.append(file)
        elif file.waveform.any():
            files.append(file)
            n_samples += file.waveform.size
            n_kept += file.waveform.size
            if n_kept > MOST_SAMPLES:
                files = _middles(files, MOST_SAMPLES // 2)
                n_kept = sum(file.waveform.size for file in files)
        else:
            silent.append(file.name)
    if n_kept < n_samples:
        files = _middles(files, MOST_SAMPLES // 2)
    _tell(errors, silent, files, len(paths), folder, config.skip_bad_clips)
    seconds = n_samples / config.sample_rate
    line = f"{len(files)} files of {what}, {seconds:.1f} s"
    if n_kept < n_samples:
        longest = max(file.waveform.size for file in files) / config.sample_rate
        line += f"; the middle {longest:.1f} s of longer ones are kept in memory"
    say(f"{line}, in {folder}")
    by_sound = {file.sound: file for file in files}
    return [by_sound[sound] for sound in sorted(by_sound)]


def _files(paths, folder, sample_rate, what):
    """Yields the `_File` of each path in order, or the `UserError` of reading it."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from tqdm(
            pool.map(lambda path: _file_or_error(path, folder, sample_rate), paths),
            desc=f"reading {what}",
            total=len(paths),
            unit=" files",
            leave=False,
            disable=None,  # without a terminal
        )


def _file_or_error(path, folder, sample_rate):
    try:
        heard = hear_clip(path)
        require_audio_rate(heard.sample_rate, path)
    except UserError as error:
        return error
    sound = identity(heard.waveform, heard.sample_rate)[:SOUND_DIGITS]
    waveform = resample(heard.waveform, heard.sample_rate, sample_rate)
    peak = 0.0 if SILENT in heard.oddities else np.abs(waveform).max()
    waveform = waveform * np.float32(1 / peak if peak else 0)
    name = path.relative_to(folder).as_posix()
    return _File(name, sound, waveform, heard.oddities)


def _middles(files, most_samples):
    """The files, long ones cut to their middle, so that all have `most_samples`."""
    samples_left, longest = most_samples, 0
    sizes = sorted(file.waveform.size for file in files)
    for n_before, size in enumerate(sizes):
        longest = samples_left // (len(sizes) - n_before)
        if size > longest:
            break
        samples_left -= size
    cut = []
    for file in files:
        spare = file.waveform.size - max(1, longest)
        if spare > 0:
            middle = file.waveform[spare // 2 : spare // 2 + max(1, longest)].copy()
            file = dataclasses.replace(file, waveform=middle)
        cut.append(file)
    return cut


def _tell(errors, silent, files, n_paths, folder, skip_bad_clips):
    """Says on stderr what of a folder isn't used; raises if that may not be meant."""
    if errors:
        summary = f"in {folder} {cannot_be_used(errors, n_paths)}"
        named = a_few(errors, between="; ")
        if not skip_bad_clips:
            raise UserError(
                f"{summary}; mend or remove them, or leave them out with "
                f"--skip-bad-clips: {named}"
            )
        lines = map(one_line, errors)
        print(f"{summary} and are skipped:", *lines, sep="\n  ", file=sys.stderr)
    if not files:
        raise UserError(f"all of the {n_paths} audio files in {folder} are silent")
    if silent:
        warn(
            f"{len(silent)} of {n_paths} files in {folder} are silent and are skipped: "
            f"{a_few(silent)}"
        )
    oddities = {file.name: file.oddities for file in files}
    warn_of_all(oddities, n_paths)


def _option(setting):
    return "--" + setting.replace("_", "-")
