import gzip
import os
import shutil
import subprocess

import pytest

from benchmarks.suite_data.packages import Needed, downloaded, found
from leaf_files.errors import UserError

NEEDED = Needed("birds-data", "CC0", 1)

needs_dpkg = pytest.mark.skipif(
    not shutil.which("dpkg-deb"), reason="needs dpkg-deb, of Debian"
)


def write_tree(root):
    (root / "usr/share/birds").mkdir(parents=True)
    (root / "usr/share/birds/a.txt").write_text("a")
    doc = root / "usr/share/doc/birds-data"
    doc.mkdir(parents=True)
    (doc / "copyright").write_text("License: CC0\n")
    with gzip.open(doc / "changelog.Debian.gz", "wt") as file:
        file.write("birds-data (2:1.5-3) unstable; urgency=low\n\n  * First.\n")
    return root


def write_archive(folder, work):
    root = write_tree(work / "tree")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        "Package: birds-data\nVersion: 2:1.5-4\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: birds\n"
    )
    path = folder / "birds-data_1.5-4_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", root, path],
        check=True,
        capture_output=True,
    )
    return path


@pytest.fixture
def folders(tmp_path):
    """(folder of packages, scratch folder)."""
    paths = tmp_path / "packages", tmp_path / "scratch"
    for path in paths:
        path.mkdir()
    return paths


def put_on_path(monkeypatch, folder, script):
    """Puts a program `apt-get` before all others."""
    folder.mkdir()
    path = folder / "apt-get"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_an_unpacked_package_is_read_where_it_is(folders):
    packages, scratch = folders
    write_tree(packages / NEEDED.name)
    package = found(NEEDED, scratch, packages)
    assert package.version == "2:1.5-3"
    assert package.copyright() == "License: CC0\n"
    assert [p.name for p in package.files("usr/share/birds/*.txt")] == ["a.txt"]
    assert not any(scratch.iterdir())


@needs_dpkg
def test_an_archive_is_unpacked(folders, tmp_path):
    packages, scratch = folders
    write_archive(packages, tmp_path)
    package = found(NEEDED, scratch, packages)
    assert package.version == "2:1.5-4"
    assert package.files("usr/share/birds/*.txt")[0].is_relative_to(scratch)


def test_a_package_that_is_missing_or_there_twice_is_named(folders):
    packages, scratch = folders
    with pytest.raises(
        UserError, match=r"there is no birds-data in .*apt-get download"
    ):
        found(NEEDED, scratch, packages)
    for version in (1, 2):
        (packages / f"birds-data_{version}_all.deb").write_bytes(b"")
    with pytest.raises(UserError, match="holds 2 packages birds-data_"):
        found(NEEDED, scratch, packages)


@needs_dpkg
def test_a_damaged_archive_is_one_line(folders):
    packages, scratch = folders
    (packages / "birds-data_1_all.deb").write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"can't unpack .*birds-data_1_all.deb \("):
        found(NEEDED, scratch, packages)


@needs_dpkg
def test_a_download_is_unpacked(folders, tmp_path, monkeypatch):
    packages, scratch = folders
    archive = write_archive(packages, tmp_path)
    put_on_path(monkeypatch, tmp_path / "bin", f'cp "{archive}" .')
    lines = []
    package = downloaded(NEEDED, scratch, lines.append)
    assert package.version == "2:1.5-4"
    assert lines == ["  downloading birds-data (1 MB)"]
    assert [path.name for path in scratch.iterdir()] == ["birds-data"]


def test_a_failed_download_says_why_and_what_to_do(folders, tmp_path, monkeypatch):
    put_on_path(
        monkeypatch,
        tmp_path / "bin",
        'echo "W: unsandboxed" >&2; echo "E: Unable to locate package $3" >&2; exit 9',
    )
    with pytest.raises(UserError) as error:
        downloaded(NEEDED, folders[1], print)
    assert str(error.value).startswith(
        "can't download birds-data (Unable to locate package birds-data); "
        "run apt-get update first"
    )


def test_without_apt_the_program_is_named(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(UserError, match="there is no apt-get on this machine"):
        downloaded(NEEDED, folders[1], print)
