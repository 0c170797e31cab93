"""`python -m export detect ARTIFACT RECORDING...`."""

import concurrent.futures
import dataclasses
import functools
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from export.commands.places import expanded
from export.commands.running import detect_parser
from export.commands.saying import say
from export.runners.detecting import require_labels
from export.runners.event_tables import ENDINGS, OF_ONE, Found, header, lines
from export.runners.opening import OpenArtifact, open_artifact
from export.runners.recordings import Settings, find_events
from leaf_files.atomic import make_folder, write_json, write_text
from leaf_files.command_line import a_few, counted, note
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.run_folder import digest_of

# What the tables of a folder were made by; others don't go into it.
_SETTINGS = "detect.json"
_MOMENT = 2.0  # seconds


def main(argv: list[str]) -> int:
    """Runs the command; see `export.commands.running` for its options.

    Returns:
        0, or 1 when a recording could not be read; the others are answered still.

    Example:

    >>> main(["artifacts", "clip.wav", "--threshold", "1"])
    clip.wav (1 s)
      no events
    0
    """
    arguments = detect_parser().parse_args(argv)
    model = open_artifact(arguments.artifact, arguments.sample_rate)
    if model.note:
        say("detect", "note", model.note)
    settings = Settings(
        overlap=arguments.overlap,
        release=arguments.release,
        smoothing=arguments.smoothing,
        merge=arguments.merge,
        least=arguments.least,
        needed=arguments.needed,
        threshold=arguments.threshold,
        ignored=tuple(require_labels(arguments.ignore, model.heads)),
    )
    paths, refusals = expanded(arguments.recordings)
    if arguments.format in OF_ONE and not arguments.output and len(paths) > 1:
        raise UserError(
            f"a table of --format {arguments.format} is of one recording, and there "
            f"are {len(paths)}; add --output DIR, for a table of each"
        )
    tables = None
    if arguments.output:
        tables = _Tables(Path(arguments.output), arguments.format, paths)
        tables.open(model, settings)
    for refusal in refusals:
        say("detect", "error", refusal)
    waiting = [path for path in paths if tables is None or not tables.has(path)]
    if len(waiting) < len(paths):
        n = len(paths) - len(waiting)
        note(f"{counted(n, 'recording')} of {len(paths)} finished before, passed over")
    if tables is None:
        print(header(arguments.format), end="", flush=True)
    n_failed, n_events = len(refusals), 0
    for path, found in _answers(model, waiting, settings, arguments):
        if isinstance(found, UserError):
            say("detect", "error", found)
            n_failed += 1
            continue
        n_events += len(found.events)
        if tables is None:
            print(lines(arguments.format, found), end="", flush=True)
        else:
            tables.write(path, found)
    if tables is not None:
        failed = f"; {n_failed} could not be read" if n_failed else ""
        note(
            f"{counted(n_events, 'event')} in {counted(len(waiting), 'recording')}"
            f"{failed}; the tables lie in {tables.folder}"
        )
    return 1 if n_failed else 0


def _answers(model, paths, settings, arguments) -> Iterator:
    """(path, its `Found`, or the `UserError` that says why there is none), in order."""
    n_jobs = min(arguments.jobs, len(paths))
    if n_jobs <= 1:
        yield from _one_by_one(model, paths, settings)
        return
    make = functools.partial(_open, arguments.artifact, arguments.sample_rate)
    with concurrent.futures.ProcessPoolExecutor(
        # Threads of LiteRT don't survive a fork.
        n_jobs,
        multiprocessing.get_context("spawn"),
        make,
    ) as pool:
        answers = pool.map(functools.partial(_find, settings), paths)
        bar = tqdm(
            zip(paths, answers, strict=True),
            total=len(paths),
            unit=" recordings",
            delay=_MOMENT,
            disable=None,
            leave=False,
        )
        yield from bar


def _one_by_one(model, paths, settings):
    with tqdm(
        unit=" s heard", delay=_MOMENT, disable=None, leave=False, unit_scale=True
    ) as bar:
        for n, path in enumerate(paths, 1):
            bar.set_description(f"{n} of {len(paths)}")
            yield path, _found(model, settings, path, bar.update)


def _found(model, settings, path, heard=lambda seconds: None):
    try:
        return find_events(model, path, settings, heard)
    except UserError as error:
        return error


# The model of a process of `--jobs`.
_models: list[OpenArtifact] = []


def _open(artifact, sample_rate):
    _models[:] = [open_artifact(artifact, sample_rate)]


def _find(settings, path):
    return _found(_models[0], settings, path)


class _Tables:
    """A folder with a table of each recording.

    Args:
        folder: The folder.
        form: One of `export.contract.detections.FORMATS`.
        paths: All recordings.

    Raises:
        UserError: Two recordings would have the same table.
    """

    def __init__(self, folder: Path, form: str, paths: list[Path]):
        self.folder, self._form = folder, form
        self._names: dict[str, Path] = {}
        for path in paths:
            other = self._names.setdefault(self._name(path), path)
            if other != path:
                raise UserError(
                    f"the tables of {other} and {path} would both be "
                    f"{folder / self._name(path)}; name them in calls of their own, "
                    "with another --output each"
                )

    def _name(self, path):
        return f"{path.name}{ENDINGS[self._form]}"

    def open(self, model: OpenArtifact, settings: Settings) -> None:
        """Makes the folder, or checks that its tables were made likewise.

        Raises:
            UserError: They were made by another model, by other settings, or nobody
                knows by what.
        """
        now = {
            "model": digest_of(model.path),
            "format": self._form,
            **dataclasses.asdict(settings),
            "ignored": sorted(settings.ignored),
        }
        path = self.folder / _SETTINGS
        if not path.exists():
            there = [name for name in self._names if (self.folder / name).exists()]
            if there:
                raise UserError(
                    f"{self.folder} holds {a_few(there)}, but no {_SETTINGS} that says "
                    "what made it; name another --output"
                )
            make_folder(self.folder)
            write_json(path, now)
            return
        before = read_json(path)
        if before != now:
            others = [name for name in now if before.get(name) != now[name]]
            raise UserError(
                f"{self.folder} holds tables that were made with another "
                f"{', '.join(others)}; name another --output, or remove that folder"
            )

    def has(self, path: Path) -> bool:
        """Whether the table of a recording is finished."""
        return (self.folder / self._name(path)).exists()

    def write(self, path: Path, found: Found) -> None:
        """Writes the table of a recording, whole or not at all."""
        table = header(self._form) + lines(self._form, found)
        write_text(self.folder / self._name(path), table)
