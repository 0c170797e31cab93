"""Tables of clips that can be opened, with the settings to read them by."""

import os

import soundfile

from tests.fuzz.sounds import RATE
from tests.fuzz.tables import written
from tests.fuzz.trees import Drawn, opening, settings

LABELS = ("dog", "cat", "größe", "31", "a,b", 'the "x"', "Dog")
_GROUPS = ("g1", "g2", "g3", "g4", "ann", "bob")
# A role, what its cell says, and words of the refusal.
_FAULTS = (
    ("path", "gone.wav", "there is no file"),
    ("path", "", "no path"),
    ("path", "rec", "a folder"),
    ("start", "nan", "a start that is no number"),
    ("start", "-0.5", "a start before 0"),
    ("start", "9", "an end that isn't after the start"),
    ("end", "0", "an end that isn't after the start"),
    ("end", "inf", "an end that is no number"),
    ("label", "", "no label"),
    ("split", "holdout", "an unknown split"),
    ("weight", "-1", "a weight below 0"),
)
_ASKED = {  # what columns are called that aren't called by their role
    "path": "sound file",
    "label": "species",
    "group": "speaker",
    "split": "fold",
    "start": "from",
    "end": "to",
    "weight": "w",
}


# What cells may hold that nobody meant to be there; of JSON, any values.
_ODD_TEXTS = (
    *("", " ", "\n", "a\nb", "a\r\nb", "\t", "|", "a|", "||a||b", ",", '"', "'", "nan"),
    *("NaN", "-inf", "1e999", "0x10", "1_0", "١", "½", "-0", "1e-300", "none", "null"),
    *("\ufeff", "\u200b", "cafe\u0301", "café", "\x1f", "\x7f", "\u2028", "🎵" * 50),
    *(".", "..", "/", "//", "~", "~nobody/x", "C:\\x.wav", "gs://a/b.wav", "x" * 5000),
    *("=1+1", "%s", "{}", "TRAIN ", "tes", "0", "-1", "rec/", "pipe.wav", "/dev/zero"),
)
_ODD_VALUES = (
    *(*_ODD_TEXTS, None, True, False, 0, 1, -1, 1.5, 1e308, 10**30, [], ["a", "b"]),
    *([[]], ["a", ""], {}, {"a": 1}, "\udcff", "\ud800", [1, 2], ["dog", "dog"]),
)
_ODD_SETTINGS = (
    *({"group_column": "label"}, {"group_column": "nobody"}, {"path_column": "label"}),
    *({"split_column": "group"}, {"weight_column": "start"}, {"split_column": "path"}),
    *({"background_class": "dog"}, {"background_class": "x"}, {"start_column": "end"}),
    *({"end_column": "start"}, {"group_column": "path"}, {"weight_column": "weight"}),
)


def draw(folder, pool, random):
    """Makes a folder of recordings, and a table of them.

    Args:
        folder: Its path, which doesn't exist.
        pool: A `Pool`.
        random: A `random.Random`.

    Returns:
        `Drawn`. Its truth is {(real path, start, end): {"group", "split" or "label" and
        "second", the labels of two columns, a set: what the table says}}.
    """
    (folder / "rec" / "sub").mkdir(parents=True)
    is_clean = random.random() < 0.5
    recordings = _recordings(folder, pool, random, is_clean)
    if random.random() < 0.25:
        return _annotated(folder, recordings, random)
    roles = ["path", "label"]
    roles += [r for r in ("group", "weight") if random.random() < 0.5]
    roles += ["start", "end"] if random.random() < 0.4 else []
    roles += ["split"] if random.random() < 0.25 else []
    with_second = random.random() < 0.3
    roles += ["second"] if with_second else []
    clips = list(_clips(recordings, roles, random, is_clean))
    rows = [_row(clip, folder, random) for clip in clips]
    drawn = Drawn("", settings(random), is_clean)
    if is_clean:
        drawn.settings = {"seed": random.randrange(9), **opening(random)}
        if "split" not in roles and random.random() < 0.4:
            drawn.settings["folds"] = random.choice([2, 3])
    else:
        _spoil(rows, roles, drawn, random)
    drawn.truth = _truth(clips, roles)
    if not is_clean and random.random() < 0.4:
        _make_odd(folder, rows, roles, drawn, random)
    _write(folder, roles, rows, drawn, random)
    return drawn


def _recordings(folder, pool, random, is_clean):
    """Paths of recordings, which have extensions that tell nothing."""
    n = random.randrange(18, 25) if is_clean else random.choice([1, 3, 8, 14])
    sources = random.sample(pool.sounds, n)
    if not is_clean:
        others = random.choice([pool.silent, pool.bad, pool.sounds])
        sources = [
            random.choice(others) if random.random() < 0.1 else s for s in sources
        ]
    paths = []
    for number, source in enumerate(sources):
        name = random.choice(
            ["r{}", "rec/r{}", "rec/sub/r,{}", "größe {}", "rec/#{}@1-2"]
        )
        path = folder / (name.format(number) + ".wav")
        pool.put(source, path, random)
        paths.append(path)
    return paths


def _clips(recordings, roles, random, is_clean):
    """A dict for each clip: what a table says of it, as values."""
    labels = LABELS[:2] if is_clean else random.sample(LABELS, random.randrange(1, 5))
    seconds = ("low", "high")
    is_several = random.random() < 0.2
    splits = ("train", "Training", "val", "dev", "TEST", "")
    for number, path in enumerate(recordings):
        group = _GROUPS[number % len(_GROUPS)]
        whole = number // len(_GROUPS)
        if not is_clean:
            group = random.choice(_GROUPS[: random.choice([2, 6])] + ("",))
        for n in range(random.choice([1, 2]) if "start" in roles else 1):
            start = n * 0.02 if "start" in roles else None
            of_clip = {labels[(whole + n) % 2]} if is_clean else {random.choice(labels)}
            if is_several:
                of_clip.add(random.choice(labels))
            split = ("train", "train", "train", "val", "test", "test")[number % 6]
            yield {
                "path": path,
                "label": of_clip,
                "second": {
                    seconds[(whole + n) % 2] if is_clean else random.choice(seconds)
                },
                "start": start,
                "end": None if start is None else start + random.choice([0.02, 0.03]),
                "group": group,
                "split": split if is_clean else random.choice(splits),
                "weight": random.choice(["1", "0.5", "2"]),
            }


def _row(clip, folder, random):
    """A clip as texts."""
    path = clip["path"]
    name = path.relative_to(folder)
    spellings = [name, f"./{name}", f"rec/../{name}", path, f"../{folder.name}/{name}"]
    texts = {key: clip[key] for key in ("group", "split", "weight")}
    return {
        **texts,
        "path": str(random.choice(spellings)),
        "label": "|".join(sorted(clip["label"])),
        "second": "|".join(clip["second"]),
        "start": "" if clip["start"] is None else repr(clip["start"]),
        "end": "" if clip["end"] is None else repr(clip["end"]),
    }


def _spoil(rows, roles, drawn, random):
    """Adds rows with a fault, and rows that are there already."""
    is_several = any("|" in row["label"] for row in rows)
    may = [fault for fault in _FAULTS if fault[0] in roles]
    if is_several or "start" not in roles:  # no label is one, or the row says nothing
        may = [fault for fault in may if fault[0] != "label"]
    known = list(rows)
    faults = random.sample(may, random.choice([0, 0, 1, 2]))
    for n, (role, text, words) in enumerate(faults, 5):
        times = {"start": f"{n}", "end": f"{n + 1}"}
        rows.append({**random.choice(known), **times, role: text})
        if text not in ("gone.wav", "rec"):
            drawn.words.append(words)
        elif not drawn.settings["skip_bad_clips"]:
            drawn.words.append("")  # other faults may be told first
    if random.random() < 0.3:
        rows.append(dict(random.choice(known)))


def _make_odd(folder, rows, roles, drawn, random):
    """Puts something odd into some cells, or asks for odd columns."""
    drawn.words, drawn.truth = [], {}
    os.mkfifo(folder / "pipe.wav")
    for _ in range(random.choice([0, 1, 1, 5, len(rows)])):
        values = random.choice([_ODD_TEXTS, _ODD_VALUES])
        random.choice(rows)[random.choice(roles)] = random.choice(values)
    if random.random() < 0.4:
        drawn.settings |= random.choice(_ODD_SETTINGS)


def _truth(clips, roles):
    """See `draw`."""
    truth = {}
    for clip in clips:
        key = (os.path.realpath(clip["path"]), clip["start"] or 0.0, clip["end"])
        truth[key] = {
            "label": clip["label"],
            "second": clip["second"],
            "group": clip["group"] if "group" in roles else None,
            "split": clip["split"] if "split" in roles else None,
        }
    return truth


def _write(folder, roles, rows, drawn, random):
    """Writes the table, and names it in what was drawn."""
    columns = random.sample(roles, len(roles))
    names = {role: role for role in roles}
    if random.random() < 0.3:
        names |= {role: _ASKED[role] for role in roles if role != "second"}
        drawn.settings |= {
            f"{role}_column": name
            for role, name in names.items()
            if role not in ("label", "second")
        }
    order = [names[role] for role in columns]
    texts = [{names[role]: row[role] for role in roles} for row in rows]
    name, content = written(order, texts, random, random.choice(["clips", "my #1"]))
    content, is_other = _spelled_otherwise(content, drawn.is_sound, random)
    if is_other:
        drawn.words = []
    (folder / name).write_bytes(content)
    mark = f"#{names['label']}" if names["label"] != "label" else ""
    tasks = [f"table:{folder / name}{mark}"]
    if "second" in roles:
        tasks.append(f"table:{folder / name}#second")
    drawn.task = ",".join(tasks)

    def shuffled():
        path = folder / name
        again, content = written(
            order, random.sample(texts, len(texts)), random, path.stem
        )
        path.unlink()
        (folder / again).write_bytes(content)
        drawn.task = drawn.task.replace(name, again)

    drawn.shuffled = shuffled if drawn.truth and not is_other else None


def _spelled_otherwise(content, is_sound, random):
    """The bytes of a table, in an encoding that can't be guessed, or cut."""
    if is_sound or random.random() < 0.85:
        return content, False
    how = random.choice(["latin-1", "no header", "cut", "quote", "empty"])
    if how == "latin-1":
        text = content.decode(errors="replace") + "größe.wav\n"
        return text.encode("latin-1", "replace"), True
    if how == "no header":
        return content.partition(b"\n")[2], True
    if how == "cut":
        return content[: random.randrange(len(content))], True
    if how == "quote":
        return content.replace(b",", b',"', 3), True
    return b"", True


def _annotated(folder, recordings, random):
    """Annotations as Raven and Audacity write them."""
    drawn = Drawn("", settings(random))
    if random.random() < 0.4:
        drawn.settings["background_class"] = random.choice(["noise", "none", "dog", ""])
    labels = random.sample(LABELS, random.choice([1, 2, 3]))
    lines = []
    for path in recordings:
        try:
            seconds = soundfile.info(path).duration
        except soundfile.LibsndfileError:
            seconds = 0.1
        for _ in range(random.choice([0, 1, 2, 3])):
            start = round(random.uniform(0, seconds), 3)
            end = round(start + random.choice([0.01, 0.02, seconds, 0, -0.1]), 3)
            if random.random() < 0.9:
                end = max(end, start + 2 / RATE)
            lines.append((path, start, end, random.choice(labels)))
    if random.random() < 0.5:
        header = "Selection\tView\tBegin Time (s)\tEnd Time (s)\tBegin File\tSpecies\n"
        rows = [
            f"{n}\tWaveform 1\t{a}\t{b}\t{path.relative_to(folder)}\t{label}\n"
            for n, (path, a, b, label) in enumerate(lines)
        ]
        (folder / "all.txt").write_text(header + "".join(rows))
        drawn.task = f"table:{folder / 'all.txt'}"
        return drawn
    for path in recordings:
        if random.random() < 0.9:
            own = [f"{a}\t{b}\t{label}\n" for p, a, b, label in lines if p == path]
            path.with_suffix(".txt").write_text("".join(own))
    drawn.task = f"table:{folder}"
    return drawn
