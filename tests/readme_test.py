"""What the README shows is what happens."""

import pathlib
import re

import pytest

README = pathlib.Path(__file__).parents[1] / "README.md"


def code_blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.S)


def test_use_prints_the_shapes_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = code_blocks("python")[0]
    exec(compile(code, "README.md", "exec"), {})
    said = re.findall(r"# (\(.*?\))", code)
    assert len(code.splitlines()) == 8
    assert capsys.readouterr().out.splitlines() == said
    assert (tmp_path / "model.keras").is_file()


@pytest.mark.parametrize("command", ["training", "export"])
def test_options_it_names_exist(command):
    from export.arguments import export_parser, predict_parser
    from training.arguments import make_parser

    lines = "\n".join(code_blocks("sh")).splitlines()
    commands = [line.split() for line in lines if f"python -m {command} " in line]
    assert len(commands) >= 2
    for words in commands:
        arguments = words[3:]
        if command == "training":
            make_parser().parse_args(arguments)
        elif arguments[0] == "predict":
            predict_parser().parse_args(arguments[1:])
        else:
            export_parser().parse_args(arguments)
