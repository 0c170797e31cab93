"""One palette: every color in the code is named in it."""

import re

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

from leaf_files import figures
from tests.rooms import ROOT

PALETTE = {value for value in vars(figures).values() if str(value).startswith("#")}
# It imports nothing of ours but leaf_tf, and so tells its colors again.
ITSELF = "leaf_tf/visualize.py"


def colors(path):
    return set(re.findall(r'"(#[0-9a-f]{6})"', (ROOT / path).read_text()))


def test_a_color_is_told_once():
    folders = ("leaf_tf", "training", "export", "benchmarks", "examples")
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        assert not colors(name) or name == ITSELF, name
    assert colors(ITSELF) <= PALETTE


def test_a_figure_is_saved_as_png_with_its_folder(tmp_path, recwarn):
    figure = Figure(figsize=(1, 0.5), facecolor=figures.TEAL)
    figure.suptitle("\u4e2d", color=figures.TEAL)  # the font may lack it
    figures.save_figure(figure, tmp_path / "figures" / "teal.png")
    image = imread(tmp_path / "figures" / "teal.png")
    assert image.shape[:2] == (60, 120)
    assert abs(image[0, 0, :3] - to_rgb(figures.TEAL)).max() < 1 / 255
    assert not [w for w in recwarn if "Glyph" in str(w.message)]
