import inspect
import os
import pathlib
import sys

import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from leaf_files.walk import find_clips, read_all, walk


@pytest.fixture
def put(tmp_path):
    """Makes files of a few bytes below the folder; returns it."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"any")
        return tmp_path

    return make


def names(found):
    return [path.relative_to(found.folder).as_posix() for path in found.clips]


def test_what_libsndfile_reads_is_found_at_any_depth_in_any_case(put):
    wanted = [
        *("a/1.wav", "a/2.WAVE", "a/3.Flac", "a/4.opus", "a/5.oga", "a/6.AIFF"),
        *("a/7.aif", "a/8.au", "a/9.caf", "a/d/e/f/g.w64", "b.x/1.rf64"),
        *("c/1.mp3", "c/2.ogg", "loose.wav", "low.wav/x.wav"),
    ]
    found = walk(put(*wanted))
    assert names(found) == wanted
    assert found.classes == ["a", "b.x", "c", "low.wav"]
    assert found.passed_over == "" and found.faults == []
    assert found.class_of(found.clips[9]) == "a"
    assert found.class_of(found.folder / "loose.wav") is None


@pytest.mark.parametrize(
    "hidden",
    [
        *(".Trash-1000", ".ipynb_checkpoints", ".AppleDouble", ".git", "__MACOSX"),
        *("@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"),
    ],
)
def test_hidden_and_system_folders_are_never_walked(put, hidden):
    found = walk(put("a/1.wav", f"a/{hidden}/2.wav", f"{hidden}/a/3.wav"))
    assert names(found) == ["a/1.wav"]
    assert found.classes == ["a"]
    assert "2 hidden or system folders or files" in found.passed_over
    assert f"a/{hidden}" in found.passed_over


def test_litter_is_passed_over_without_a_word(put):
    litter = (".DS_Store", "._1.wav", "Thumbs.db", "desktop.ini", ".nfs0001", "Icon\r")
    found = walk(put("a/1.wav", *litter, *(f"a/{name}" for name in litter)))
    assert names(found) == ["a/1.wav"] and found.passed_over == ""


def test_what_is_passed_over_is_counted_by_kind_in_one_line(put, tmp_path):
    folder = put(
        *(f"a/{n}.m4a" for n in range(5)),
        *("a/b/x.WMA", "b/y.webm", "a/1.wav", "a/notes.txt", "list.txt", "b/x.csv"),
        *("a/strange.Part of a long name", "a/none", ".hidden.wav"),
    )
    os.symlink(tmp_path / "gone", tmp_path / "a" / "session")
    said = walk(folder).passed_over
    assert said == (
        f"passed over in {folder}: 7 of formats that can't be read (5 .m4a, 1 .webm, "
        "1 .wma; such as a/0.m4a): convert them, e.g. ffmpeg -i x.m4a x.flac; 1 hidden "
        "or system folder or file (.hidden.wav); 1 broken link (a/session); 5 other "
        "files (2 of other names, 2 .txt, 1 .csv)"
    )


def test_the_order_is_that_of_names_as_bytes(put, monkeypatch):
    wanted = ["B/1.wav", "a-b.wav", "a.wav", "a/10.wav", "a/9.wav", "b.wav", "é.wav"]
    wanted.sort(key=lambda name: [os.fsencode(part) for part in name.split("/")])
    folder = put(*wanted)
    scan = os.scandir

    class Backwards(list):
        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

    assert names(walk(folder)) == wanted
    monkeypatch.setattr(os, "scandir", lambda path: Backwards([*scan(path)][::-1]))
    assert names(walk(folder)) == wanted


def test_links_to_folders_and_files_are_followed_once_in_a_class(put, tmp_path):
    folder = put("clips/a/1.wav", "store/2.wav", "store/deep/3.wav").joinpath("clips")
    os.symlink(tmp_path / "store", folder / "a" / "session")
    os.symlink(tmp_path / "store", folder / "a" / "twice")
    os.symlink(folder / "a" / "1.wav", folder / "a" / "same.wav")
    os.symlink(tmp_path / "store", folder / "b")
    found = walk(folder)
    assert names(found) == [
        *("a/1.wav", "a/session/2.wav", "a/session/deep/3.wav"),
        *("b/2.wav", "b/deep/3.wav"),
    ]
    assert found.classes == ["a", "b"]
    assert "2 linked twice into a class (a/same.wav, a/twice)" in found.passed_over


def test_loops_end(put, tmp_path):
    folder = put("clips/a/1.wav", "clips/b/2.wav", "clips/a/d/3.wav") / "clips"
    for place in (folder, tmp_path, folder / "a"):
        os.symlink(place, folder / "a" / "d" / f"to_{place.name}")
    os.symlink(folder / "b" / "self", folder / "b" / "self")
    os.symlink(folder / "a", folder / "b" / "other")
    os.symlink(folder / "b", folder / "a" / "other")
    found = walk(folder)
    assert names(found) == [
        *("a/1.wav", "a/d/3.wav", "a/other/2.wav"),
        *("b/2.wav", "b/other/1.wav", "b/other/d/3.wav"),
    ]
    assert "links to a folder around it (a/d/to_a, a/d/to_clips" in found.passed_over
    assert "b/self" in found.passed_over


def test_broken_links_and_folders_that_cannot_be_listed_are_faults(
    put, tmp_path, monkeypatch
):
    folder = put("a/1.wav", "a/locked/2.wav")
    os.symlink(tmp_path / "gone.wav", tmp_path / "a" / "link.wav")
    scan = os.scandir

    def locked(path):
        if pathlib.Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", locked)
    found = walk(folder)
    assert names(found) == ["a/1.wav"]
    assert found.faults == [
        f"{folder}/a/link.wav is a link to a file that isn't there",
        f"can't list the folder {folder}/a/locked: Permission denied",
    ]
    with pytest.raises(UserError, match="2 of the entries of .* can't be read"):
        find_clips(folder, "clips")


def test_deep_folders_are_walked(tmp_path):
    """Deeper than functions may call each other."""
    folder = tmp_path.joinpath(*"d" * 150)
    folder.mkdir(parents=True)
    (folder / "1.wav").write_bytes(b"any")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 140)
    try:
        clips = walk(tmp_path).clips
    finally:
        sys.setrecursionlimit(limit)
    assert clips == [folder / "1.wav"]


def test_special_files_are_no_clips(put, tmp_path):
    folder = put("a/1.wav")
    os.mkfifo(tmp_path / "a" / "pipe.wav")
    assert names(walk(folder)) == ["a/1.wav"]


def test_names_that_are_no_text_are_walked(put):
    found = walk(put("a/caf\udce9.wav", "a/caf\udce9.m4a"))
    assert names(found) == ["a/caf\udce9.wav"]
    assert r"such as 'a/caf\udce9.m4a'" in found.passed_over


def test_find_clips_says_what_it_passed_over(put, capsys):
    assert len(find_clips(put("1.wav", "x.m4a"), "clips")) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_no_clips_are_refused_with_what_is_there_instead(put):
    folder = put("1.m4a", "2.m4a")
    with pytest.raises(
        UserError, match=r"holds no sound to hear; passed over .*2 \.m4a"
    ):
        find_clips(folder, "sound to hear")


def test_all_clips_that_cannot_be_read_are_counted(tmp_path):
    write_clip(tmp_path / "good.wav", np.ones(10), 8000)
    bad = [tmp_path / f"{n}.wav" for n in range(4)]
    for path in bad:
        path.write_text("no sound")
    assert len(read_all([tmp_path / "good.wav"], 8000)) == 1
    with pytest.raises(
        UserError, match=r"4 of 5 clips can't be used.*2\.wav.*; \.\.\."
    ):
        read_all([*bad, tmp_path / "good.wav"], 8000)
