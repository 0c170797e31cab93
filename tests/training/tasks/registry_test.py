import subprocess
import sys

import pytest

from leaf_files.errors import UserError
from training.tasks.registry import get_task, known_tasks


def test_tasks_are_found_by_name():
    for task in known_tasks():
        assert get_task(task.name) is task
    assert str(get_task("folder:some/where").path) == "some/where"


@pytest.mark.parametrize("name", ["digits", "", "folder:", "folder"])
def test_an_unknown_task_is_answered_with_the_known_ones(name):
    with pytest.raises(UserError) as error:
        get_task(name)
    assert repr(name) in str(error.value)
    for known in ("synthetic", "spoken_digit", "folder:PATH"):
        assert known in str(error.value)


@pytest.mark.parametrize(
    "name, meant",
    [
        ("clips", "folder:clips"),
        ("my/clips", "folder:my/clips"),
        ("Folder:clips", "folder:clips"),
        ("spoken_digits", "spoken_digit"),
        ("Synthetic", "synthetic"),
    ],
)
def test_a_folder_or_a_misspelled_name_gets_a_hint(name, meant, tmp_path, monkeypatch):
    (tmp_path / "clips").mkdir()
    (tmp_path / "my" / "clips").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    expected = f"there is no task {name!r} (did you mean {meant}?); the tasks are syn"
    with pytest.raises(UserError) as error:
        get_task(name)
    assert str(error.value).startswith(expected)


def test_a_name_like_no_other_gets_no_hint():
    with pytest.raises(UserError, match="there is no task 'x'; the tasks are"):
        get_task("x")


def test_the_registry_is_read_without_tensorflow():
    """So that --help and a mistyped task are answered at once."""
    code = "import sys, training.tasks.registry; print('tensorflow' in sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert output == "False\n"
