"""A task whose clips come from a TensorFlow Datasets builder."""

import contextlib
import dataclasses
import importlib
import importlib.util
import os
import re
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from leaf_files.atomic import writable_folder
from leaf_files.errors import UserError
from training.tasks.background.adding import with_background
from training.tasks.background.sources import BackgroundSources
from training.tasks.clip_sets import SPLITS, TaskData
from training.tasks.identity import fingerprint, identity
from training.tasks.splits.assigning import Unsplit
from training.tasks.splits.at_random import hold_out_group, split_clips
from training.tasks.splits.splitting import Splitting
from training.tasks.tfds_manners import quick_to_fail, quiet

_REASON_LENGTH = 200


@dataclasses.dataclass(frozen=True)
class TfdsTask:
    """One task of the registry.

    Attributes:
        name: Name of the task, as in `--task`.
        about: Classes, in a few words.
        dataset: Name of the data set in TFDS, "name" or "name/config".
        sample_rate: Rate of the clips as stored, Hz.
        licence, homepage: Information for people who choose a task.
        download_bytes: Size of the archives; 0 if the data is made.
        split_rule: Rule of the splits, in words.
        splits: TFDS split of each of `training.tasks.clip_sets.SPLITS`. None if the
            data set has just "train": then it is split by `group_pattern`, or
            80/10/10 by a seed.
        group_pattern: Regular expression whose first group, in a clip's name, names its
            speaker or other group; whole groups are then held out by a seed.
        waveform_key, label_key: Names of the features; "a/b" is b inside a.
        clip_key: Name of the feature that names a clip. Defaults to none: a
            clip is then named by its split and position.
        metric: Main metric of the task.
        builder_module: Module of ours that registers the builder, if any.
        by_hand: Instructions for what TFDS can't download, and where to put it;
            "{manual}" stands for that folder.
        needs_beam: Whether TFDS prepares the data by Apache Beam.
        splitting: `Splitting` by the settings of the run, where they apply.
        sources: `BackgroundSources` by them, or None.

    >>> from training.tasks.registry import get_task
    >>> task = get_task("spoken_digit")
    >>> task.dataset, task.sample_rate, task.is_ready("/no/such/folder")
    ('spoken_digit', 8000, False)
    """

    name: str
    about: str
    dataset: str
    sample_rate: int
    licence: str
    homepage: str
    download_bytes: int
    split_rule: str
    splits: Mapping[str, str] | None = None
    group_pattern: str | None = None
    waveform_key: str = "audio"
    label_key: str = "label"
    clip_key: str | None = None
    metric: str = "accuracy"
    builder_module: str | None = None
    by_hand: str | None = None
    needs_beam: bool = False
    splitting: Splitting | None = None
    sources: BackgroundSources | None = None

    def split_by(self, splitting):
        """This task, split by the settings of a run; as it is if they don't apply.

        Args:
            splitting: A `Splitting`.
        """
        if self.why_not_split or splitting == Splitting():
            return self
        return dataclasses.replace(self, splitting=splitting)

    def beside(self, sources):
        """This task with the background of `BackgroundSources`; as it is for None."""
        return self if sources is None else dataclasses.replace(self, sources=sources)

    @property
    def why_not_split(self):
        """A line that says why nobody's settings split it; "" if they do."""
        if self.splits is not None:
            return f"the splits of {self.name} are fixed ({self.split_rule})"
        return ""

    def is_same(self, other):
        """Whether another task is this one, however it is split."""
        return isinstance(other, TfdsTask) and self.name == other.name

    def is_ready(self, data_dir=None):
        """Whether the prepared data is in a data folder; imports nothing heavy.

        Args:
            data_dir: Folder of TFDS. Defaults to TFDS's own. False for a bucket, which
                isn't looked into.
        """
        versions = Path(data_folder(data_dir), self.dataset).glob("*/dataset_info.json")
        return any(versions)

    def how_to_get(self, data_dir=None):
        """Instructions for what has to be done by hand before `load`, or None."""
        if self.by_hand is None:
            return None
        return self.by_hand.format(manual=_manual_folder(data_dir))

    def load(self, data_dir=None, seed=0):
        """Makes the data ready, downloading it if need be.

        Args:
            data_dir: Folder of TFDS. Defaults to TFDS's own, in the home
                folder.
            seed: Seed of the split where there is no official one, an int.

        Returns:
            A `TaskData`.

        Raises:
            UserError: The data is not there and can't be made.
        """
        if self.builder_module:
            importlib.import_module(self.builder_module)
        data_dir = data_folder(data_dir)
        builder = self._builder(data_dir)
        if not builder.data_path.exists():
            self._prepare(builder, data_dir)
        with _damage_named(self.name, builder.data_path):
            data = self._clips(builder, seed)
        return with_background(data, self.sources, seed)

    def _builder(self, data_dir):
        import tensorflow_datasets as tfds

        with _damage_named(self.name, f"{data_dir}/{self.dataset}"), quiet():
            return tfds.builder(self.dataset, data_dir=data_dir)

    def _clips(self, builder, seed):
        from training.tasks.tfds_clips import TfdsClips

        if self.splits is None:
            whole = TfdsClips(builder, "train", self, "train")
            fingerprint_of_all = whole.fingerprint
            assigned, groups = self._split(whole, seed)
            kept: dict[str, list[int]]
            kept = {s: [n for n, a in enumerate(assigned) if a == s] for s in SPLITS}
            clips = {split: whole.only(kept[split]) for split in SPLITS}
            fingerprints = {
                s: fingerprint([fingerprint_of_all, *map(str, kept[s])]) for s in SPLITS
            }
        else:
            clips = {
                split: TfdsClips(builder, self.splits[split], self, split)
                for split in SPLITS
            }
            groups, kept = None, {}
            fingerprints = {split: clips[split].fingerprint for split in SPLITS}
            fingerprint_of_all = fingerprint(fingerprints.values())
        train = clips["train"]
        return TaskData(
            train.labels,
            {
                split: dataclasses.replace(
                    clips[split].clip_set(),
                    fingerprint=fingerprints[split],
                    groups=groups and [groups[n] for n in kept[split]],
                )
                for split in SPLITS
            },
            train.multi_label,
            fingerprint_of_all,
        )

    def _prepare(self, builder, data_dir):
        if "://" not in data_dir:
            writable_folder(data_dir)
        if self.needs_beam and not importlib.util.find_spec("apache_beam"):
            raise UserError(
                f"preparing the data of task {self.name!r} needs Apache Beam; "
                'install it with: pip install "leaf_tf[beam]"'
            )
        print(
            f"preparing the data of {self.name} in {builder.data_path} "
            f"(download: {self._download(data_dir)})",
            file=sys.stderr,
        )
        try:
            with quiet(), quick_to_fail():
                builder.download_and_prepare(download_config=self._config())
        # TFDS raises a dozen types of error for missing, damaged or unreachable data.
        except Exception as error:
            remedy = self.how_to_get(data_dir) or (
                "check the network, or name a folder that has it with --data-dir"
            )
            raise UserError(
                f"cannot get the data of task {self.name!r}: it is not in "
                f"{data_dir} and could not be made there from "
                f"{self.homepage} ({_reason(error)}); {remedy}"
            ) from error

    def _config(self):
        import tensorflow_datasets as tfds

        if not self.needs_beam:
            return tfds.download.DownloadConfig()
        from apache_beam.options.pipeline_options import PipelineOptions

        return tfds.download.DownloadConfig(
            # Without a runner TFDS may ask on standard input whether to go on.
            beam_runner="DirectRunner",
            # By default Beam reads our own command line.
            beam_options=PipelineOptions(flags=[]),
        )

    def _download(self, data_dir):
        if not self.download_bytes:
            return "none, it is made"
        by_hand = f", by hand, from {_manual_folder(data_dir)}" if self.by_hand else ""
        return f"{size(self.download_bytes)}{by_hand}"

    def _split(self, clips, seed):
        """(split of each clip of a data set without splits, its group or None)."""
        if self.splitting is not None:
            return self._split_by_settings(self.splitting, clips, seed)
        if self.group_pattern:
            groups = [*self._groups(clips, self.group_pattern)]
            return hold_out_group(groups, seed), groups
        sounds = [*self._sounds(clips)]
        labels = sorted({label for _, label in sounds})
        return split_clips(sounds, labels, seed), None

    def _split_by_settings(self, splitting, clips, seed):
        names = [
            example[self.clip_key].decode() for example in clips.parts(self.clip_key)
        ]
        given = None
        if self.group_pattern:
            given = [*self._groups(clips, self.group_pattern)]
        groups, fault = splitting.groups(names, given)
        if fault:
            raise UserError(f"{self.name} can't be split so: {fault}")
        sounds = [*self._sounds(clips)]
        assigned = splitting.assign(
            [
                Unsplit(name, sound, (label,), groups[n] if groups else None)
                for n, (name, (sound, label)) in enumerate(zip(names, sounds))
            ],
            sorted({label for _, label in sounds}),
            seed,
        )
        assigned.tell()
        return assigned.splits, groups

    def _sounds(self, clips):
        """Yields (identity, label) of each clip."""
        for example in clips.parts(self.waveform_key, self.label_key):
            sound = identity(example[self.waveform_key], self.sample_rate)
            yield sound, clips.labels[example[self.label_key]]

    def _groups(self, clips, pattern):
        """Yields the speaker, or other group, of each clip, by its name."""
        for example in clips.parts(self.clip_key):
            name = example[self.clip_key].decode()
            match = re.search(pattern, name)
            if match is None:
                raise UserError(f"the name of clip {name} doesn't say who made it")
            yield match.group(1)


@contextlib.contextmanager
def _damage_named(name, path):
    """Turns failures to read prepared data into a `UserError`."""
    try:
        yield
    except UserError:
        raise
    # TFDS checks little of what it reads: any error may follow.
    except Exception as error:
        raise UserError(
            f"the data of task {name!r} in {path} is damaged or incomplete "
            f"({_reason(error)}); restore that folder, or remove it, and it is made "
            "anew"
        ) from error


def _reason(error):
    if isinstance(error, UserError):
        return str(error)
    # TFDS's messages can run to pages.
    reason = textwrap.shorten(str(error), _REASON_LENGTH, placeholder=" ...")
    return f"{type(error).__name__}: {reason}"


def data_folder(data_dir=None):
    """The folder of TFDS: the given one, or TFDS's own, a string; maybe a bucket's.

    >>> data_folder("/data/tfds")
    '/data/tfds'
    """
    default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    return os.path.expanduser(data_dir or default)


def size(n_bytes):
    """A number of bytes for people, such as "11 MiB", "2.4 GiB", "3.3 TiB".

    >>> size(2_541_486_466)
    '2.4 GiB'
    """
    for unit, unit_bytes in (("TiB", 2**40), ("GiB", 2**30)):
        if n_bytes >= unit_bytes:
            return f"{n_bytes / unit_bytes:.1f} {unit}"
    return f"{n_bytes / 2**20:.0f} MiB"


def _manual_folder(data_dir):
    return os.path.join(data_folder(data_dir), "downloads", "manual")
