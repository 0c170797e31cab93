"""A run's file: its settings, its curve, and how many test clips were right."""

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

from benchmarks.suite.conditions import POINTS
from leaf_files.atomic import write_text
from leaf_files.errors import UserError
from leaf_files.json_files import read_json


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        task, encoder, frontend, seed: What was run; the frontend as on a command line.
        settings: What all runs of the task share, but for what the frontend's name
            says.
        clips: Fingerprint of the training and of the test clips.
        parameters: {"frontend": number, "total": number}.
        seconds: {"training": seconds, "testing": seconds}.
        versions, machine: Where it was run.
        loss, accuracy: Those of training, each the mean since the point before; None
            where a loss isn't finite.
        groups: Names of the groups of the test clips; None where groups aren't known,
            and each clip, in the order of their names, is one.
        n: Number of test clips of each group.
        right: {condition: number of right clips of each group}.

    >>> run = Run.made_up("drums", "mel", 0, {"kit": (8, 10), "box": (3, 10)})
    >>> run.share("clean")
    0.55
    """

    task: str
    encoder: str
    frontend: str
    seed: int
    settings: dict[str, Any]
    clips: str
    parameters: dict[str, int]
    seconds: dict[str, float]
    versions: dict[str, str]
    machine: dict[str, Any]
    loss: tuple[float | None, ...]
    accuracy: tuple[float, ...]
    groups: tuple[str, ...] | None
    n: tuple[int, ...]
    right: dict[str, tuple[int, ...]]

    @classmethod
    def made_up(cls, task, frontend, seed, counts, encoder="small", settings=None):
        """A run for tests, with the same counts {group: (right, n)} in "clean" alone.

        Args:
            task, frontend, seed, encoder, settings: See the attributes.
            counts: {group: (right, n)}, or {condition: such a dict}.
        """
        if not isinstance(next(iter(counts.values())), dict):
            counts = {"clean": counts}
        first = next(iter(counts.values()))
        return cls(
            task=task,
            encoder=encoder,
            frontend=frontend,
            seed=seed,
            settings=settings or {"steps": POINTS},
            clips="made up",
            parameters={"frontend": 0, "total": 0},
            seconds={"training": 1.0, "testing": 1.0},
            versions={},
            machine={},
            loss=(1.0,) * POINTS,
            accuracy=(0.5,) * POINTS,
            groups=tuple(first),
            n=tuple(n for _, n in first.values()),
            right={
                condition: tuple(right for right, _ in of.values())
                for condition, of in counts.items()
            },
        )

    @property
    def units(self):
        """Names of the groups, or of the clips as far as they have any, in order."""
        if self.groups is not None:
            return self.groups
        return tuple(f"{self.clips}:{index}" for index in range(len(self.n)))

    @property
    def on(self):
        """The split that was tested, test or validation."""
        return self.settings.get("on", "test")

    def share(self, condition):
        """The share of the test clips that are right, the accuracy."""
        return sum(self.right[condition]) / sum(self.n)

    def write(self, path):
        """Writes the file, whole or not at all: a line an attribute."""
        content = {**dataclasses.asdict(self), "loss": _rounded(self.loss)}
        content["accuracy"] = _rounded(self.accuracy)
        if self.groups is None:
            content["n"] = len(self.n)
            content["right"] = {
                name: "".join(map(str, right)) for name, right in self.right.items()
            }
        lines = [
            f"  {json.dumps(name)}: "
            + json.dumps(value, allow_nan=False, ensure_ascii=False)
            for name, value in content.items()
        ]
        write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")

    @classmethod
    def read(cls, path):
        """The run of a file.

        Raises:
            UserError: It is damaged, or no run's.
        """
        try:
            content = read_json(path)
            if content["groups"] is None:
                content["n"] = [1] * content["n"]
                content["right"] = {
                    name: map(int, right) for name, right in content["right"].items()
                }
            for name in ("loss", "accuracy", "n"):
                content[name] = tuple(content[name])
            content["groups"] = content["groups"] and tuple(content["groups"])
            content["right"] = {k: tuple(v) for k, v in content["right"].items()}
            run = cls(**content)
            if any(len(right) != len(run.n) for right in run.right.values()):
                raise ValueError("its counts don't match its groups")
            return run
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"cannot read the run in {path}: {error!r:.200}; remove the file, and "
                "it is run anew"
            ) from error


def run_path(output, task, encoder, frontend, seed):
    """The file of a run.

    >>> run_path(Path("out"), "drums", "small", "leaf:compression=log", 3).as_posix()
    'out/runs/drums/small/leaf_compression=log/seed3.json'
    """
    name = re.sub(r"[^\w.=+,-]", "_", frontend)
    return Path(output) / "runs" / task / encoder / name / f"seed{seed}.json"


def read_runs(output):
    """The runs in a folder, in the order of their paths.

    Raises:
        UserError: One is damaged, runs of a task have different settings or clips, or
            some are of test and others of validation clips.
    """
    first: dict[Any, tuple[Path, Run]] = {}
    runs: list[Run] = []
    for path in _run_paths(output):
        run = Run.read(path)
        if runs:
            _require_split(output, path, run, runs[0].on)
        expected = run_path(output, run.task, run.encoder, run.frontend, run.seed)
        if path != expected:
            raise UserError(f"{path} holds the run of {expected}: move or remove it")
        for key, what in (
            ((run.task,), "settings"),
            ((run.task, run.seed), "clips"),
        ):
            other_path, other = first.setdefault((what, *key), (path, run))
            require_same(path, getattr(run, what), getattr(other, what), other_path)
        runs.append(run)
    return runs


def require_split(output, on):
    """Refuses a folder that holds runs of another split.

    Args:
        output: Folder of the results.
        on: The split that is wanted, test or validation.

    Raises:
        UserError: It does.

    >>> require_split("a new folder", "validation")
    """
    for path in _run_paths(output):
        _require_split(output, path, Run.read(path), on)


def _run_paths(output):
    return sorted(Path(output).glob("runs/*/*/*/seed*.json"))


def _require_split(output, path, run, on):
    if run.on != on:
        raise UserError(
            f"runs on {on} clips and on {run.on} clips must be in folders of their "
            f"own. {output} holds {path}, on {run.on} clips; name another --output"
        )


def require_same(path, found, wanted, whose):
    """Refuses a run of other settings, or of other clips.

    Args:
        path: Its file.
        found: Its settings, a dict, or the fingerprint of its clips.
        wanted: Those that are wanted.
        whose: Phrase or file that they are of.

    Raises:
        UserError: They differ.

    >>> require_same("a.json", {"steps": 600}, {"steps": 200}, "this run")
    Traceback (most recent call last):
    leaf_files.errors.UserError: a.json is of other settings than this run: steps 600,
    not 200; remove it, or name another --output
    """
    if found == wanted:
        return
    if isinstance(found, dict):
        names = sorted({*found, *wanted})
        differences = ", ".join(
            f"{name} {found.get(name)}, not {wanted.get(name)}"
            for name in names
            if found.get(name) != wanted.get(name)
        )
        raise UserError(
            f"{path} is of other settings than {whose}: {differences}; remove it, or "
            "name another --output"
        )
    raise UserError(
        f"{path} is of other clips than {whose}; remove it, or name another --output"
    )


def _rounded(values):
    return [round(v, 4) if v is not None and math.isfinite(v) else None for v in values]
