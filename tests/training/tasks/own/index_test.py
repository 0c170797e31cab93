"""What was heard is known until the file changes, whatever happens to the index."""

import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from training.tasks.own import hearing, index
from training.tasks.own import task as own_task
from training.tasks.own.folder import FolderTask
from training.tasks.own.hearing import WHOLE, Stretch, hear_all
from training.tasks.own.index import Index, open_index

RATE = 8000
LONG_AGO = 1_700_000_000


def write(path, seed):
    """A settled file of noise."""
    random = np.random.default_rng(seed)
    write_clip(path, random.uniform(-0.5, 0.5, RATE), RATE)
    os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def wanted(tmp_path):
    """Three files, one of them in stretches, and one that can't be read."""
    paths = [tmp_path / f"{name}.flac" for name in "abc"]
    for seed, path in enumerate(paths):
        write(path, seed)
    (tmp_path / "d.wav").write_text("no sound")
    stretches = [[WHOLE], [WHOLE], [Stretch(0.25, 0.5), Stretch(0.5)], [WHOLE]]
    return dict(zip([*paths, tmp_path / "d.wav"], stretches))


@pytest.fixture
def heard_files(monkeypatch):
    """Names of the files that are heard, in the order of their names."""
    heard, hear = set(), hearing.hear

    def listening(path, *arguments, **settings):
        heard.add(path.name)
        return hear(path, *arguments, **settings)

    monkeypatch.setattr(hearing, "hear", listening)

    def taken():
        names = "".join(sorted(heard))
        heard.clear()
        return names

    return taken


def hear_with(path, wanted, is_fresh=False):
    known = Index(path, is_fresh)
    found = hear_all(wanted, known)
    known.close()
    return found


def same(found, other):
    def words(found):
        return {p: [o if isinstance(o, hearing.Heard) else str(o) for o in of]
                for p, of in found.items()}  # fmt: skip

    return words(found) == words(other)


def test_files_are_heard_once_and_what_is_wrong_each_time(
    wanted, heard_files, tmp_path
):
    path = tmp_path / "cache" / "index"
    first = hear_with(path, wanted)
    assert heard_files() == "a.flacb.flacc.flacd.wav"
    assert same(hear_with(path, wanted), first) and heard_files() == "d.wav"
    assert [*first] == [*wanted]
    hear_with(path, wanted, is_fresh=True)
    assert heard_files() == "a.flacb.flacc.flacd.wav"


def test_a_file_that_changed_is_heard_again(wanted, heard_files, tmp_path):
    path = tmp_path / "index"
    hear_with(path, wanted)
    heard_files()
    a, b, c, _ = wanted
    before = b.stat()
    write(b, 7)  # of the same time
    os.utime(a, (LONG_AGO + 5, LONG_AGO + 5))
    found = hear_with(path, wanted)
    assert b.stat().st_mtime_ns == before.st_mtime_ns
    assert heard_files() == "a.flacb.flacd.wav"
    assert same(found, hear_all(wanted))


def test_other_stretches_are_heard_beside_those_known(wanted, heard_files, tmp_path):
    path = tmp_path / "index"
    hear_with(path, wanted)
    c = [*wanted][2]
    heard_files()
    hear_with(path, {c: [WHOLE]})
    assert heard_files() == "c.flac"
    hear_with(path, {c: [Stretch(0.5), WHOLE]})
    assert heard_files() == ""


def test_a_file_just_written_is_not_relied_on(wanted, heard_files, tmp_path):
    a = next(iter(wanted))
    os.utime(a)
    hear_with(tmp_path / "index", {a: [WHOLE]})
    hear_with(tmp_path / "index", {a: [WHOLE]})
    assert heard_files() == "a.flac"  # a set; it was heard twice
    os.utime(a, (LONG_AGO, LONG_AGO))
    hear_with(tmp_path / "index", {a: [WHOLE]})
    heard_files()
    hear_with(tmp_path / "index", {a: [WHOLE]})
    assert heard_files() == ""


def test_a_link_is_known_by_its_file(wanted, heard_files, tmp_path):
    hear_with(tmp_path / "index", wanted)
    heard_files()
    a = next(iter(wanted))
    (tmp_path / "linked").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "other.flac").symlink_to(a)
    links = {tmp_path / "linked" / a.name: [WHOLE], tmp_path / "other.flac": [WHOLE]}
    hear_with(tmp_path / "index", links)
    assert heard_files() == ""


@pytest.mark.parametrize("name", ["caf\udce9.flac", "notes.txt"])
def test_a_link_whose_name_cannot_be_opened_is_no_clip(wanted, tmp_path, name):
    a = next(iter(wanted))
    link = tmp_path / name
    link.symlink_to(a)
    first = hear_with(tmp_path / "index", {a: [WHOLE], link: [WHOLE]})
    assert isinstance(first[a][0], hearing.Heard)
    assert isinstance(first[link][0], UserError)
    assert same(hear_with(tmp_path / "index", {a: [WHOLE], link: [WHOLE]}), first)


@pytest.mark.parametrize("damage", ["noise", "cut", "facts", "other version"])
def test_a_damaged_index_is_made_anew(wanted, heard_files, tmp_path, damage):
    path = tmp_path / "index"
    first = hear_with(path, wanted)
    if damage == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(5000))
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        with sqlite3.connect(path) as base:
            if damage == "facts":
                base.execute("UPDATE heard SET facts = '{\"\": [1'")
            else:
                base.execute("PRAGMA user_version = 99")
        base.close()
    heard_files()
    assert same(hear_with(path, wanted), first)
    assert heard_files() == "a.flacb.flacc.flacd.wav"
    hear_with(path, wanted)
    assert heard_files() == "d.wav"


def test_without_a_place_for_it_files_are_heard(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(index.FOLDER_VARIABLE, str(tmp_path / "file"))
    index._say_without.cache_clear()
    assert open_index() is None and open_index() is None
    [line] = capsys.readouterr().err.splitlines()
    assert "can't be kept" in line and index.FOLDER_VARIABLE in line
    assert open_index("none") is None and not capsys.readouterr().err


def test_processes_share_an_index(wanted, tmp_path, heard_files):
    program = (
        "import sys, pathlib; from tests.training.tasks.own.index_test import *\n"
        "wanted = {pathlib.Path(p): [WHOLE] for p in sys.argv[2:]}\n"
        "for _ in range(5): hear_with(sys.argv[1], wanted, is_fresh=True)"
    )
    paths = [str(path) for path in wanted][:3]
    runs = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path / "index", *paths])
        for _ in range(2)
    ]
    assert [run.wait() for run in runs] == [0, 0]
    hear_with(tmp_path / "index", {path: [WHOLE] for path in [*wanted][:3]})
    assert heard_files() == ""


def test_fingerprints_of_too_many_clips_are_not_taken(tmp_path, monkeypatch, capsys):
    """Nor are they missed later, by few clips that the index knows without them."""
    for seed, place in enumerate(["a/0", "a/1", "a/2", "b/0", "b/1", "b/2"]):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        write(tmp_path / f"{place}.flac", seed)
    task = FolderTask(tmp_path)
    for module in (hearing, own_task):
        monkeypatch.setattr(module, "MOST_COMPARED", 5)
    many = task.survey()
    assert {clip.heard.landmarks for clip in many.clips} == {None}
    assert many.near_duplicates == []
    assert "among 5 clips at most, and these are 6" in capsys.readouterr().err
    monkeypatch.undo()
    few = task.survey()
    assert all(clip.heard.landmarks for clip in few.clips)
    assert [clip.heard.identity for clip in few.clips] == [
        clip.heard.identity for clip in many.clips
    ]
