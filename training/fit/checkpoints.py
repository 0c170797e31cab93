"""The checkpoints of a run: written atomically, read as long as one is whole."""

import json
import os
import shutil
import zipfile

import keras

from leaf_files.atomic import replacing
from leaf_files.errors import UserError, first_line
from training.fit.progress import Progress

_PROGRESS = "progress.json"
_SEEDS = "seeds.json"


class Checkpoints:
    """The last two checkpoints of a run, and that of its best epoch.

    Each is a `.keras` file of the model with its optimizer, which also holds the run's
    `Progress` and the states of its random generators: one file is one moment of the
    run, complete or absent.

    Args:
        run: A `RunFolder`.

    >>> from training.run.folder import RunFolder
    >>> Checkpoints(RunFolder("no_run")).exist
    False
    """

    def __init__(self, run):
        self._run = run

    @property
    def exist(self):
        """Whether there is any checkpoint, whole or not."""
        return any(path.exists() for path in self._paths)

    @property
    def _paths(self):
        return [self._run.last, self._run.previous, self._run.best]

    def save(self, model, progress, is_best=False):
        """Writes a checkpoint; the last one becomes the previous one.

        Args:
            model: The compiled model.
            progress: The run's `Progress`.
            is_best: Whether the epoch that just ended is the best so far.
        """
        last = self._run.last
        with replacing(last) as temporary:
            model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(_PROGRESS, json.dumps(progress.to_dict()))
                seeds = [
                    keras.ops.convert_to_numpy(seed).tolist() for seed in _seeds(model)
                ]
                archive.writestr(_SEEDS, json.dumps(seeds))
            if last.exists():
                os.replace(last, self._run.previous)
        if is_best:
            self._copy_to_best(last)

    def restore(self, say):
        """The model and the `Progress` of the newest checkpoint that is whole.

        Args:
            say: Function that is called with a line about each damaged checkpoint.

        Returns:
            (model, `Progress`), or None if there is no checkpoint. The model is
            compiled and has its optimizer's state.

        Raises:
            UserError: There are checkpoints, but none is whole.
        """
        # The best one is usually older, but is the newest where those saved after it
        # are damaged.
        candidates = [(path, *_read(path)) for path in self._paths if path.exists()]
        for path, progress, reason in candidates:
            if progress is None:
                say(f"{path} is damaged ({reason}); trying the checkpoint before")
        whole = [(path, progress) for path, progress, _ in candidates if progress]
        for path, progress in sorted(whole, key=lambda entry: -entry[1].step):
            try:
                model = _load(path)
            # Keras raises errors of many types, by what is broken.
            except Exception as error:
                reason = f"{first_line(error):.200}"
                say(f"{path} doesn't load ({reason}); trying the one before")
                continue
            if (
                progress.history
                and progress.best_epoch == progress.history[-1]["epoch"]
            ):
                if progress.running is None and path != self._run.best:
                    # The run may have been interrupted before the copy.
                    self._copy_to_best(path)
            return model, progress
        if candidates:
            raise UserError(
                f"all checkpoints in {self._run.last.parent} are damaged; start the "
                "run anew, without --resume"
            )
        return None

    def _copy_to_best(self, path):
        with replacing(self._run.best) as temporary:
            shutil.copyfile(path, temporary)


def _load(path):
    model = keras.models.load_model(path)
    with zipfile.ZipFile(path) as archive:
        states = json.loads(archive.read(_SEEDS))
    for seed, state in zip(_seeds(model), states, strict=True):
        seed.assign(state)
    return model


def _seeds(model):
    """The states of random generators, which Keras doesn't save: all integers."""
    return [
        variable
        for variable in model.non_trainable_variables
        if not keras.backend.is_float_dtype(variable.dtype)
    ]


def _read(path):
    """(`Progress`, None) of a checkpoint that is whole, else (None, the reason)."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            if damaged:
                raise ValueError(f"{damaged} in it has changed")
            return Progress.from_dict(json.loads(archive.read(_PROGRESS))), None
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        return None, str(error)
