"""`leaf_run`, the install without TensorFlow, takes all that its commands import."""

import ast
import importlib
import importlib.util
import runpy
from pathlib import Path

import pytest

from export.commands.running import RUNNING
from leaf_files import command_line, missing
from tests.rooms import dotted, modules

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def setup():
    """What `leaf_run/setup.py` defines."""
    return runpy.run_path(str(ROOT / "leaf_run" / "setup.py"))


@pytest.fixture(scope="module")
def program():
    """What `leaf_run/leaf_run/__main__.py` defines."""
    return runpy.run_path(str(ROOT / "leaf_run" / "leaf_run" / "__main__.py"))


def taken(setup):
    """The modules that its wheel has, by name."""
    found = {
        dotted(path) for top in ("export", "leaf_files") for path in modules(top, "")
    }
    return {
        name
        for name in found - setup["LEFT_OUT"]
        if name.rpartition(".")[0] in setup["PARTS"]
    }


def imports(name):
    """Modules that a module imports, wherever it does."""
    source = Path(importlib.util.find_spec(name).origin).read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_its_modules_import_each_other_and_no_more_of_ours(setup):
    names = taken(setup)
    assert {f"export.commands.{command}" for command in RUNNING} <= names
    ours = {"export", "leaf_files", "leaf_tf", "training", "benchmarks"}
    for name in sorted(names):
        for other in imports(name):
            if other.partition(".")[0] in ours and other not in setup["PARTS"]:
                assert other in names, f"{name} imports {other}"


def test_what_it_needs_is_named_as_leaf_tf_names_it(setup):
    lines = setup["requirements"]()
    assert len(lines) == len(setup["NEEDED"])
    whole = missing._required_lines()
    assert set(lines) <= {line.partition(";")[0].strip() for line in whole}
    assert not any("tensorflow" in line or "keras" in line for line in lines)
    assert setup["version"]() == importlib.import_module("leaf_tf.version").__version__


def test_it_offers_the_commands_that_run_artifacts(program, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["leaf-run", "verify", "nowhere"])
    assert program["main"]() == 1
    error = capsys.readouterr().err
    assert error.startswith("leaf-run: error: there is no report.json in nowhere")
    assert command_line.runner("predict") == "leaf-run predict"
    with pytest.raises(SystemExit):
        program["dispatch"](["export", "run"])
    assert "invalid choice: 'export'" in capsys.readouterr().err
