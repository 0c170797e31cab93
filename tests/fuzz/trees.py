"""Folders of clips as people have them, with the settings to read them by."""

import dataclasses
import os

CLASSES = ("dog", "cat", "Dog", "größe", "wren", "owl", "31", "x__y", "鳥")
_ODD_CLASSES = (
    *("a,b", "dog|cat", "dog,cat", "background", "Noise", "other", "silence"),
    *(" pad", "line\nbreak", b"\xff\xfe", ".hidden", "__MACOSX", "\ufeffbom"),
    *("café", "cafe\u0301", "dog\u200b", "test", "Train", "val"),
)  # fmt: skip
_SPLITS = (
    ("train", "test"),
    ("Train", "valid", "TEST"),
    ("training", "dev", "eval"),
    ("train", "val"),
    ("validation", "test"),
)
_SPEAKERS = ("ann", "bob", "cy", "dee", "eve", "flo")
_PATTERNS = (
    *("([^/]+)__", r"([a-z]+)__\d", "^(.)", "([^/]+)/", r"/(.+)\.", r"(\d)?"),
    *("(?i)(ANN|bob|cy|dee|eve|flo)", "(x*)", "(a)|(b)"),
)


@dataclasses.dataclass
class Drawn:
    """Data of a user, as it was drawn.

    Attributes:
        task: Names of its tasks, as in `--task`.
        settings: Settings to read it by, a dict.
        is_sound: Whether there is nothing that it could be refused for.
        words: Words that its refusal must have, a list; any for [].
        truth: For tables, see `tests.fuzz.sheets.draw`.
        shuffled: For tables, a function that writes the rows in another order; or None.
    """

    task: str
    settings: dict
    is_sound: bool = False
    words: list = dataclasses.field(default_factory=list)
    truth: dict = dataclasses.field(default_factory=dict)
    shuffled: object = None


def draw(folder, pool, random):
    """Makes a folder of class folders.

    Args:
        folder: Its path, which doesn't exist.
        pool: A `Pool`.
        random: A `random.Random`.

    Returns:
        `Drawn`.
    """
    folder.mkdir()
    if random.random() < 0.35:
        return _sound_one(folder, pool, random)
    tops = [folder]
    if random.random() < 0.3:
        tops = [folder / name for name in random.choice(_SPLITS)]
    classes = random.sample(CLASSES, random.randrange(1, 5))
    classes += random.sample(_ODD_CLASSES, random.choice([0, 0, 1, 2]))
    sources = random.sample(pool.sounds, 24) + pool.silent + pool.bad[:1]
    for top in tops:
        top.mkdir(exist_ok=True)
        for name in classes:
            if random.random() < 0.9:
                _fill(_below(top, name), pool, sources, random)
    for _ in range(random.choice([0, 0, 1, 3])):
        _add_oddity(folder, pool, random)
    return Drawn(f"folder:{folder}", settings(random))


def _sound_one(folder, pool, random):
    """A folder without faults, of as many speakers as are needed."""
    speakers = _SPEAKERS[: random.randrange(4, 7)]
    sources = iter(random.sample(pool.sounds, len(pool.sounds)))
    for label in random.sample(CLASSES, random.choice([2, 3])):
        for n in range(2):
            for speaker in speakers:
                path = folder / label / f"{speaker}__{n}.wav"
                path.parent.mkdir(exist_ok=True)
                source = next(sources)
                pool.put(source, path.with_suffix(source.suffix), random)
    hows = ({}, {"group_pattern": "/([^/]+)__"}, {"folds": random.randrange(2, 5)})
    how = {**random.choice(hows), **random.choice(hows)}
    return Drawn(
        f"folder:{folder}",
        {**how, "seed": random.randrange(9), **opening(random)},
        True,
    )


def _below(folder, name):
    """A Path of a name that is text, or bytes."""
    name = os.fsdecode(name)
    return folder / name


def _fill(folder, pool, sources, random):
    """A class folder with some clips, in subfolders of it or not."""
    folder.mkdir(exist_ok=True)
    for n in range(random.choice([0, 1, 3, 5, 8, 12])):
        parent = folder
        if random.random() < 0.2:
            parent = folder / random.choice(["s1", "s2", "deep/er"])
            parent.mkdir(parents=True, exist_ok=True)
        path = parent / f"{random.choice(_SPEAKERS)}__{n}.wav"
        pool.put(random.choice(sources), path, random)


def _add_oddity(folder, pool, random):
    """Something that a folder of clips has beside clips, or in place of one."""
    folders = [path for path in folder.iterdir() if path.is_dir()] or [folder]
    place, other = random.choice(folders), random.choice(folders)
    kind = random.choice(
        ["text", "loose", "bad", "hidden", "gone", "loop", "class link", "name", "run"]
    )
    number = random.randrange(10**6)
    if kind == "text":
        (place / f"notes{number}.txt").write_text("of a day\n")
    elif kind == "loose":
        pool.put(pool.sounds[0], folder / f"loose{number}.wav", random)
    elif kind == "bad":
        pool.put(random.choice(pool.bad), place / f"bad{number}.wav", random)
    elif kind == "hidden":
        pool.put(pool.sounds[1], place / f".{number}.wav", random)
        (place / f"._{number}.wav").write_bytes(b"of a Mac")
    elif kind == "gone":
        (place / f"gone{number}.wav").symlink_to("nowhere.wav")
    elif kind == "loop":
        (place / f"loop{number}").symlink_to("..")
    elif kind == "class link":
        (folder / f"link{number}").symlink_to(other.name)
    elif kind == "name":
        names = (
            "a\nb.wav",
            b"\xff.wav",
            "#@|,.wav",
            "x.WAV",
            " .wav",
            "鳥.wav",
            "%s{}.wav",
        )
        path = _below(place, random.choice(names))
        if not path.exists():
            pool.put(random.choice(pool.sounds), path, random)
    elif kind == "run":
        (place / "config.json").write_text("{}")
        (place / "tasks.json").write_text("[]")


def opening(random):
    """Settings of how clips are opened, which change nothing."""
    return {
        "sample_rate": random.choice([8000, 8000, 16000]),
        "index": random.choice(["use", "fresh", "none"]),
        "cache": random.choice(["auto", "none"]),
        "window_seconds": random.choice([0.05, 0.25]),
    }


def settings(random):
    """Settings of how clips are split, and opened."""
    drawn = {"seed": random.randrange(5), **opening(random)}
    how = random.choice(["pattern", "pattern", "by", "nothing", "nothing"])
    if how == "pattern":
        drawn["group_pattern"] = random.choice(_PATTERNS[: random.choice([1, 9])])
    elif how == "by":
        drawn["group_by"] = random.choice(["parent", "none"])
    if random.random() < 0.3:
        drawn["folds"] = random.choice([2, 3, 4, 5, "groups"])
        if random.random() < 0.5:
            most = drawn["folds"] if drawn["folds"] != "groups" else 6
            drawn["fold"] = random.randrange(most)
    drawn["skip_bad_clips"] = random.random() < 0.4
    return drawn
