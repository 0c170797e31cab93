"""The page's colors can be read."""

import re

import pytest

from tests.examples.web.conftest import WEB

TEXT_ON = {
    "ink": ("page", "card"),
    "soft": ("page", "card", "track"),
    "accent": ("card",),
    "error": ("card",),
    "on-accent": ("accent",),
}


def luminance(color):
    """Of #rrggbb, as WCAG 2.2 defines it."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(scheme):
    blocks = re.findall(r":root \{(.*?)\}", (WEB / "style.css").read_text(), re.S)
    colors = dict(re.findall(r"--([\w-]+): (#\w{6});", blocks[scheme]))
    for text, grounds in TEXT_ON.items():
        for ground in grounds:
            pair = sorted(luminance(colors[name]) for name in (text, ground))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (text, ground)
