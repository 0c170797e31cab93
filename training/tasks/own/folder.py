"""A task of the user's own: a folder with a subfolder of clips per class."""

import dataclasses
import os
import re
from pathlib import Path

from leaf_files.command_line import a_few, note
from leaf_files.errors import UserError
from leaf_files.run_folder import RunPaths
from leaf_files.text import require_utf8
from leaf_files.walk import walk
from training.tasks.background.sources import BackgroundSources
from training.tasks.clip_sets import SPLIT_NAMES
from training.tasks.own.entries import Entry
from training.tasks.own.listing import Listing
from training.tasks.own.table import looks_like_table
from training.tasks.own.task import Opening, OwnTask, refuse
from training.tasks.splits.splitting import Splitting

# What a folder of none of the classes is called, as BirdNET has it; in any case.
_BACKGROUNDS = ("background", "noise", "other", "silence")


@dataclasses.dataclass(frozen=True)
class FolderTask(OwnTask):
    """The task `folder:PATH`.

    Each subfolder of PATH is a class; the audio files in it, at any depth, are its
    clips, of any rate and any channels, as `leaf_files.walk` finds them. Files that are
    passed over are named on stderr.

    Subfolders called as splits are, such as "train", "val" and "test", hold the folders
    of the classes, and these splits are kept. A class called "background", "noise",
    "other" or "silence" stands for none of the classes. A folder "a,b" or "a|b" beside
    folders a and b holds clips of both, and makes a task of several labels a clip.

    Attributes:
        path: Folder of the classes.
        metric: Main metric of the task.
        skip_bad_clips: Whether clips that can't be read are named and left out.
        splitting: `Splitting` by the settings of the run.
        opening: `Opening` by them.
        sources: `BackgroundSources` by them, or None.
        is_multi_label: Whether clips may have several labels, or none, in any case.

    >>> data = FolderTask(Path("drums")).load()  # 5 clips of each class
    >>> {split: clips.n_examples for split, clips in data.splits.items()}
    {'train': 6, 'validation': 2, 'test': 2}
    """

    path: Path
    metric: str = "accuracy"
    skip_bad_clips: bool = False
    splitting: Splitting = Splitting()
    opening: Opening = Opening()
    sources: BackgroundSources | None = None
    is_multi_label: bool = False

    @property
    def name(self):
        return f"folder:{self.path}"

    @property
    def folder(self):
        """The folder itself: names of clips are relative to it."""
        return self.path

    def listing(self, multi_label=None):
        """The `Listing` of the folder; its labels are the names of the subfolders."""
        walked = self._walk()
        layout = _Layout(walked)
        parts = layout.parts
        background = next(
            (x for b in _BACKGROUNDS for x in parts if x.lower() == b), None
        )
        notes, labels = [], tuple(parts)
        multi_label = layout.is_multi_label or self.is_multi_label or bool(multi_label)
        if multi_label:
            mixed = [name for name, of in parts.items() if len(of) > 1]
            if mixed:
                notes.append(
                    "clips may have several labels, as the names of folders say: "
                    f"{a_few(mixed)}"
                )
            backgrounds = [x for x in parts if x.lower() in _BACKGROUNDS]
            labels = tuple(x for x in parts if x not in mixed + backgrounds)
            parts = parts | {name: () for name in backgrounds}
        return Listing(
            [
                Entry(path, parts[layout.class_of(path)], split=layout.split_of(path))
                for path in walked.clips
            ],
            labels,
            multi_label,
            background,
            bad=walked.faults,
            faults=[*_runs(walked), *layout.faults],
            warnings=layout.warnings,
            notes=notes,
            passed_over=walked.passed_over,
        )

    def tell_passed_over(self):
        """Names the files that are passed over, on stderr, without reading clips.

        Says nothing of a path that is no folder.
        """
        if self.path.is_dir():
            walked = walk(self.path)
            _Layout(walked)
            if walked.passed_over:
                note(walked.passed_over)

    def _walk(self):
        """The `Walk` of the folder, with at least one subfolder."""
        wanted = "name a folder with one subfolder of audio files per class"
        require_utf8(self.path)
        if not self.path.exists():
            raise UserError(f"there is no folder {self.path}; {wanted}")
        if not self.path.is_dir():
            raise UserError(
                f"{self.path} is a file; {wanted}, or as table:{self.path} if it lists "
                "clips and their labels"
            )
        if _is_run(self.path):
            raise UserError(
                f"{self.path} is the folder of a run, not of clips; {wanted}"
            )
        walked = walk(self.path)
        if walked.classes:
            return walked
        if walked.is_empty:
            raise UserError(f"the folder {self.path} is empty; {wanted}")
        flat = f"the folder {self.path} has files but no subfolders; {wanted}"
        tables = [p for p in sorted(self.path.iterdir()) if looks_like_table(p)]
        if tables:
            flat += f", or as table:{tables[0]} if that lists clips and their labels"
        refuse(walked.faults or [flat], self.path, walked.passed_over)


class _Layout:
    """The meaning of the subfolders of a `Walk`: classes, or splits with classes.

    Args:
        walked: The `Walk`; clips in no class are made loose ones.

    Attributes:
        parts: {name of a class's folder: names of the classes of its clips}, by name.
        is_multi_label: Whether a folder has clips of several classes.
        faults: Lines on folders of splits that can't be used.
        warnings: Lines on classes that aren't in all splits.
    """

    def __init__(self, walked):
        self._folder = walked.folder
        used = sorted(label for label, paths in walked.by_class.items() if paths)
        self._splits = {}
        if used and all(name.lower() in SPLIT_NAMES for name in used):
            self._splits = {name: SPLIT_NAMES[name.lower()] for name in used}
        clips = walked.clips
        walked.loose = [path for path in clips if self.class_of(path) is None]
        walked.clips = [path for path in clips if self.class_of(path) is not None]
        names = {self.class_of(path) for path in walked.clips}
        if not self._splits:
            names |= {*walked.classes}
        self.parts: dict[str, tuple[str, ...]] = {n: (n,) for n in sorted(names)}
        self.faults, self.warnings = [], []
        for name in self.parts:
            several = tuple(part.strip() for part in re.split("[,|]", name))
            lacking = [part for part in several if part not in self.parts]
            if len(several) > 1 and not lacking:
                self.parts[name] = tuple(dict.fromkeys(several))
            elif len(lacking) < len(several) > 1:
                self.warnings.append(
                    f"the folder {name!r} is a class of its own; for clips of several "
                    f"classes there must be a folder of each, and {_are(lacking)} none"
                )
        self.is_multi_label = any(len(of) > 1 for of in self.parts.values())
        if self._splits:
            self._check(walked)

    def split_of(self, path):
        """The split in whose folder a clip is; None without such folders."""
        return self._splits.get(self._names(path)[0])

    def class_of(self, path):
        """Name of the folder of a clip's class; None if it is in none."""
        names = self._names(path)[bool(self._splits) :]
        return names[0] if len(names) > 1 else None

    def _names(self, path):
        return path.parts[len(self._folder.parts) :]

    def _check(self, walked):
        held: dict[str, set] = {name: set() for name in self._splits}
        for path in walked.clips:
            held[self._names(path)[0]].add(self.class_of(path))
        flat = [name for name, classes in held.items() if not classes]
        if flat:
            self.faults.append(
                f"the subfolders of {self._folder} are called {', '.join(held)}, as "
                f"splits are, and {', '.join(flat)} {_hold(flat)} audio files but no "
                "folders of classes: put each clip into a subfolder of its class, or, "
                "if these are the classes, give them other names"
            )
            return
        if "train" not in self._splits.values():
            self.faults.append(
                f"the subfolders of {self._folder} are called {', '.join(held)}, as "
                "splits are, and none of them trains: call one train"
            )
        alone = [
            f"{label} ({where[0]})"
            for label in self.parts
            if len(held) > 1
            and len(where := [name for name in held if label in held[name]]) == 1
        ]
        if alone:
            self.warnings.append(
                f"{len(alone)} of the {len(self.parts)} classes of {self._folder} are "
                f"in one split only: {a_few(alone)}"
            )


def _are(names):
    return f"{a_few([*map(repr, names)])} {'is' if len(names) == 1 else 'are'}"


def _hold(names):
    return "holds" if len(names) == 1 else "hold"


def _runs(walked):
    """A line about subfolders that are no classes but runs, in a list; or []."""
    runs = [label for label in walked.classes if _is_run(walked.folder / label)]
    return runs and [
        f"{len(runs)} of the subfolders of {walked.folder} are of runs, not of "
        f"clips, move them elsewhere: {a_few(runs)}"
    ]


def _is_run(folder):
    run = RunPaths(folder)
    return os.path.isfile(run.config) and os.path.isfile(run.tasks)
