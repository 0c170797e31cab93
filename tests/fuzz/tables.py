"""Tables of clips as people write them, whose clips are known; some with faults.

The audio files are empty: a table is judged by their names alone.
"""

import csv
import dataclasses
import io
import json
import os

NAMES = (
    *(
        "wren.wav",
        "a/owl 1.wav",
        "a/b,c.flac",
        'say "hi".ogg',
        "größe.mp3",
        "鍵/ключ.wav",
    ),
    *("../elsewhere/dawn.wav", "link.wav", "~tilde.wav", "CAPS.WAV", "a/2.5.opus"),
)
_OTHERS = ("other0.wav", "other1.wav", "other2.wav")  # of rows with a fault
_LABELS = ("wren", "owl", "snowy owl", "größe", "31", "a,b", 'the "x"')
_SPLITS = ("train", "Training", "validation", "VAL", "dev", "test", "eval", "")
_ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16")
_FAULTS = (
    ("start", "nan", "a start that is no number"),
    ("end", "1,5", "write a point before decimals"),
    ("end", "1:30", "write seconds"),
    ("start", "-1", "a start before 0"),
    ("end", "0", "an end that isn't after the start"),
    ("start", "1e9", "an end that isn't after the start"),
    ("weight", "-2", "a weight below 0"),
    ("weight", "inf", "a weight that is no number"),
    ("split", "holdout", "an unknown split"),
    ("path", "", "no path"),
    ("path", "gone.wav", "there is no file"),
    ("path", "a", "a folder"),
    ("path", r"C:\Users\me\x.wav", "a path of a Windows machine"),
    ("path", "gs://bucket/x.wav", "no addresses"),
    ("label", "", "no label"),
)


def make_files(folder):
    """Makes the files that tables name, in a folder and beside it; returns it."""
    for name in NAMES + _OTHERS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name != "link.wav":
            path.touch()
    (folder / "link.wav").symlink_to("CAPS2.WAV")
    (folder / "CAPS2.WAV").touch()
    return folder


@dataclasses.dataclass
class Drawn:
    """A table that was drawn.

    Attributes:
        name: Name of the file.
        content: Bytes of the file.
        clips: The clips that it names, {(path, start, end): what is said of it}.
        refusals: Words of the refusal of each fault in it, a list.
        is_several: Whether clips have several labels.
    """

    name: str
    content: bytes
    clips: dict
    refusals: list
    is_several: bool


def draw(folder, random):
    """A `Drawn` table to be put into a folder of `make_files`."""
    is_several = random.random() < 0.3
    with_times = random.random() < 0.5
    roles = ["path", "label", "group", "split", "weight"]
    roles = [r for r in roles if r in ("path", "label") or random.random() < 0.5]
    roles += ["start", "end"] if with_times else []
    clips: dict = {}
    for _ in range(random.randrange(1, 12)):
        clip = _clip(random, roles, is_several)
        clips.setdefault((clip["path"], clip["start"], clip["end"]), clip)
    if is_several:
        next(iter(clips.values()))["labels"] = ["wren", "owl"]
    rows = [row for clip in clips.values() for row in _rows(clip, folder, random)]
    refusals = []
    if random.random() < 0.5:
        faults = random.sample(_FAULTS, random.randrange(1, 4))
        for name, (role, text, words) in zip(_OTHERS, faults):
            if role in roles and not (is_several and role == "label"):
                row = next(_rows(next(iter(clips.values())), folder, random))
                rows.append({**row, "path": name, "start": "7", "end": "8", role: text})
                refusals.append(words)
    random.shuffle(roles)
    name, content = written(roles, rows, random)
    return Drawn(name, content, clips, refusals, is_several)


def _clip(random, roles, is_several):
    labels = random.sample(_LABELS, random.randrange(1, 3) if is_several else 1)
    start = random.choice([0.0, 0.25, 1.0, 12.5]) if "start" in roles else None
    weight = random.choice([0.5, 1.0, 2.0])
    return {
        "path": random.choice(NAMES),
        "labels": labels,
        "start": start,
        "end": None if start is None else start + random.choice([0.1, 1.0, 3600.0]),
        "group": random.choice(["x", "y", "z z", "2"]) if "group" in roles else "",
        "split": random.choice(_SPLITS) if "split" in roles else "",
        "weight": weight if "weight" in roles else 1.0,
    }


def _rows(clip, folder, random):
    """The rows of a clip: one for all labels, or one for each; some twice."""
    texts = {
        "start": "" if clip["start"] is None else f"{clip['start']:g}",
        "end": "" if clip["end"] is None else repr(clip["end"]),
        "group": clip["group"],
        "split": clip["split"],
        "weight": repr(clip["weight"]),
    }
    labels = clip["labels"]
    for label in random.choice([["|".join(labels)], labels]):
        for _ in range(random.choice([1, 1, 1, 2])):
            path = _spelled(clip["path"], folder, random)
            yield {"path": path, "label": label, **texts}


def _spelled(name, folder, random):
    spellings = [name, f"./{name}", f"a/../{name}", str(folder / name)]
    if "/" in name:
        spellings.append(name.replace("/", "\\"))
    return random.choice(spellings)


def written(columns, rows, random, name="clips"):
    """A table in one of the forms, separators and encodings of programs.

    Args:
        columns: Names of its columns.
        rows: {column: text} of each row, a list.
        random: A `random.Random`.
        name: Name of the file, without its end.

    Returns:
        (name of the file, bytes).
    """
    form = random.choice(["csv", "tsv", "jsonl"])
    if form == "jsonl":
        escaped = random.random() < 0.5
        text = "".join(
            json.dumps({c: row[c] for c in columns}, ensure_ascii=escaped) + "\n"
            for row in rows
        )
    else:
        separator = "\t" if form == "tsv" else random.choice([",", ",", ";", "\t"])
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
        spelled = random.choice([str, str.upper, str.title])
        writer.writerow([spelled(column) for column in columns])
        writer.writerows([row[column] for column in columns] for row in rows)
        text = stream.getvalue()
    text = text.replace("\n", random.choice(["\n", "\n", "\n\n", "\r\n"]))
    if random.random() < 0.3:
        text = text.rstrip("\r\n")
    return f"{name}.{form}", text.encode(random.choice(_ENCODINGS), "replace")


def same_file(folder, name):
    """The real path of one of `NAMES`."""
    return os.path.realpath(folder / name)
