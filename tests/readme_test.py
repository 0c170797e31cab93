"""What the README shows is what happens."""

import pathlib
import re

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
