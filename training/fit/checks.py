"""What every way of training checks and says before it trains."""

import contextlib
from pathlib import Path

import tensorflow as tf

from leaf_files.errors import UserError
from leaf_files.labels import label_faults
from leaf_files.run_folder import LABEL_SEPARATOR
from training.tasks.own.task import OwnTask


def in_words(n_classes, splits):
    """Sizes of splits: "5 classes; 29 train, 3 validation, 3 test clips; 8, 2, 2
    groups".

    Args:
        n_classes: Number of classes.
        splits: {split: `ClipSet`}.

    >>> from training.tasks.registry import get_task
    >>> in_words(2, get_task("folder:drums").load().splits)
    '2 classes; 6 train, 2 validation, 2 test clips'
    """
    sizes = ", ".join(f"{c.n_examples} {split}" for split, c in splits.items())
    words = f"{n_classes} classes; {sizes} clips"
    if any(clips.n_groups is None for clips in splits.values()):
        return words
    n_groups = ", ".join(str(clips.n_groups) for clips in splits.values())
    return f"{words}; {n_groups} groups"


def check_heads(heads, config):
    """Checks that labels can be written down, and settings fit the tasks.

    Raises:
        UserError: A label can't be written, or a setting doesn't fit.

    >>> from leaf_files.run_folder import Head
    >>> from training.settings.config import FitConfig
    >>> head = Head("drums", "drums", ("kick", "snare|tom"), "sigmoid")
    >>> check_heads((head,), FitConfig("drums"))
    Traceback (most recent call last):
    leaf_files.errors.UserError: the name of class 'snare|tom' has a '|'; rename it
    """
    for head in heads:
        faults = label_faults(head.labels)
        if faults:
            raise UserError(
                f"names of classes of {head.task} can't be labels: {', '.join(faults)}"
            )
        for label in head.labels:
            if head.multi_label and LABEL_SEPARATOR in label:
                raise UserError(
                    f"the name of class {label!r} has a {LABEL_SEPARATOR!r}; rename it"
                )
        if head.multi_label and config.class_weights != "none":
            raise UserError(
                f"clips of {head.task} may have several labels, which --class-weights "
                "can't weigh; use --balanced"
            )


def require_outside(task, path):
    """Checks that a run isn't inside the task's folder, as it would be a class there.

    >>> from training.tasks.registry import get_task
    >>> require_outside(get_task("folder:drums"), Path("drums/run"))
    Traceback (most recent call last):
    leaf_files.errors.UserError: drums/run lies in the folder of the clips, ...
    """
    if isinstance(task, OwnTask):
        task.require_outside(path)


def require_outside_sounds(config, path):
    """Refuses a run inside a folder of sounds, whose clips it would add to them.

    >>> from training.settings.config import FitConfig
    >>> require_outside_sounds(FitConfig("drums", noise_dir="noise"), Path("noise/run"))
    Traceback (most recent call last):
    leaf_files.errors.UserError: noise/run lies in noise, where its clips would be ...
    """
    for folder in filter(None, (config.noise_dir, config.rir_dir)):
        if path.resolve().is_relative_to(Path(folder).resolve()):
            raise UserError(
                f"{path} lies in {folder}, where its clips would be taken for noise or "
                "rooms; name an --output outside of it"
            )


@contextlib.contextmanager
def memory_named(config):
    """Turns running out of memory into a `UserError` that names what to lower.

    >>> from training.settings.config import FitConfig
    >>> with memory_named(FitConfig("drums")):
    ...     raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
    Traceback (most recent call last):
    leaf_files.errors.UserError: not enough memory for 32 windows of 1 s at once; ...
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(
            f"not enough memory for {config.batch_size} windows of "
            f"{config.window_seconds:g} s at once; lower --batch-size or "
            "--window-seconds"
        ) from error
