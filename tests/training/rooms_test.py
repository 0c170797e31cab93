"""The rooms of `training`: what each may import, and a README with all modules."""

import re
import subprocess
import sys

import pytest

from tests.rooms import (
    ROOT,
    dotted,
    modules,
    require_readme,
    wrong_imports,
)

# Each imports from those before it.
ORDER = (
    "settings", "tasks", "inspection", "input", "mixtures", "run", "decisions",
    "evaluation", "fit", "comparison", "commands",
)  # fmt: skip
ROOMS = {room: ORDER[:n] for n, room in enumerate(ORDER)}


def test_rooms_import_one_way():
    assert wrong_imports("training", ROOMS, ("export", "benchmarks", "tests")) == []


def test_the_readme_names_each_module_and_no_other():
    require_readme("training", ROOMS)


def test_the_readme_gives_the_order_of_rooms():
    [order] = re.findall(
        r"^    (\w+ <- .*)$", (ROOT / "training/README.md").read_text(), re.M
    )
    assert tuple(order.split(" <- ")) == ORDER


@pytest.mark.parametrize("room", ["settings", "commands"])
def test_these_rooms_import_no_tensorflow_and_no_keras(room):
    names = [dotted(path) for path in modules("training", room)]
    program = f"import sys, {', '.join(names)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    packages = {name.partition(".")[0] for name in done.stdout.split()}
    assert not packages & {"tensorflow", "keras", "leaf_tf", "jax", "torch"}
