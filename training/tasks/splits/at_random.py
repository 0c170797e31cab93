"""Splits of tasks without an official one, fixed by seed and clips."""

import hashlib

from leaf_files.command_line import a_few
from leaf_files.errors import UserError

_HELD_OUT = 0.1  # share of each class for validation, and again for test
_LEAST_CLIPS = 3  # one for each split


def split_clips(clips, labels, seed, held_out=("test", "validation")):
    """Splits clips 80/10/10 within each class.

    The order of the clips doesn't matter: a class's distinct clips are ranked
    by a hash of seed and identity. Copies of a clip go where it goes, even if
    another class holds them.

    Args:
        clips: (identity, label) of each clip.
        labels: Names of the classes.
        seed: Seed of the ranking, an int.
        held_out: Splits that are drawn, each a tenth; the rest is "train".

    Returns:
        The split of each clip, "train", "validation" or "test", in the order
        of `clips`.

    Raises:
        UserError: Classes with fewer than 3 distinct clips.

    >>> clips = [(f"{label}{n}", label) for label in ("dog", "cat") for n in range(10)]
    >>> split_clips(clips, ("dog", "cat"), seed=0).count("test")
    2
    """
    few = too_few(clips, labels, len(held_out) + 1)
    if few:
        raise UserError(few)
    split_of = {}
    for members in _members(clips, labels).values():
        ranked = sorted(
            members,
            key=lambda clip: hashlib.sha256(f"{seed} {clip}".encode()).digest(),
        )
        n_clips = len(members)
        n_held_out = max(1, round(_HELD_OUT * n_clips))
        for rank, clip in enumerate(ranked):
            number = rank // n_held_out
            split_of[clip] = held_out[number] if number < len(held_out) else "train"
    return [split_of[clip] for clip, _ in clips]


def too_few(clips, labels, least=_LEAST_CLIPS):
    """A sentence about the classes that are too small to be split.

    Args:
        clips, labels: See `split_clips`.
        least: Distinct clips that a class needs, one for each split.

    Returns:
        Names and sizes of the classes; "" if there are none.

    >>> print(too_few([("bark", "dog"), ("growl", "dog")], ["dog"]))
    class 'dog' has 2 distinct clips; each class needs at least 3, ...
    """
    small = {
        label: len(members)
        for label, members in _members(clips, labels).items()
        if len(members) < least
    }
    if not small:
        return ""
    named = [
        f"{'' if i else 'class '}{label!r} has {n}{'' if i else ' distinct clips'}"
        for i, (label, n) in enumerate(small.items())
    ]
    count = f" ({len(small)} such classes)" if len(small) > 1 else ""
    return (
        f"{a_few(named)}{count}; each class needs at least {least}, one each to "
        f"train, validate {'and' if least > 2 else 'or'} test: add clips to it, or "
        "leave the class out"
    )


def _members(clips, labels):
    """{label: its distinct clips}; a clip in several is in the first by name."""
    class_of: dict[str, str] = {}
    for clip, label in clips:
        class_of[clip] = min(label, class_of.get(clip, label))
    members: dict[str, list[str]] = {label: [] for label in labels}
    for clip, label in class_of.items():
        members[label].append(clip)
    return members


def hold_out_group(groups, seed):
    """Splits clips by their groups: one group tests, another one validates.

    Of G groups in the order of their names, group seed mod G tests and the next one
    validates, so that G seeds in a row test each group once.

    Args:
        groups: Name of each clip's group, such as its speaker.
        seed: Number of the group that tests, an int.

    Returns:
        The split of each clip, "train", "validation" or "test".

    Raises:
        UserError: Fewer than 3 groups.

    >>> hold_out_group(["jo", "kim", "jo", "lee"], seed=0)
    ['test', 'validation', 'test', 'train']
    """
    names = sorted(set(groups))
    if len(names) < _LEAST_CLIPS:
        raise UserError(
            f"the clips come from {len(names)} speakers ({', '.join(names)}); at "
            f"least {_LEAST_CLIPS} are needed, one each to train, validate and test"
        )
    split_of = {
        names[seed % len(names)]: "test",
        names[(seed + 1) % len(names)]: "validation",
    }
    return [split_of.get(group, "train") for group in groups]
