"""The colors of all figures, and how they are saved; imports no matplotlib.

`leaf_tf.visualize`, which imports nothing of ours but leaf_tf, repeats its four.
"""

import warnings
from pathlib import Path
from typing import Any

from leaf_files.atomic import replacing

RUST, TEAL, VIOLET = "#c2410c", "#0f766e", "#6d28d9"
AMBER, BLUE = "#f59e0b", "#1d4ed8"
SILVER, GREY, SLATE = "#9aa5b1", "#64748b", "#334155"
_DPI = 120


def save_figure(figure: Any, path: str | Path) -> None:
    """Writes a figure as a PNG file, whole or not at all.

    Args:
        figure: matplotlib.figure.Figure.
        path: The file; its folder is made if need be.

    Raises:
        UserError: The folder can't be made.

    >>> from matplotlib.figure import Figure
    >>> save_figure(Figure(), "figures/empty.png")
    >>> Path("figures/empty.png").read_bytes()[1:4]
    b'PNG'
    """
    with replacing(path) as temporary, warnings.catch_warnings():
        # Boxes for the letters of a label that the font lacks are no news.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary, dpi=_DPI)
