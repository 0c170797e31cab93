"""`python -m export verify DIR`."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from export.commands.running import verify_parser
from export.contract.checksums import checksum, checksums
from export.contract.layout import PROBES, REPORT_JSON
from export.contract.own_words import OwnWords, difference, words_of
from export.contract.probes import Probes
from export.runners.opening import open_any
from export.runtimes.table import Runtime, runtime_named
from leaf_files.command_line import program
from leaf_files.errors import UserError
from leaf_files.json_files import read_json

OK, CHANGED, MISSING, EXTRA = "ok", "changed", "missing", "extra"
OTHER, NOT_RUN = "other", "not run"  # by a runtime


@dataclasses.dataclass(frozen=True)
class Finding:
    """The state of a file, or of an artifact that is a folder.

    Attributes:
        state: "ok", "changed", "missing" or "extra"; of a runtime's answers "ok",
            "other" or "not run".
        path: Path in the artifact folder, with "/".
        text: Details in words.

    Example:

    >>> Finding(MISSING, "labels.txt").state
    'missing'
    """

    state: str
    path: str
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Report:
    """A report's facts about its folder.

    Attributes:
        files: {path: {"bytes", "sha256"}} of all files but the report.
        artifacts: Paths of the artifacts.
        labels: {file: its lines}.
        words: The artifacts' words about themselves.

    Example:

    >>> report = Report({}, [], {}, OwnWords(8000, 4000, ()))
    >>> report.words.sample_rate
    8000
    """

    files: dict[str, dict]
    artifacts: list[str]
    labels: dict[str, list[str]]
    words: OwnWords


def main(argv: list[str]) -> int:
    """Runs the command; see `export.commands.running` for its options.

    Returns:
        0, or 1 when anything in the folder is not as it was written.

    Example:

    >>> main(["artifacts"])
    ok       README.md ...
    All as written, by a report.json of the SHA-256 ...
    0
    """
    arguments = verify_parser().parse_args(argv)
    folder = Path(arguments.folder)
    runtimes = [runtime_named(name) for name in arguments.runtime]
    for runtime in runtimes:
        runtime.require_installed()
    report = _read_report(folder)
    wrong = 0
    for finding in verify(folder, report):
        wrong += finding.state != OK
        _print(finding)
    failed = [runtime for runtime in runtimes if not _agrees(folder, report, runtime)]
    verdict = f"{wrong} not as written" if wrong else "All as written"
    seal = checksum(folder / REPORT_JSON)["sha256"]
    print(f"\n{verdict}, by a {REPORT_JSON} of the SHA-256 {seal}")
    if failed:
        titles = ", ".join(runtime.title for runtime in failed)
        print(f"Not as at export in {titles}")
    return 1 if wrong or failed else 0


def _print(finding):
    line = f"{finding.state:<7}  {finding.path:<24}  {finding.text}"
    print(line.rstrip(), flush=True)


def _agrees(folder, report, runtime):
    """Prints what a runtime answers; whether it runs a file, and none otherwise."""
    print(f"\n{runtime.title} {runtime.version}".rstrip())
    states = set()
    for finding in verify_by(runtime, folder, report):
        _print(finding)
        states.add(finding.state)
    if not states:
        print(f"takes none of these files, but {' and '.join(runtime.formats)}")
    return OK in states and OTHER not in states


def verify(folder: Path, report: Report) -> Iterator[Finding]:
    """Compares an artifact folder with its report.

    Checksums first; an artifact that is as it was written then gets the questions of
    the export again.

    Args:
        folder: The folder.
        report: Its report.

    Yields:
        One finding for each artifact or other file that is right, and one for each
        file that is not.

    Example:

    >>> report = _read_report(Path("artifacts"))
    >>> {finding.state for finding in verify(Path("artifacts"), report)}
    {'ok'}
    """
    present = checksums(folder)
    present.pop(REPORT_JSON)
    yield from _labels(folder, report)
    is_readable = present.get(PROBES) == report.files.get(PROBES)
    probing = _Probing(folder, report, is_readable)
    for name, paths in _grouped(sorted({*present, *report.files}), report).items():
        findings = [
            _compare(path, present.get(path), report.files.get(path)) for path in paths
        ]
        wrong = [finding for finding in findings if finding]
        yield from wrong
        if not wrong:
            size = sum(present[path]["bytes"] for path in paths)
            files = f"{len(paths)} files, " if len(paths) > 1 else ""
            state, words = probing.ask(name)
            yield Finding(state, name, f"{files}{size:,} bytes{words}")
    yield from probing.disagreements


def verify_by(runtime: Runtime, folder: Path, report: Report) -> Iterator[Finding]:
    """Asks a runtime what the artifacts were asked at export.

    Args:
        runtime: The runtime; installed.
        folder: The artifact folder.
        report: Its report.

    Yields:
        A finding for each artifact that the runtime takes: "ok", "other" where its
        answers are further from those at export than is allowed, "not run" where it
        doesn't run the artifact; none of artifacts that are not as they were written.

    Example:

    >>> report, litert = _read_report(Path("artifacts")), runtime_named("litert")
    >>> {finding.state for finding in verify_by(litert, Path("artifacts"), report)}
    {'ok'}
    """
    present = checksums(folder)
    changed = {
        path for path, entry in report.files.items() if present.get(path) != entry
    }
    window_samples = report.words.window_samples
    if PROBES in changed or PROBES not in report.files or window_samples is None:
        return
    probes = Probes(report.words.sample_rate, window_samples)
    for name, entry in read_json(folder / PROBES).items():
        is_changed = any(p == name or p.startswith(f"{name}/") for p in changed)
        if is_changed or not runtime.takes(folder / name):
            continue
        try:
            change = probes.difference(entry, runtime.load(folder / name))
        except UserError as error:
            reason = str(error).removeprefix(f"{folder / name} ")
            yield Finding(NOT_RUN, name, reason)
            continue
        state, text = _judged(change, entry)
        yield Finding(state if state == OK else OTHER, name, text)


def _judged(change, entry):
    """(state, words) of a difference from the answers at export."""
    words = f"answers differ by {change:.1e} from those at export"
    if change <= entry["tolerance"]:  # NaN is not
        return OK, words
    return CHANGED, f"{words}, at most {entry['tolerance']:g} is allowed"


class _Probing:
    """Asks artifacts the questions of the export again.

    Args:
        folder: The artifact folder.
        report: Its report.
        is_readable: Whether the answers at export are in the folder as written.

    Attributes:
        disagreements: `Finding`s of a report that contradicts an artifact.
    """

    def __init__(self, folder, report, is_readable):
        self._folder = folder
        self._probes = Probes(report.words.sample_rate, report.words.window_samples)
        self._words = report.words
        self.disagreements: list[Finding] = []
        self._entries = {}
        if is_readable and PROBES in report.files:
            self._entries = read_json(folder / PROBES)

    def ask(self, name):
        """(state, words) of an artifact by its answers; (OK, "") without older ones."""
        if name not in self._entries:
            return OK, ""
        try:
            run, artifact_words = open_any(self._folder / name)
        except ImportError as error:
            return OK, f"; not asked: {error.name} is not installed"
        except UserError as error:
            if isinstance(error.__cause__, ImportError):
                return OK, f"; not asked: {error.__cause__.name} is not installed"
            return CHANGED, f", does not run: {error}"
        self._compare_words(name, artifact_words)
        entry = self._entries[name]
        state, words = _judged(self._probes.difference(entry, run), entry)
        return state, f"; {words}"

    def _compare_words(self, name, artifact_words):
        differs = artifact_words and difference(artifact_words, self._words)
        if differs:
            text = f"{name} says of itself: {differs} as the report has it"
            self.disagreements.append(Finding(CHANGED, REPORT_JSON, text))


def _grouped(paths, report):
    """{artifact: its files}; any other file is a group of its own."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        parents = [a for a in report.artifacts if path.startswith(f"{a}/")]
        groups.setdefault(parents[0] if parents else path, []).append(path)
    return groups


def _compare(path, present, exported):
    """The `Finding` of a file that is wrong, by its checksums; None if it is right."""
    if present == exported:
        return None
    if exported is None:
        return Finding(EXTRA, path, "no export wrote it")
    if present is None:
        return Finding(MISSING, path)
    if present["bytes"] != exported["bytes"]:
        text = f"{present['bytes']:,} bytes, {exported['bytes']:,} at export"
    else:
        text = f"SHA-256 {present['sha256']}, {exported['sha256']} at export"
    return Finding(CHANGED, path, text)


def _labels(folder, report):
    """A `Finding` for each file of labels that the report contradicts."""
    for name, labels in report.labels.items():
        path = folder / name
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            if lines != labels:
                text = f"its labels are not those of {name}"
                yield Finding(CHANGED, REPORT_JSON, text)


def _read_report(folder):
    path = folder / REPORT_JSON
    if not path.is_file():
        raise UserError(
            f"there is no {REPORT_JSON} in {folder}; name the --output of "
            + program("export")
        )
    try:
        content = read_json(path)
        return Report(
            files={
                str(path): {"bytes": int(e["bytes"]), "sha256": str(e["sha256"])}
                for path, e in content["files"].items()
            },
            artifacts=[str(a["path"]) for a in content["artifacts"].values()],
            labels={str(h["labels_file"]): h["labels"] for h in content["heads"]},
            words=words_of(content),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UserError(
            f"{path} is not a report with checksums ({type(error).__name__}: {error}); "
            "export again"
        ) from error
