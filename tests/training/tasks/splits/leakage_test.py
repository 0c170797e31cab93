import itertools
import random
import uuid

import pytest

from leaf_files.clips import write_clip
from leaf_files.fingerprints import NearDuplicate
from training.tasks.own.folder import FolderTask
from training.tasks.own.table import TableTask
from training.tasks.splits.leakage import duplicate_lines, name_lines, proposed_groups
from training.tasks.splits.splitting import Splitting

RANDOM = random.Random(0)
RECORDINGS = [
    (f"{('faulty', 'good')[n % 2]}/rec{n}_{cut:02d}.wav", f"rec{n}")
    for n in range(12)
    for cut in range(20)
]
CORPORA = [
    (f"{label}/{corpus}__{number}.ogg", corpus)
    for number, (label, corpus) in enumerate(
        itertools.product(("en", "fr"), ("asterisk", "klettres", "festvox") * 9)
    )
]
DIGITS = [
    (f"{digit}/{digit}_{who}_{take}.wav", who)
    for digit in range(10)
    for who in ("george", "jackson", "theo", "lucas")
    for take in range(6)
]
EMOTIONS = [
    (f"{emotion}/{actor}_{sentence}_{emotion}_XX.wav", str(actor))
    for actor in range(1001, 1041)
    for sentence in ("DFA", "IEO", "TIE")
    for emotion in ("ANG", "SAD")
]
BOOKS = [
    (f"{sex}/{speaker}-{speaker + chapter}-{cut:04d}.flac", str(speaker))
    for sex, speakers in (("m", (84, 422, 652)), ("f", (1272, 1988, 2035)))
    for speaker in speakers
    for chapter in range(50, 53)
    for cut in range(4)
]
SESSIONS = [
    (f"{'ab'[session % 2]}/{session:03d}_{chunk}_{cut:05d}.wav", f"{session:03d}")
    for session in range(20)
    for chunk in range(3)
    for cut in range(100 * session + 10 * chunk, 100 * session + 10 * chunk + 4)
]
USERS = [
    (f"{label}/{RANDOM.randrange(10**5)}__{user}__rain.wav", user)
    for label in ("rain", "wind")
    for user in ("ann", "bob", "cy")
    for _ in range(6)
]
FOLDERS = [
    (f"{word}/{who}/{take}.wav", who)
    for word in ("yes", "no")
    for who in ("ann", "bob", "cy")
    for take in range(8)
]
PHONE = [
    (f"{label}/Memo {memo} ({cut}).m4a", f"Memo {memo}")
    for label in ("cough", "sneeze")
    for memo in range(*{"cough": (0, 5), "sneeze": (5, 10)}[label])
    for cut in range(6)
]


def labels(paths):
    return [path.partition("/")[0] for path in paths]


@pytest.mark.parametrize(
    "clips, option",
    [
        (RECORDINGS, r"--group-pattern '(rec\d+)_'"),
        (CORPORA, "--group-pattern '([^/]+)__'"),
        (DIGITS, "--group-pattern '[^/_]+_([^/_]+)_[^/_]+$'"),
        (EMOTIONS, "--group-pattern '([^/_]+)_[^/_]+_[^/_]+_[^/_]+$'"),
        (BOOKS, "--group-pattern '([^/-]+)-[^/-]+-[^/-]+$'"),
        (SESSIONS, "--group-pattern '([^/_]+)_[^/_]+_[^/_]+$'"),
        (USERS, r"--group-pattern '[^/]+?__([^/]+?)__[^/]+?\.\w+$'"),
        (FOLDERS, "--group-by parent"),
        (PHONE, r"--group-pattern '([^/]+?)[-_. (]*\d+\)?\.\w+$'"),
    ],
)
def test_groups_are_found_in_names(clips, option):
    """The option makes the groups that the names were made of."""
    paths, groups = zip(*RANDOM.sample(clips, len(clips)))
    best = proposed_groups(paths, labels(paths))[0]
    assert best.option == option
    assert best.groups == groups
    by = {"group_by": "parent"} if best.pattern is None else {}
    splitting = Splitting(group_pattern=best.pattern, **by)
    assert splitting.groups(paths) == (list(groups), "")


@pytest.mark.parametrize(
    "name",
    [
        "{n:04d}.wav",
        "{label}{n}.wav",
        "{label}_{n}.wav",
        "{label} ({n}).wav",
        "{label}.{n:05d}.wav",
        "{n}_{label}.wav",
        "{word}{n}.wav",
        "{number:08x}.wav",
        "{number:03d}.wav",
        "{uuid}.wav",
    ],
)
def test_names_that_only_count_or_identify_tell_no_groups(name):
    paths = [
        f"{label}/"
        + name.format(
            n=n,
            label=label,
            word=("cat", "cow", "axe", "saw")[n % 2 + 2 * (label == "tool")],
            number=RANDOM.getrandbits(32) if "x" in name else RANDOM.randrange(1000),
            uuid=uuid.UUID(int=RANDOM.getrandbits(128), version=4),
        )
        for label in ("animal", "tool", "dog")
        for n in range(1, 800)
    ]
    assert proposed_groups(paths, labels(paths)) == []


@pytest.mark.parametrize("paths", [[], ["a/1.wav"], ["a/x__1.wav", "b/y__2.wav"]])
def test_few_clips_tell_no_groups(paths):
    assert proposed_groups(paths, labels(paths)) == []


def test_two_lines_say_what_names_look_like_and_the_option():
    paths = [path for path, _ in RECORDINGS]
    assert name_lines(paths, labels(paths)) == [
        "240 clips look like cuts of 12 recordings (such as rec0_00.wav, rec0_01.wav), "
        "and a random split puts cuts of one into train and test: its score won't hold "
        "in the field",
        r"hold recordings out with --group-pattern '(rec\d+)_'",
    ]
    assert name_lines(["a/1.wav", "b/2.wav"], "ab") == []
    paths[0] = "faulty/hum.wav"
    assert name_lines(paths, labels(paths))[1] == (
        r"hold recordings out with --group-pattern '(rec\d+)_', once the name of "
        "faulty/hum.wav tells its group"
    )


def test_near_duplicates_in_different_splits_are_counted_and_named():
    pairs = [NearDuplicate(0, 1, 0.0, 0.4), NearDuplicate(2, 3, 0.5, 0.9)]
    names = ["a.wav", "b.wav", "c.wav", "d.wav"]
    assert duplicate_lines(pairs, names, ["train"] * 4) == []
    line, _ = duplicate_lines(pairs, names, ["train", "train", "test", "train"])
    assert line == (
        "2 clips sound like clips of other splits: copies, overlapping cuts or "
        "re-encodings, 1 of them in the test split, whose score they flatter (c.wav "
        "and d.wav)"
    )
    line, _ = duplicate_lines(
        pairs, names, ["train", "test", "test", "train"], ["g", "h", "i", "k"]
    )
    assert line.startswith("4 clips sound like clips of other splits, across groups:")
    assert line.endswith("(c.wav and d.wav; a.wav and b.wav)")


@pytest.fixture
def recordings(tmp_path, rng):
    """Noise, 3 cuts of each of 4 recordings a class, the last one of each class twice:
    the second time it is quieter and lacks its beginning."""
    folder = tmp_path / "clips"
    for label in "ab":
        (folder / label).mkdir(parents=True)
        for number in range(12):
            noise = rng.uniform(-0.5, 0.5, 4000)
            name = f"{label}/rec{label}{number // 3}_{number % 3}.wav"
            write_clip(folder / name, noise, 8000)
        write_clip(folder / f"{label}/rec{label}9_0.wav", noise[500:] / 2, 8000)
    return folder


def test_learning_from_cuts_is_warned_of(recordings, capsys):
    data = FolderTask(recordings).load()
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("warning: 26 clips look like cuts of 10 recordings")
    assert (
        second
        == r"         hold recordings out with --group-pattern '([^/]+)_\d+\.\w+$'"
    )
    assert f"{first.removeprefix('warning: ')}; {second.strip()}" in data.notes


def test_of_groups_that_are_held_out_nothing_is_said(recordings, capsys):
    FolderTask(recordings, splitting=Splitting(r"(rec\w\d)_")).load()
    FolderTask(recordings, splitting=Splitting(group_by="none")).tell_groups_in_names()
    assert "look like cuts" not in capsys.readouterr().err


def test_sounds_that_lie_in_two_splits_are_named(recordings, tmp_path, capsys):
    table = tmp_path / "clips.csv"
    split_of = {9: "test", 0: "test", 1: "validation"}
    rows = ["path,label,group,split"]
    for path in sorted(recordings.rglob("*.wav")):
        group = path.stem.partition("_")[0]
        split = split_of.get(int(group[-1]), "train")
        rows.append(f"{path},{path.parent.name},{group},{split}")
    table.write_text("\n".join(rows))
    TableTask(table).load()
    lines = capsys.readouterr().err.splitlines()
    [line] = [line for line in lines if "sound like" in line]
    assert line.startswith(
        "warning: 4 clips sound like clips of other splits, across groups: copies, "
        "overlapping cuts or re-encodings, 2 of them in the test split, whose score "
    )
    assert "clips/a/reca3_2.wav and clips/a/reca9_0.wav" in line
