"""`python -m export verify DIR`."""

import dataclasses
from pathlib import Path

from export.commands.arguments import verify_parser
from export.contract.checksums import checksum, checksums
from export.contract.layout import PROBES, REPORT_JSON
from export.contract.own_words import OwnWords, difference, words_of
from export.contract.probes import Probes
from export.runners.opening import open_any
from files.errors import UserError
from files.json_files import read_json

OK, CHANGED, MISSING, EXTRA = "ok", "changed", "missing", "extra"


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is to say of a file, or of an artifact that is a folder.

    Attributes:
        state: "ok", "changed", "missing" or "extra".
        path: In the artifact folder, with "/".
        text: More about it.
    """

    state: str
    path: str
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Told:
    """What a report tells of its folder.

    Attributes:
        files: {path: {"bytes", "sha256"}} of all files but the report.
        artifacts: Their paths.
        labels: {file: its lines}.
        words: `export.contract.own_words.OwnWords` of the artifacts.
    """

    files: dict
    artifacts: list
    labels: dict
    words: OwnWords


def main(argv):
    """Runs the command; see `export.commands.arguments` for what it takes.

    Returns:
        0, or 1 when anything in the folder is not as it was written.
    """
    folder = Path(verify_parser().parse_args(argv).folder)
    told = _read_report(folder)
    wrong = 0
    for finding in verify(folder, told):
        wrong += finding.state != OK
        line = f"{finding.state:<7}  {finding.path:<24}  {finding.text}"
        print(line.rstrip(), flush=True)
    verdict = f"{wrong} not as written" if wrong else "All as written"
    seal = checksum(folder / REPORT_JSON)["sha256"]
    print(f"\n{verdict}, by a {REPORT_JSON} of the SHA-256 {seal}")
    return 1 if wrong else 0


def verify(folder, told):
    """Compares an artifact folder with its report.

    Checksums first; an artifact that is as it was written is then asked again what
    it was asked at export.

    Args:
        folder: The folder.
        told: `Told`, of its report.

    Yields:
        `Finding`, one for each artifact or other file that is right, and one for each
        file that is not.
    """
    found = checksums(folder)
    found.pop(REPORT_JSON)
    yield from _labels(folder, told)
    probing = _Probing(folder, told, found.get(PROBES) == told.files.get(PROBES))
    for name, paths in _grouped(sorted({*found, *told.files}), told).items():
        wrong = [
            _compare(path, found.get(path), told.files.get(path)) for path in paths
        ]
        wrong = [finding for finding in wrong if finding]
        yield from wrong
        if not wrong:
            size = sum(found[path]["bytes"] for path in paths)
            files = f"{len(paths)} files, " if len(paths) > 1 else ""
            state, words = probing.ask(name)
            yield Finding(state, name, f"{files}{size:,} bytes{words}")
    yield from probing.disagreements


class _Probing:
    """Asks artifacts what they were asked at export.

    Attributes:
        disagreements: `Finding`s of a report that says something else about an
            artifact than the artifact itself.
    """

    def __init__(self, folder, told, is_readable):
        self._folder = folder
        self._probes = Probes(told.words.sample_rate, told.words.window_samples)
        self._words = told.words
        self.disagreements = []
        self._told = {}
        if is_readable and PROBES in told.files:
            self._told = read_json(folder / PROBES)

    def ask(self, name):
        """(state, words) on how an artifact answers; (OK, "") if nothing is known."""
        if name not in self._told:
            return OK, ""
        try:
            run, own = open_any(self._folder / name)
        except ImportError as error:
            return OK, f"; not asked: {error.name} is not installed"
        except UserError as error:
            if isinstance(error.__cause__, ImportError):
                return OK, f"; not asked: {error.__cause__.name} is not installed"
            return CHANGED, f", does not run: {error}"
        self._compare_words(name, own)
        change = self._probes.difference(self._told[name], run)
        words = f"; answers differ by {change:.1e} from those at export"
        if change <= self._told[name]["tolerance"]:  # NaN is not
            return OK, words
        return CHANGED, f"{words}, at most {self._told[name]['tolerance']:g} is allowed"

    def _compare_words(self, name, own):
        differs = own and difference(own, self._words)
        if differs:
            text = f"{name} says of itself: {differs} as the report has it"
            self.disagreements.append(Finding(CHANGED, REPORT_JSON, text))


def _grouped(paths, told):
    """{artifact: its files}; another file is its own."""
    groups = {}
    for path in paths:
        parents = [a for a in told.artifacts if path.startswith(f"{a}/")]
        groups.setdefault(parents[0] if parents else path, []).append(path)
    return groups


def _compare(path, found, told):
    """The `Finding` of a file that is wrong, or None."""
    if found == told:
        return None
    if told is None:
        return Finding(EXTRA, path, "no export wrote it")
    if found is None:
        return Finding(MISSING, path)
    if found["bytes"] != told["bytes"]:
        text = f"{found['bytes']:,} bytes, {told['bytes']:,} at export"
    else:
        text = f"SHA-256 {found['sha256']}, {told['sha256']} at export"
    return Finding(CHANGED, path, text)


def _labels(folder, told):
    for name, labels in told.labels.items():
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
            "python -m export"
        )
    try:
        report = read_json(path)
        return Told(
            files={
                str(path): {"bytes": int(e["bytes"]), "sha256": str(e["sha256"])}
                for path, e in report["files"].items()
            },
            artifacts=[str(a["path"]) for a in report["artifacts"].values()],
            labels={str(h["labels_file"]): h["labels"] for h in report["heads"]},
            words=words_of(report),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UserError(
            f"{path} is not a report with checksums ({type(error).__name__}: {error}); "
            "export again"
        ) from error
