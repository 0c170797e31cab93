"""A task of the user's own: a folder with a subfolder of clips per class."""

import dataclasses
import os
from pathlib import Path

from leaf_files.command_line import a_few, note
from leaf_files.errors import UserError
from leaf_files.run_folder import RunPaths
from leaf_files.text import require_utf8
from leaf_files.walk import walk
from training.tasks.entries import Entry
from training.tasks.own_clips import Listing, Opening, OwnTask, refuse
from training.tasks.splitting import Splitting

# What folders of splits are called; in any case.
_SPLITS = {
    *("train", "training", "test", "testing", "val", "valid", "validation"),
    *("dev", "eval", "evaluation"),
}


@dataclasses.dataclass(frozen=True)
class FolderTask(OwnTask):
    """The task `folder:PATH`.

    Each subfolder of PATH is a class; the audio files in it, at any depth, are its
    clips, of any rate and any channels, as `leaf_files.walk` finds them. Files that are
    passed over are named on stderr.

    Attributes:
        path: Folder of the classes.
        metric: Main metric of the task.
        skip_bad_clips: Whether clips that can't be read are named and left out.
        splitting: `Splitting` by the settings of the run.
        opening: `Opening` by them.
    """

    path: Path
    metric: str = "accuracy"
    skip_bad_clips: bool = False
    splitting: Splitting = Splitting()
    opening: Opening = Opening()

    @property
    def name(self):
        return f"folder:{self.path}"

    @property
    def folder(self):
        """The folder itself: names of clips are relative to it."""
        return self.path

    def listing(self):
        """The `Listing` of the folder; its labels are the names of the subfolders."""
        walked = self._walk()
        labels = tuple(sorted(walked.classes))
        return Listing(
            [Entry(path, (walked.class_of(path),)) for path in walked.clips],
            labels,
            bad=walked.faults,
            faults=_not_classes(walked),
            warnings=[_split_names(labels)],
            passed_over=walked.passed_over,
        )

    def tell_passed_over(self):
        """Names the files that are passed over, on stderr, without reading clips.

        Says nothing of a path that is no folder.
        """
        if self.path.is_dir():
            walked = walk(self.path)
            walked.leave_loose()
            if walked.passed_over:
                note(walked.passed_over)

    def _walk(self):
        """The `Walk` of the folder, with at least one class."""
        wanted = "name a folder with one subfolder of audio files per class"
        require_utf8(self.path)
        if not self.path.exists():
            raise UserError(f"there is no folder {self.path}; {wanted}")
        if not self.path.is_dir():
            raise UserError(f"{self.path} is a file; {wanted}")
        if _is_run(self.path):
            raise UserError(
                f"{self.path} is the folder of a run, not of clips; {wanted}"
            )
        walked = walk(self.path)
        if walked.classes:
            walked.leave_loose()
            return walked
        if walked.is_empty:
            raise UserError(f"the folder {self.path} is empty; {wanted}")
        flat = f"the folder {self.path} has files but no subfolders; {wanted}"
        refuse(walked.faults or [flat], self.path, walked.passed_over)


def _not_classes(walked):
    """Lines about subfolders that are no classes but runs or splits, a list."""
    runs = [label for label in walked.classes if _is_run(walked.folder / label)]
    faults = []
    if runs:
        faults.append(
            f"{len(runs)} of the subfolders of {walked.folder} are of runs, not of "
            f"clips, move them elsewhere: {a_few(runs)}"
        )
    if _are_splits(walked.classes):
        below = [
            {path.relative_to(walked.folder).parts[1:-1][:1] for path in paths} - {()}
            for paths in walked.by_class.values()
        ]
        shared = sorted(name for (name,) in set.intersection(*below))
        if shared:
            largest = max(walked.by_class, key=lambda c: len(walked.by_class[c]))
            faults.append(
                f"the subfolders of {walked.folder} are splits, not classes: "
                f"{', '.join(sorted(walked.classes))} hold the same folders "
                f"({a_few(shared)}); name one of them as the task, such as "
                f"folder:{walked.folder / largest}, or put the clips of "
                "each class into one folder"
            )
    return faults


def _split_names(labels):
    """A line about classes that are called as splits are; or ""."""
    if not _are_splits(labels):
        return ""
    return (
        f"the classes are called {', '.join(labels)}, as splits are: each subfolder is "
        "taken for a class, and is split by its clips"
    )


def _are_splits(labels):
    return len(labels) > 1 and all(label.lower() in _SPLITS for label in labels)


def _is_run(folder):
    run = RunPaths(folder)
    return os.path.isfile(run.config) and os.path.isfile(run.tasks)
