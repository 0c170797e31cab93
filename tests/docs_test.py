"""What README and docs show is what happens."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
# Tested where what they need is made: see tests/export.
TESTED_ELSEWHERE = {"deploy.md"}


def code_blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.S)


def name(page):
    return str(page.relative_to(ROOT))


def commands(module):
    """Every `python -m MODULE ...` of all pages: (page, words)."""
    for page in PAGES:
        text = "\n".join(code_blocks(page, "sh")).replace("\\\n", " ")
        for line in text.splitlines():
            found = re.search(rf"python -m {module} ([^#&|]*)", line)
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


@pytest.mark.parametrize("words", list(commands("training")))
def test_training_takes_these_arguments(words):
    from training.commands.arguments import make_parser

    make_parser().parse_args(words)


@pytest.mark.parametrize("words", list(commands("export")))
def test_export_takes_these_arguments(words):
    from export.commands import arguments

    # A first word that is no command is what is to be exported.
    parser = getattr(arguments, f"{words[0]}_parser", None)
    if parser:
        parser().parse_args(words[1:])
    else:
        arguments.export_parser().parse_args(words)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            assert (page.parent / target.partition("#")[0]).exists(), target
