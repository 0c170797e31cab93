"""What the README shows is what happens."""

import json
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


def test_costs_are_those_that_were_measured():
    rows = json.loads((README.parent / "docs" / "speed.json").read_text())["rows"]
    ratios = {(r.get("comparison"), r["contestant"]): r.get("ratio") for r in rows}
    table = {
        "trained": ("8 x 1 s, graph, forward", "fast LEAF, frozen", None),
        "weights": ("8 x 1 s, graph, forward", "fast LEAF", "exact LEAF"),
        "training": ("8 x 1 s, graph, forward + backward", "fast LEAF", "exact LEAF"),
        "TFLite": ("1 x 1 s, TFLite, 1 thread", "fast LEAF", "exact LEAF"),
    }
    for first, (comparison, fast, exact) in table.items():
        line = re.search(rf"^\| {first}.* \| (.*) \| (.*)\|$", README.read_text(), re.M)
        assert line[1] == f"{ratios[comparison, fast]:.1f}"
        said = line[2].strip()
        assert said == (f"{ratios[comparison, exact]:.0f}" if exact else "")
