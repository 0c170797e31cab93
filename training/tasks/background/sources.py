"""What `--background` adds to a task: its clips, and their splits."""

import dataclasses
from pathlib import Path

from leaf_files.command_line import a_few, counted
from leaf_files.errors import UserError
from training.settings.config import SYNTHETIC, UNLABELLED
from training.tasks.background.clips import Added
from training.tasks.background.finding import (
    between_events,
    in_folder,
    pieces_of,
    require_folder,
)
from training.tasks.background.recordings import most_windows
from training.tasks.background.synthetic import SyntheticSound
from training.tasks.clip_sets import SPLITS
from training.tasks.identity import SOUND_DIGITS
from training.tasks.splits.groups import split_groups
from training.tasks.splits.splitting import Splitting

LABEL = "background"
_LEAST = 3  # clips of a source: one a split
_FEW = 3  # recordings, of which none can be held out whole
_PARTS = 10  # of few recordings


@dataclasses.dataclass(frozen=True)
class BackgroundSources:
    """Where the background of a task comes from; the settings of a run say it.

    The clips are the same whatever the run's seed, which splits them.

    Attributes:
        names: "synthetic", "unlabelled", and paths of folders of recordings.
        share: Share of a task's clips that are added; None for as many clips as its
            classes have in the mean.
        window_seconds: Length of a window.
        sample_rate: Rate of made-up sounds, Hz.
        skip_bad: Whether recordings that can't be read are left out.
        splitting: `Splitting`, which may find groups in names of recordings.

    >>> from training.tasks.background.clips import Known
    >>> sources = BackgroundSources(("synthetic", "/data/street"))
    >>> sources.wanted(Known(100, 10)), sources.folders
    (10, ['/data/street'])
    """

    names: tuple[str, ...]
    share: float | None = None
    window_seconds: float = 1.0
    sample_rate: int = 16000
    skip_bad: bool = False
    splitting: Splitting = Splitting()

    @classmethod
    def of(cls, config):
        """Those of a `FitConfig`, or None."""
        if config is None or config.background is None:
            return None
        return cls(
            tuple(config.background.split(",")),
            config.background_share,
            config.window_seconds,
            config.sample_rate,
            config.skip_bad_clips,
            Splitting.of(config),
        )

    @property
    def folders(self):
        """Paths of the folders of recordings, a list of str."""
        return [name for name in self.names if name not in (SYNTHETIC, UNLABELLED)]

    @property
    def takes_unlabelled(self):
        """Whether stretches of recordings between their events are used."""
        return UNLABELLED in self.names

    def require(self, task):
        """Checks that a task can have this background; reads no clips.

        Args:
            task: Task, from `training.tasks.registry.get_task`.

        Raises:
            UserError: It can't.

        >>> from training.tasks.registry import get_task
        >>> BackgroundSources(("drums/kick",)).require(get_task("folder:drums"))
        Traceback (most recent call last):
        leaf_files.errors.UserError: the folder drums/kick of --background ...
        """
        own = Path(task.path) if hasattr(task, "path") else None
        if self.takes_unlabelled and not hasattr(task, "column"):
            raise UserError(
                f"--background {UNLABELLED} is what is annotated in no row of a table "
                f"with columns start and end, and {task.name} is none: name folders, "
                f"or {SYNTHETIC}"
            )
        for name in self.folders:
            folder = Path(name)
            require_folder(folder)
            if own is None or not own.is_dir():
                continue
            one, other = folder.resolve(), own.resolve()
            if one.is_relative_to(other) or other.is_relative_to(one):
                raise UserError(
                    f"the folder {name} of --background holds clips of {task.name}, or "
                    "lies among them: its recordings must be of none of the classes; "
                    "move them elsewhere, or leave out --background if they are a "
                    "class already"
                )

    def wanted(self, known):
        """How many clips are added to a task, at most.

        Args:
            known: `Known` of the task.
        """
        if self.share is None:
            return round(known.n_clips / max(1, known.n_classes))
        return round(known.n_clips * self.share / (1 - self.share))

    def added(self, known):
        """The clips that are added, whatever their split.

        Args:
            known: `Known` of the task.

        Returns:
            ([`Added`] of each source, lines on them).

        Raises:
            UserError: A source has none, has recordings that can't be read, or has
                clips of the task itself.
        """
        each = max(_LEAST, round(self.wanted(known) / len(self.names)))
        clips, lines = [], []
        for name in self.names:
            of_source, line = self._of(name, each, known)
            clips.append(of_source)
            lines.append(line)
        return clips, lines

    def split(self, clips, known, seed):
        """The splits of added clips.

        Recordings are never in two splits, where there are three or more; made-up
        sounds are split by their kinds. Recordings of a group that the task has, too,
        are where that is.

        Args:
            clips: [`Added`] of each source.
            known: `Known` of the task.
            seed: Seed of the split, an int.

        Returns:
            {split: its `Added`}.

        >>> from training.tasks.background.clips import Known
        >>> sources = BackgroundSources(("synthetic",))
        >>> clips, _ = sources.added(Known(100, 10))
        >>> splits = sources.split(clips, Known(100, 10), seed=0)
        >>> {split: len(clips) for split, clips in splits.items()}
        {'train': 6, 'validation': 2, 'test': 2}
        """
        of_split: dict = {split: [] for split in SPLITS}
        for of_source in clips:
            open_ones = [c for c in of_source if c.group not in known.placed]
            kinds = [[getattr(c.made, "kind", LABEL)] for c in open_ones]
            drawn_splits = open_ones and split_groups(
                [c.group for c in open_ones], kinds, seed
            )
            place = dict(zip((c.group for c in open_ones), drawn_splits))
            for clip in of_source:
                split = known.placed.get(clip.group) or place[clip.group]
                of_split[split].append(clip)
        return of_split

    def drawn(self, known, label, seed):
        """The clips that are added, by split.

        Args:
            known: `Known` of the task.
            label: Their label, or None.
            seed: Seed of the split, an int.

        Returns:
            ({split: its `Added`}, a line on them).

        Raises:
            UserError: See `added`.

        >>> from training.tasks.background.clips import Known
        >>> sources = BackgroundSources(("synthetic",))
        >>> sources.drawn(Known(100, 10), "background", seed=0)[1]
        "the class 'background' has 10 clips by --background (6 train, 2 validation, 2
        test): 10 made up of silence and noise"
        """
        clips, lines = self.added(known)
        of_split = self.split(clips, known, seed)
        counts = ", ".join(f"{len(of_split[split])} {split}" for split in SPLITS)
        n_clips = counted(sum(map(len, clips)), "clip")
        what = f"the class {label!r} has {n_clips}"
        if label is None:
            what = f"{n_clips} without a label"
        return of_split, f"{what} by --background ({counts}): {'; '.join(lines)}"

    def _of(self, name, n_clips, known):
        """([`Added`] of a source, a line on them)."""
        if name == SYNTHETIC:
            seconds = most_windows(self.window_seconds) * self.window_seconds
            sounds = [SyntheticSound(n, seconds) for n in range(n_clips)]
            rate = self.sample_rate
            return (
                [Added(s.name, s.sound(rate), s.name, s) for s in sounds],
                f"{len(sounds)} made up of silence and noise",
            )
        if name == UNLABELLED:
            found = between_events(known.annotated)
        else:
            found = in_folder(Path(name), self.splitting, known.paths)
        pieces = pieces_of(found, n_clips, self.window_seconds, LABEL, self.skip_bad)
        sounds = [clip.heard.identity[:SOUND_DIGITS] for clip in pieces]
        same = [c.name(Path()) for c, s in zip(pieces, sounds) if s in known.sounds]
        if same:
            raise UserError(
                f"{counted(len(same), 'recording')} of --background {name} "
                f"{'is' if len(same) == 1 else 'are'} among the clips of the task, "
                f"too: {a_few(same)}; take out what is of its classes"
            )
        groups, is_cut = _groups(pieces, found.groups, known)
        used = len({clip.path for clip in pieces})
        few = f", of {n_clips} wanted," if len(pieces) < n_clips else ""
        cut = ", split in time, as they are fewer than three" if is_cut else ""
        return (
            [
                Added(c.name(Path()), *of)
                for c, *of in zip(pieces, sounds, groups, pieces)
            ],
            f"{counted(len(pieces), 'piece')}{few} of {used} of the "
            f"{counted(len(found.recordings), 'recording')} {found.where}{cut}",
        )


def _groups(pieces, groups, known):
    """(group of each piece, whether few recordings are cut into parts for that)."""
    of_pieces = [groups[clip.path] for clip in pieces]
    has_placed = any(group in known.placed for group in of_pieces)
    if has_placed or len({*of_pieces}) >= _FEW:
        return of_pieces, False
    seconds: dict[Path, float] = {}
    for clip in pieces:
        end = clip.heard.last / clip.heard.sample_rate
        seconds[clip.path] = max(end, seconds.get(clip.path, 0.0))
    parts = [
        int(_PARTS * clip.heard.first / clip.heard.sample_rate / seconds[clip.path])
        for clip in pieces
    ]
    return [f"{g}, part {p + 1} of {_PARTS}" for g, p in zip(of_pieces, parts)], True
