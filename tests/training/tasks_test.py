import subprocess
import sys

import pytest

from files.errors import UserError
from training.tasks import get_task, known_tasks


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


def test_the_registry_is_read_without_tensorflow():
    """So that --help and a mistyped task are answered at once."""
    code = "import sys, training.tasks; print('tensorflow' in sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert output == "False\n"
