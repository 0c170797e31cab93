"""Draws what the frontend of a finished run learned."""

import dataclasses
from pathlib import Path
from typing import Any

from leaf_files.command_line import program
from leaf_files.errors import UserError
from leaf_files.text import read_table
from leaf_tf import visualize
from training.evaluation.figures import learning_curves, save_figures
from training.run.folder import RunFolder
from training.run.models import load_classifier


@dataclasses.dataclass(frozen=True)
class Plots:
    """The figures that `plot` drew; as text, the output of the command.

    Attributes:
        folder: Folder of the figures.
        names: Names of the figures, in the order they were drawn.
        frontend: Name of the frontend's class.
        drift: The `visualize.Drift`; `Drift()` of a frontend that learns nothing.

    >>> print(Plots(Path("figures"), (), "MelFilterbanks", visualize.Drift()))
    MelFilterbanks has nothing learned to draw
    """

    folder: Path
    names: tuple[str, ...]
    frontend: str
    drift: visualize.Drift

    def __str__(self):
        files = ", ".join(f"{name}.png" for name in self.names)
        if self.drift != visualize.Drift():
            return f"figures in {self.folder}: {files}\ndrift: {self.drift}"
        summary = f"{self.frontend} has nothing learned to draw"
        return f"{summary} except {files} in {self.folder}" if files else summary


def plot(run_path, output=None):
    """Draws the frontend of a run beside its start, and the learning curves.

    The start is a new frontend of the same settings, see `visualize.untrained`.

    Args:
        run_path: A finished run folder.
        output: Folder for the PNG files; defaults to the run's own figures.

    Returns:
        `Plots`.

    Raises:
        UserError: No finished run, or the folder can't be written.

    >>> print(plot("run"))
    MelFilterbanks has nothing learned to draw
    """
    run = RunFolder(run_path)
    run.require_finished()
    model = load_classifier(run.model, run.read_heads())
    frontend = _frontend(model, run)
    initial = visualize.untrained(frontend)
    figures = visualize.figures(frontend, initial)
    if run.history.exists():
        figures["learning_curves"] = learning_curves(_read_history(run.history))
    folder = Path(output) if output else run.figures
    save_figures(figures, folder)
    return Plots(
        folder,
        tuple(figures),
        type(frontend).__name__,
        visualize.drift(frontend, initial),
    )


def _frontend(model, run):
    try:
        return model.get_layer("frontend")
    except ValueError as error:
        raise UserError(
            f"{run.model} has no layer named 'frontend'; name a folder that "
            f"`{program('training')} fit` wrote"
        ) from error


def _read_history(path):
    """One dict of numbers an epoch.

    Raises:
        UserError: The file is damaged.
    """
    try:
        rows = read_table(path)
        history: list[dict[str, Any]] = [
            {name: None if value == "" else float(value) for name, value in row.items()}
            for row in rows
        ]
        if not history:
            raise ValueError("it holds no epoch")
        for row in history:
            row["epoch"] = int(row["epoch"])
            row["val_loss"]
        return history
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"cannot read the history in {path}; mend or remove it: {error!r}"
        ) from error
