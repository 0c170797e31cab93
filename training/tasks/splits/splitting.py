"""The settings by which clips are split: groups, folds."""

import dataclasses
import re
from collections.abc import Sequence

from leaf_files.command_line import a_few
from training.settings.config import NO_GROUPS
from training.tasks.splits.assigning import Assigning


@dataclasses.dataclass(frozen=True)
class Splitting:
    """The settings of a run by which clips are split: see `FitConfig`.

    Attributes:
        group_pattern, group_by, folds, fold: See `FitConfig`.

    >>> Splitting(group_pattern="([^/]+)__").groups(["wren/garden__1.wav"])
    (['garden'], '')
    """

    group_pattern: str | None = None
    group_by: str | None = None
    folds: int | str | None = None
    fold: int | None = None

    @classmethod
    def of(cls, config):
        """Those of a `FitConfig`; the defaults for None."""
        if config is None:
            return cls()
        return cls(config.group_pattern, config.group_by, config.folds, config.fold)

    @property
    def options(self):
        """The options on a command line that aren't left at their defaults."""
        return [
            "--" + field.name.replace("_", "-")
            for field in dataclasses.fields(self)
            if getattr(self, field.name) is not None
        ]

    @property
    def in_words(self):
        """The rule of the splits, a phrase."""
        whose, by = "within each class", " by the seed"
        if self.group_pattern is not None:
            whose = f"in whole groups, as {self.group_pattern} finds them in paths"
            by = ", by the seed"
        elif self.group_by == "parent":
            by = ", by the seed"
            whose = "in whole groups, the folders that clips lie in"
        if self.folds is None:
            return f"80/10/10 {whose}{by}"
        fold = "seed mod number of folds" if self.fold is None else self.fold
        folds = "one fold a group" if isinstance(self.folds, str) else self.folds
        return f"folds {whose} ({folds}), of which number {fold} tests"

    def groups(
        self, names: Sequence[str], told: Sequence[str | None] | None = None
    ) -> tuple[list[str] | None, str]:
        """The groups of clips.

        Args:
            names: Path of each clip, relative to its folder or table, with "/".
            told: Group of each clip where the data tells it, or None.

        Returns:
            (the group of each clip, or None if they aren't known; a line about those
            whose groups can't be found, or "").
        """
        if self.group_by == NO_GROUPS:
            return None, ""
        if self.group_by == "parent":
            folders = [name.rpartition("/")[0].rpartition("/")[2] for name in names]
            return [folder or "." for folder in folders], ""
        if self.group_pattern is not None:
            return _by_pattern(self.group_pattern, names)
        if told is None or all(group is None for group in told):
            return None, ""
        lost = [name for name, group in zip(names, told) if not group]
        if lost:
            return None, (
                f"{len(lost)} of {len(names)} clips have no group, such as "
                f"{a_few(lost)}; give each one, or split without groups by "
                "--group-by none"
            )
        return [str(group) for group in told], ""

    def assign(self, clips, labels, seed, multi_label=False):
        """Puts clips into splits.

        Clips with copies of one sound, and all of a group, are never in two, but for
        what the data gives. Without groups, folds or given splits it is 80/10/10 at
        random, within each class.

        Args:
            clips: `Unsplit`s.
            labels: Names of all classes.
            seed: Seed of what is drawn, an int.
            multi_label: Whether a clip may have several labels, or none.

        Returns:
            `Assigned`.

        Raises:
            UserError: They can't be split so; the message says what to do.
        """
        return Assigning(self, clips, labels, seed, multi_label).run()


def _by_pattern(regex, names):
    """`Splitting.groups` by a regular expression."""
    pattern = re.compile(regex)
    matches = [pattern.search(name) for name in names]
    groups = [match[1] if match and match[1] else "" for match in matches]
    lost = [name for name, group in zip(names, groups) if not group]
    if lost:
        return None, (
            f"{len(lost)} of {len(names)} clips have no group by --group-pattern "
            f"{regex!r}, such as {a_few(lost)}; it is searched in the path of a clip "
            "as written here, and what its first parentheses match is the group"
        )
    return groups, ""
