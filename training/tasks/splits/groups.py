"""Splits of whole groups: no speaker, recording or device is in two splits."""

import dataclasses
import hashlib
import math
from collections.abc import Hashable, Sequence

import numpy as np

TRAIN, VALIDATION, TEST = "train", "validation", "test"
# Share of the clips that each split aims at, where all three are drawn.
_SHARES = {TRAIN: 0.8, TEST: 0.1, VALIDATION: 0.1}
# Shares that are as near as this to those aimed at are near enough: what else decides
# is the seed.
_NEAR = 0.01
# Cost of a split that lacks all classes; of one that lacks some, as large a part of it.
_LACKING = {TRAIN: 1e8, TEST: 1e3, VALIDATION: 500.0}
# A held-out split with more than so many times its share costs so much times what is
# beyond: classes that few groups have can't take all clips from training.
_LARGE, _BEYOND = 2, 2.5e3
# Elements that a pass over all moves, or over all swaps, of groups may touch.
_MOVES, _SWAPS = 2_000_000, 4_000_000
_PASSES = 300


def split_groups(
    groups: Sequence[Hashable],
    labels: Sequence[Sequence[str]],
    seed: int,
    held_out: Sequence[str] = (TEST, VALIDATION),
) -> list[str]:
    """Splits clips by their groups, balanced over the classes.

    Each split has a group, if there are enough. Then, the first first: each class
    trains, so that a class of one group trains only; as many classes as can be are
    held out in the first of `held_out`, then in the second, but for classes that would
    make a split far larger than it should be; and in each class the shares of the
    clips are near 80/10/10 (90/10 if one is held out).

    The order of the clips doesn't matter. Many groups are placed one by one, classes of
    few groups first, each where its class is fewest for its share; few groups are then
    moved and swapped as long as that is better.

    Args:
        groups: Group of each clip.
        labels: Labels of each clip: one, several, or of several columns.
        seed: Seed of what is drawn, an int.
        held_out: Splits that are drawn beside "train", the more important one first.

    Returns:
        The split of each clip.

    >>> split_groups(["ann", "bob", "cy", "ann"], ["a", "a", "a", "b"], seed=0)
    ['train', 'validation', 'test', 'train']
    """
    splits = (TRAIN, *held_out)
    shares = [_SHARES[split] for split in splits]
    shares[0] = 1 - sum(shares[1:])
    table = _Table.of(groups, labels, seed)
    missing = [_LACKING[split] / max(1, table.n_classes) for split in splits]
    placed = _placed(table, shares, missing, _BEYOND)
    return [splits[placed[group]] for group in groups]


def fold_groups(
    groups: Sequence[Hashable], labels: Sequence[Sequence[str]], n_folds: int
) -> list[int]:
    """Deals clips into folds by their groups, balanced over the classes.

    The folds are the same for any seed: so folds 0 ... `n_folds` - 1 hold each clip
    once.

    Args:
        groups, labels: See `split_groups`.
        n_folds: Number of folds, at most that of the groups that can be dealt.

    Returns:
        The fold of each clip; -1 for groups with a class that no other group has, which
        only train.

    >>> fold_groups(["ann", "bo", "cy", "ann"], ["a", "a", "a", "a"], n_folds=3)
    [0, 1, 2, 0]
    """
    table = _Table.of(groups, labels, seed=0)
    alone = table.with_a_class_of_their_own()
    kept = [n for n, group in enumerate(groups) if group not in alone]
    dealt = _Table.of([groups[n] for n in kept], [labels[n] for n in kept], seed=0)
    placed = _placed(dealt, [1 / n_folds] * n_folds, [1.0] * n_folds)
    return [placed.get(group, -1) for group in groups]


def dealt_groups(
    groups: Sequence[Hashable], labels: Sequence[Sequence[str]]
) -> list[Hashable]:
    """The groups that can be held out, in the order of their names.

    They are those without a class that no other group has.

    >>> dealt_groups(["cy", "bo", "ann"], [["b"], ["a"], ["a"]])
    ['ann', 'bo']
    """
    alone = _Table.of(groups, labels, seed=0).with_a_class_of_their_own()
    return sorted(set(groups) - alone, key=str)


def split_fold(
    folds: Sequence[int],
    groups: Sequence[Hashable],
    labels: Sequence[Sequence[str]],
    fold: int,
    seed: int,
) -> list[str]:
    """The splits by which one fold tests.

    The next fold validates, but for those of its groups without which a class wouldn't
    train. Of two folds the other one trains, and a tenth of it, in whole groups, drawn
    by the seed, validates; so it is where the next fold has nothing left.

    Args:
        folds: Fold of each clip, -1 for one that only trains.
        groups, labels: See `split_groups`.
        fold: Number of the fold that tests.
        seed: Seed of what is drawn, an int.

    Returns:
        The split of each clip.

    >>> split_fold([0, 1, 2, 2], ["ann", "bo", "cy", "cy"], ["a"] * 4, fold=0, seed=0)
    ['test', 'validation', 'train', 'train']
    """
    n_folds = max(folds) + 1
    validating = {
        group
        for group, number in zip(groups, folds)
        if n_folds > 2 and number == (fold + 1) % n_folds
    }
    trained: set[str] = set()
    of_validating: dict = {group: set() for group in sorted(validating, key=str)}
    for group, number, of_clip in zip(groups, folds, labels):
        if number != fold:
            of_validating.get(group, trained).update(of_clip)
    for group, its_labels in of_validating.items():
        if not its_labels <= trained:
            trained |= its_labels
            validating.discard(group)
    rest = [n for n, number in enumerate(folds) if number != fold]
    split_of = dict.fromkeys(validating, VALIDATION)
    if not validating:
        drawn = split_groups(
            [groups[n] for n in rest], [labels[n] for n in rest], seed, (VALIDATION,)
        )
        split_of = dict(zip((groups[n] for n in rest), drawn))
    return [
        TEST if number == fold else split_of.get(group, TRAIN)
        for group, number in zip(groups, folds)
    ]


@dataclasses.dataclass(frozen=True)
class _Table:
    """How many clips of each class each group has.

    Attributes:
        groups: The groups, in an order that is drawn by a seed.
        clips: Number of clips of each group.
        counts: {class: number of clips} of each group, classes by number.
        n_classes: Number of classes.
    """

    groups: list
    clips: list[int]
    counts: list[dict[int, int]]
    n_classes: int

    @classmethod
    def of(cls, groups, labels, seed):
        """The table of clips, see `split_groups`."""
        place = {
            name: n for n, name in enumerate(sorted({x for of in labels for x in of}))
        }
        by_group: dict = {}
        for group, of_clip in zip(groups, labels):
            entry = by_group.get(group)
            if entry is None:
                entry = by_group[group] = [0, {}]
            entry[0] += 1
            counts = entry[1]
            for label in of_clip:
                number = place[label]
                counts[number] = counts.get(number, 0) + 1
        order = sorted(
            by_group,
            key=lambda group: hashlib.sha256(
                f"{seed} {group}".encode(errors="surrogatepass")
            ).digest(),
        )
        entries = [by_group[group] for group in order]
        return cls(order, [e[0] for e in entries], [e[1] for e in entries], len(place))

    def of_class(self):
        """The numbers of the groups that have each class, lists."""
        members: list[list[int]] = [[] for _ in range(self.n_classes)]
        for n, counts in enumerate(self.counts):
            for label in counts:
                members[label].append(n)
        return members

    def with_a_class_of_their_own(self):
        """The groups with a class that no other group has, a set."""
        return {self.groups[m[0]] for m in self.of_class() if len(m) == 1}

    def matrix(self):
        """(groups, classes + 1): clips of each class, and of all, float64."""
        matrix = np.zeros((len(self.groups), self.n_classes + 1))
        for row, counts in zip(matrix, self.counts):
            row[list(counts)] = list(counts.values())
        matrix[:, -1] = self.clips
        return matrix


def _placed(table, shares, missing, beyond=0.0):
    """{group: number of its part} of the groups of a `_Table`.

    Args:
        table: The `_Table`.
        shares: Share of the clips that each part aims at.
        missing: Cost of a class that a part lacks, by part; the greatest first.
        beyond: Cost of all clips beyond `_LARGE` times the share of a part.
    """
    placed = _one_by_one(table, shares)
    size = len(table.groups) * (table.n_classes + 1)
    if size * len(shares) <= _MOVES:
        _improve(placed, table.matrix(), np.array(shares), np.array(missing), beyond)
    return dict(zip(table.groups, placed.tolist()))


def _one_by_one(table, shares):
    """The part of each group: of its rarest class's parts the one that has fewest."""
    n_parts = len(shares)
    parts = range(n_parts)
    placed = np.full(len(table.groups), -1)
    held = [[0] * (table.n_classes + 1) for _ in parts]
    taken = [0] * n_parts  # groups
    members = table.of_class()
    everything = list(range(len(table.groups)))
    classes = sorted(range(table.n_classes), key=lambda c: (len(members[c]), c))

    def place(group, part):
        placed[group] = part
        taken[part] += 1
        held[part][-1] += table.clips[group]
        for label, n in table.counts[group].items():
            held[part][label] += n

    for label in [*classes, -1]:
        of_label = everything if label < 0 else members[label]
        waiting = [group for group in of_label if placed[group] < 0]

        def clips(group, label=label):
            return table.clips[group] if label < 0 else table.counts[group][label]

        # The large ones first, in octaves: within one the seed decides.
        waiting.sort(key=lambda group: -math.frexp(clips(group))[1])
        for n_before, group in enumerate(waiting):
            lacking = [part for part in parts if not held[part][label]]
            if lacking and len(waiting) - n_before <= len(lacking):
                place(group, lacking[0])
                continue
            n = clips(group)
            place(
                group,
                min(
                    parts,
                    key=lambda part: (
                        (2 * held[part][label] + n) / shares[part],
                        held[part][-1] / shares[part],
                    ),
                ),
            )
    return placed


def _improve(placed, matrix, shares, missing, beyond):
    """Moves and swaps groups as long as that costs less; changes `placed`.

    Args:
        placed: (groups,), part of each group.
        matrix: (groups, classes + 1), see `_Table.matrix`.
        shares: (parts,).
        missing: (parts,), cost of a class that a part lacks.
        beyond: See `_placed`.
    """
    n_groups, n_columns = matrix.shape
    parts = range(len(shares))
    totals = matrix.sum(axis=0)
    # A class of more clips than the mean matters the more if it is lacking.
    in_means = totals[:-1] * (n_columns - 1) / max(1.0, totals[:-1].sum())
    weights = np.maximum(1.0, in_means)
    empty = missing.max() * (weights.sum() + 1)

    def cost(part, held):
        """(...): the cost of a part that holds (..., classes + 1) clips."""
        apart = np.maximum(np.abs(held / totals - shares[part]) - _NEAR, 0)
        lacks = (held[..., :-1] == 0) @ weights
        excess = np.maximum(held[..., -1] / totals[-1] - _LARGE * shares[part], 0)
        return (
            (apart**2).mean(axis=-1)
            + missing[part] * lacks
            + beyond * excess
            + empty * (held[..., -1] == 0)
        )

    may_swap = n_groups**2 * n_columns <= _SWAPS
    for _ in range(_PASSES):
        held = np.stack([matrix[placed == part].sum(axis=0) for part in parts])
        now = np.array([cost(part, held[part]) for part in parts])
        members = [np.flatnonzero(placed == part) for part in parts]
        best, change = -1e-9, None
        for source in parts:
            rows = matrix[members[source]]
            relief = cost(source, held[source] - rows) - now[source]
            for target in parts:
                if source == target or not len(rows):
                    continue
                gain = relief + cost(target, held[target] + rows) - now[target]
                if gain.min() < best:
                    n = int(gain.argmin())
                    best, change = gain[n], [(members[source][n], target)]
                if not may_swap or target < source or not len(members[target]):
                    continue
                difference = matrix[members[target]][None] - rows[:, None]
                gain = cost(source, held[source] + difference)
                gain += cost(target, held[target] - difference)
                gain -= now[source] + now[target]
                if gain.min() < best:
                    a, b = np.unravel_index(gain.argmin(), gain.shape)
                    best = gain[a, b]
                    change = [
                        (members[source][a], target),
                        (members[target][b], source),
                    ]
        if change is None:
            return
        for group, part in change:
            placed[group] = part
