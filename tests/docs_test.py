"""What README and docs show is what happens."""

import dataclasses
import json
import pathlib
import re
import runpy

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OURS = (
    "leaf_tf", "leaf_files", "training", "export", "benchmarks", "tests", "docs",
    "examples", "leaf_run",
)  # fmt: skip
# Tested where what they need is made: see tests/export.
TESTED_ELSEWHERE = {"deploy.md"}


def code_blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.S)


def name(page):
    return str(page.relative_to(ROOT))


def commands(module, script):
    """The words of each command of a module on all pages, by either of its names."""
    for page in PAGES:
        text = "\n".join(code_blocks(page, "sh")).replace("\\\n", " ")
        for line in text.splitlines():
            found = re.search(rf"\b(?:python -m {module}|{script}) ([^#&|>]*)", line)
            if found:
                yield pytest.param(found[1].split(), id=f"{name(page)}: {found[0]}")


@pytest.mark.parametrize(
    "page",
    [
        page
        for page in PAGES
        if code_blocks(page, "python") and page.name not in TESTED_ELSEWHERE
    ],
    ids=name,
)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    for code in code_blocks(page, "python"):
        # One pass tells as much as several.
        code = re.sub(r"epochs=\d+", "epochs=1", code)
        exec(compile(code, name(page), "exec"), namespace)


@pytest.mark.parametrize("words", list(commands("training", "leaf-train")))
def test_training_takes_these_arguments(words):
    from training.commands.arguments import make_parser

    make_parser().parse_args(words)


@pytest.mark.parametrize("words", list(commands("export", "leaf-export")))
def test_export_takes_these_arguments(words):
    from export.commands.arguments import PARSERS

    # A first word that is no command is what is to be exported.
    if words[0] in PARSERS:
        PARSERS[words[0]]().parse_args(words[1:])
    else:
        PARSERS["export"]().parse_args(words)


def test_the_reference_has_every_command_and_option():
    built = runpy.run_path(str(ROOT / "docs" / "command_pages.py"))
    page = (ROOT / "docs" / "reference" / "commands.md").read_text()
    parsers = built["parsers"]()
    sections = dict(
        section.split("\n", 1) for section in built["filled"](page).split("\n## ")[1:]
    )
    assert sections.keys() == parsers.keys()
    for command, section in sections.items():
        for action in parsers[command]._actions:
            for option in set(action.option_strings) - {"-h", "--help"}:
                assert re.search(rf"^\| `.*{option}\b", section, flags=re.M), option


def test_the_reference_has_every_setting():
    from training.settings.config import FitConfig

    built = runpy.run_path(str(ROOT / "docs" / "command_pages.py"))
    page = built["filled"]((ROOT / "docs" / "reference" / "run_folder.md").read_text())
    for field in dataclasses.fields(FitConfig):
        assert f"\n| `{field.name}` | " in page


def test_nothing_is_installed_from_an_index_that_has_none():
    for page in [*PAGES, *ROOT.glob("docs/*.ipynb")]:
        assert not re.search(r"pip install (-\w+ )*[\\\"']*leaf_tf", page.read_text())


def test_notebooks_run_by_their_own_python_and_have_outputs():
    for path in ROOT.glob("docs/*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        for cell in code:
            for line in cell["source"]:
                assert not line.startswith("!") or line.startswith("!{python} ")
        assert code[-1]["outputs"]


def test_kotlin_unwraps_optional_names():
    for page in PAGES:
        for code in code_blocks(page, "kotlin"):
            assert code.count("headName()") == code.count("headName().orElse(")


def project_files():
    """Files of ours, by path from the root, with those that git doesn't know yet."""
    files = {path for top in OURS for path in (ROOT / top).rglob("*")}
    return {name(path) for path in [*files, *ROOT.glob("*")] if path.is_file()}


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*/README.md")], ids=name)
def test_the_paths_of_ours_are_there(page):
    """`leaf_tf/dsp/mel.py` from the root, `mel.py` or `dsp/mel.py` anywhere."""
    files = project_files()
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for path in re.findall(r"`([\w*.-]+(?:/[\w*.-]*)*)`", text):
        if path.partition("/")[0] in OURS and "/" in path:
            assert next(ROOT.glob(path.rstrip("/")), None), path
        elif path.endswith(".py"):
            assert any(f"/{file}".endswith(f"/{path}") for file in files), path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            assert (page.parent / target.partition("#")[0]).exists(), target
