r"""Clips that a random split would put on both sides: by their names and their sound.

Cuts of one recording, and clips of one speaker, are told by names such as
"rec7_00.wav, rec7_01.wav" or "3_jackson_12.wav"; near duplicates by their fingerprints.
"""

import collections
import dataclasses
import re
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

from leaf_files.command_line import a_few, note, program, warn
from leaf_files.fingerprints import NearDuplicate

# A structure in names holds for so many of the clips,
_LEAST_COVERED = 0.9
# and makes groups of so many clips, on average.
_LEAST_CLIPS = 2.0
# Groups that can be held out, one each to train, validate and test, are
_LEAST_GROUPS = 3
_SEPARATORS = ("__", "_", "-", ".", " ")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
# A word, a number, as in "rec7"; then what separates the number of the cut.
_NUMBERED = re.compile(r"([^\W\d_]+)\d+")
_LAST_NUMBER = re.compile(r"(.*?)([_\-. (]*)(\d+)\)?")
# A number of so many digits may be somebody's or a recording's, not a count.
_ID_DIGITS = 4


@dataclasses.dataclass(frozen=True)
class Proposal:
    """Groups that clips seem to be of, by their paths.

    Attributes:
        pattern: Regular expression whose first capture in a path is the group; None
            for the name of the folder around the clip.
        groups: Group of each clip; None where the path doesn't say it.
        are_cuts: Whether they look like recordings that were cut, with a number a cut.

    >>> proposal = Proposal("([^/]+)__", ("ann", "bo", "ann", None))
    >>> proposal.n_groups, proposal.n_clips, proposal.option
    (2, 3, "--group-pattern '([^/]+)__'")
    """

    pattern: str | None
    groups: tuple[str | None, ...]
    are_cuts: bool = False

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(set(self.groups) - {None})

    @property
    def n_clips(self) -> int:
        """Number of clips that are of a group."""
        return sum(group is not None for group in self.groups)

    @property
    def option(self) -> str:
        """The option that makes these groups, to copy into a shell."""
        if self.pattern is None:
            return "--group-by parent"
        return f"--group-pattern {shlex.quote(self.pattern)}"


def proposed_groups(paths: Sequence[str], labels: Sequence[str]) -> list[Proposal]:
    r"""The groups that the paths of clips suggest, the likeliest first.

    Args:
        paths: Path of each clip from the folder or the table, with "/".
        labels: Label of each clip; what is called as the classes are is no group.

    Returns:
        `Proposal`s of different groups; [] where names say nothing, such as plain
        numbers, or a word and a number.

    >>> names = [f"dog/{digit}_{who}_{n}.wav"
    ...          for digit in "01" for who in ("ann", "bo", "cy") for n in range(9)]
    >>> [best, *_] = proposed_groups(names, ["dog"] * 54)
    >>> best.option, best.n_groups
    ("--group-pattern '[^/_]+_([^/_]+)_[^/_]+$'", 3)
    """
    if not paths:
        return []
    stems = [PurePosixPath(path).stem for path in paths]
    proposals: dict[tuple, Proposal] = {}
    candidates = [
        *_by_fields(stems, "__"),
        *_by_folder(paths),
        *_by_last_number(paths, stems),
        *(each for mark in _SEPARATORS[1:] for each in _by_fields(stems, mark)),
    ]
    for pattern, groups, are_cuts in candidates:
        if pattern is not None:
            groups = _grouped(pattern, paths)
        proposal = Proposal(pattern, tuple(groups), are_cuts)
        if _is_plausible(proposal, labels):
            proposals.setdefault(_partition(proposal.groups), proposal)
    return _ranked(list(proposals.values()))


def _grouped(pattern: str, paths: Sequence[str]) -> list[str | None]:
    """The group of each path by a pattern; None where it isn't found."""
    search = re.compile(pattern).search
    return [match[1] if (match := search(path)) else None for path in paths]


def name_lines(paths: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Two lines on groups that names suggest: what they are, and the option; or [].

    Args:
        paths, labels: See `proposed_groups`.

    >>> names = [f"{who}__{n}.wav" for who in ("ann", "bo", "cy") for n in range(9)]
    >>> fact, remedy = name_lines(names, ["dog"] * 27)
    >>> print(remedy)
    hold them out with --group-pattern '([^/]+)__'
    """
    proposals = proposed_groups(paths, labels)
    if not proposals:
        return []
    best = proposals[0]
    if best.are_cuts:
        group, _ = collections.Counter(filter(None, best.groups)).most_common(1)[0]
        cuts = [path for path, of in zip(paths, best.groups) if of == group]
        what = f"look like cuts of {best.n_groups} recordings"
        named = ", ".join(PurePosixPath(path).name for path in cuts[:2])
        who, one = "recordings", "cuts of one"
    else:
        what = f"seem to be of {best.n_groups} recordings, speakers or devices"
        named = a_few(sorted(set(filter(None, best.groups))))
        who, one = "them", "clips of one"
    return [
        f"{best.n_clips} clips {what} (such as {named}), and a random split puts {one} "
        "into train and test: its score won't hold in the field",
        f"hold {who} out with {best.option}{_others(best, paths)}",
    ]


def _others(proposal, paths):
    """The first step about clips that the proposed groups leave out; "" if none."""
    others = [path for path, group in zip(paths, proposal.groups) if group is None]
    if not others:
        return ""
    if len(others) == 1:
        return f", once the name of {others[0]} tells its group"
    return f", once the names of {len(others)} others tell theirs: {a_few(others)}"


def duplicate_lines(
    pairs: Sequence[NearDuplicate],
    names: Sequence[str],
    splits: Sequence[str],
    groups: Sequence[str] | None = None,
) -> list[str]:
    """Two lines on near duplicates in different splits, and what to do; or [].

    Args:
        pairs: Near duplicates among the clips.
        names, splits: Name and split of each clip.
        groups: Group of each clip; None where groups aren't known.

    >>> pairs = [NearDuplicate(0, 1, seconds=0.0, share=0.9)]
    >>> fact, remedy = duplicate_lines(pairs, ["a.wav", "b.wav"], ["train", "test"])
    >>> print(fact)
    2 clips sound like clips of other splits: copies, overlapping cuts or re-encodings,
    1 of them in the test split, whose score they flatter (a.wav and b.wav)
    """
    torn = [p for p in pairs if splits[p.first] != splits[p.second]]
    if not torn:
        return []
    known = {p.first for p in torn} | {p.second for p in torn}
    n_tested = sum(splits[clip] == "test" for clip in known)
    torn.sort(key=lambda pair: -pair.share)
    named = [f"{names[p.first]} and {names[p.second]}" for p in torn]
    across = "" if groups is None else ", across groups"
    tested = (
        f"{n_tested} of them in the test split, whose score they flatter"
        if n_tested
        else "none of them in the test split"
    )
    return [
        f"{len(known)} clips sound like clips of other splits{across}: copies, "
        f"overlapping cuts or re-encodings, {tested} ({a_few(named, between='; ')})",
        f"{program('training')} inspect TASK --json lists all of them: remove them, or "
        "put those that sound alike into one group",
    ]


def tell(lines: Sequence[str]) -> None:
    """Says lines on stderr: a warning, and what to do under it.

    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     tell(["2 clips sound alike", "remove one of them"])
    warning: 2 clips sound alike
             remove one of them
    """
    for line in lines[:1]:
        warn(line)
    for line in lines[1:]:
        note(f"{len('warning: ') * ' '}{line}")


def _by_fields(stems, mark):
    """Candidates: the fields of names that a mark separates, if all have as many."""
    rows = [stem.split(mark) for stem in stems]
    n_fields, n_rows = collections.Counter(map(len, rows)).most_common(1)[0]
    are_uuids = sum(map(bool, map(_UUID.fullmatch, stems))) > len(stems) / 2
    if n_fields < 2 or n_rows < _LEAST_COVERED * len(stems) or are_uuids:
        return
    rows = [row for row in rows if len(row) == n_fields]
    columns = [*zip(*rows)]
    is_counted = _is_counter(columns[-1], n_fields - 1, n_fields)
    for number, values in enumerate(columns):
        if all(values) and not _is_counter(values, number, n_fields, is_counted):
            yield _field_pattern(mark, number, n_fields), None, False


def _field_pattern(mark, number, n_fields):
    """A regular expression whose first capture is one field of a file's name."""
    if (mark, number, n_fields) == ("__", 0, 2):
        return r"([^/]+)__"
    field = "[^/]+?" if mark == "__" else f"[^/{mark}]+"
    fields = [field] * n_fields
    fields[number] = f"({field})"
    # The extension is no part of the last field.
    end = r"\.\w+$" if number == n_fields - 1 or mark in (".", "__") else "$"
    return re.escape(mark).replace(r"\ ", " ").replace(r"\-", "-").join(fields) + end


def _is_counter(values, number, n_fields, is_counted=False):
    """Whether a field counts: a number that is last, or runs on from 0 or 1.

    Args:
        values: The field of each name.
        number: Number of the field.
        n_fields: Number of fields.
        is_counted: Whether the last field counts, so that a number before it may be
            that of a recording.
    """
    values = [value.strip("()") for value in values]
    if not all(value.isdecimal() for value in values):
        return False
    numbers = {int(value) for value in values}
    runs_on = min(numbers) <= 1 and max(numbers) <= 2 * len(numbers) and not is_counted
    is_short = max(map(len, values)) < _ID_DIGITS
    return runs_on or number == n_fields - 1 or (number > 0 and is_short)


def _by_folder(paths):
    """Candidate: the folder around a clip, below that of its class or of the table."""
    parents = [PurePosixPath(path).parent for path in paths]
    if len(set(parents)) > 1:
        yield None, [parent.name for parent in parents], False


def _by_last_number(paths, stems):
    """Candidate: what stands before the last number, as in "rec7_00"."""
    candidates = (_LAST_NUMBER.fullmatch(stem) for stem in stems)
    matches = [match for match in candidates if match and match[1]]
    if not matches or len(matches) < _LEAST_COVERED * len(stems):
        return
    marks = {match[2] for match in matches}
    starts = {match[1] for match in matches}
    # "dog1, dog2" are sounds of their own; "rec7b1, rec7b2" aren't.
    if "" in marks and not all(re.search(r"\d", start) for start in starts):
        return
    if len(marks) == 1:
        [mark] = marks
        words = {m[1] if (m := _NUMBERED.fullmatch(s)) else "" for s in starts}
        if len(words) == 1 and words != {""} and mark in ("_", "-"):
            yield rf"({words.pop()}\d+){mark}", None, True
        if mark in ("_", "-"):
            yield rf"([^/]+){mark}\d+\.\w+$", None, True
    yield r"([^/]+?)[-_. (]*\d+\)?\.\w+$", None, True


def _is_plausible(proposal, labels):
    groups = proposal.groups
    sizes = collections.Counter(group for group in groups if group is not None)
    if len(sizes) < 2 or proposal.n_clips < _LEAST_COVERED * len(groups):
        return False
    in_company = sum(size for size in sizes.values() if size > 1)
    if (
        proposal.n_clips < _LEAST_CLIPS * len(sizes)
        or in_company < proposal.n_clips / 2
    ):
        return False
    return not _are_classes(groups, labels)


def _are_classes(groups, labels):
    """Whether groups are in one class each, and most classes have one of them only."""
    labels_of = collections.defaultdict(set)
    groups_of = collections.defaultdict(set)
    for group, label in zip(groups, labels):
        if group is not None:
            labels_of[group].add(label)
            groups_of[label].add(group)
    if any(len(each) > 1 for each in labels_of.values()):
        return False
    alone = sum(len(each) == 1 for each in groups_of.values())
    return len(groups_of) > 1 and alone > len(groups_of) / 2


def _partition(groups):
    """The partition of the clips by their groups, whatever these are called."""
    number: dict = {}
    return tuple(number.setdefault(group, len(number)) for group in groups)


def _ranked(proposals):
    """The likeliest first: whole conventions, then coarse groups, then many."""
    return sorted(proposals, key=lambda p: _rank(p, proposals))


def _rank(proposal, others):
    is_convention = proposal.pattern == r"([^/]+)__"
    is_too_few = proposal.n_groups < _LEAST_GROUPS
    are_counts = all(
        g.isdecimal() and len(g) < _ID_DIGITS for g in proposal.groups if g
    )
    inside = sum(
        _is_within(proposal, other)
        for other in others
        if other is not proposal and other.n_groups >= _LEAST_GROUPS
    )
    return (not is_convention, is_too_few, inside, are_counts, -proposal.n_groups)


def _is_within(fine, coarse):
    """Whether each of some groups is within one of other, larger ones."""
    if coarse.n_groups >= fine.n_groups:
        return False
    pairs = {pair for pair in zip(fine.groups, coarse.groups) if None not in pair}
    return len(pairs) == fine.n_groups
