import hashlib

import pytest
import tensorflow_datasets as tfds
from etils import epath
from tensorflow_datasets.core.download import checksums, resource

from leaf_files.errors import UserError
from tests.training.miniatures import zipped
from training.tasks.builders.sources import Source, fetch, members, require_original

WHOLE = b"as its authors published it"
MD5 = hashlib.md5(WHOLE).hexdigest()
URL = "https://data.example/original.zip"


def test_another_file_than_the_original_is_refused(tmp_path, capsys):
    path = epath.Path(tmp_path / "original.zip")
    path.write_bytes(WHOLE)
    require_original(path, Source(path.name, URL, MD5))
    path.write_bytes(WHOLE[:-1])
    require_original(path, Source(path.name, URL))
    with pytest.raises(UserError, match=f"is damaged .* at {URL} is {MD5}; remove"):
        require_original(path, Source(path.name, URL, MD5))


@pytest.fixture
def manager(tmp_path):
    return tfds.download.DownloadManager(
        download_dir=tmp_path / "downloads",
        manual_dir=tmp_path / "manual",
        manual_dir_instructions="Files that lie here are not downloaded.",
    )


def test_a_file_put_there_by_hand_is_not_downloaded(tmp_path, manager):
    (tmp_path / "manual").mkdir()
    (tmp_path / "manual" / "original.zip").write_bytes(WHOLE)
    paths = fetch(manager, [Source("original.zip", URL, MD5)])
    assert paths["original.zip"].read_bytes() == WHOLE


def test_other_files_are_downloaded(tmp_path, manager):
    """One that TFDS has downloaded before: tests have no network."""
    path = epath.Path(tmp_path / "downloads" / resource.get_dl_fname(URL))
    path.write_bytes(WHOLE)
    resource.write_info_file(
        url=URL,
        path=path,
        dataset_name=None,
        original_fname="original.zip",
        url_info=checksums.compute_url_info(path),
    )
    paths = fetch(manager, [Source("original.zip", URL, MD5)])
    assert paths["original.zip"].read_bytes() == WHOLE


def test_members_are_found_in_any_folder(tmp_path):
    path = tmp_path / "archive.zip"
    path.write_bytes(zipped({"root/audio/a.wav": b"a", "b.wav": b"b", "c.wav": b"c"}))
    assert list(members(path, {"a.wav", "b.wav"})) == [("a.wav", b"a"), ("b.wav", b"b")]
