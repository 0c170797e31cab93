"""The code for a page in the README.md of an artifact folder, as it stands there."""

import shutil

import numpy as np
import pytest

from export.runners.opening import open_artifact
from tests.cards import block
from tests.examples.web.conftest import WEB, WINDOW_SAMPLES

pytestmark = pytest.mark.browser
IMPORTS = """
{"imports": {
  "@litertjs/core": "./node_modules/@litertjs/core/dist/index.js",
  "@litertjs/wasm-utils": "./node_modules/@litertjs/wasm-utils/dist/index.js"
}}
"""


def test_it_logs_the_probabilities(artifact, runtime, chromium, tmp_path):
    folder = shutil.copytree(artifact, tmp_path / "sounds")
    code = block((folder / "README.md").read_text(), "A web page", "js")
    page = f'<script type="importmap">{IMPORTS}</script>'
    page += f'<script type="module">{code}</script>'
    (folder / "index.html").write_text(page)
    (folder / "node_modules").symlink_to(WEB / "node_modules")
    page = chromium.new_page()
    page.route(
        "http://localhost/**",
        lambda route: route.fulfill(path=folder / route.request.url.split("/", 3)[3]),
    )
    with page.expect_console_message(lambda said: "Float32Array" in said.text) as said:
        page.goto("http://localhost/index.html")
    logged = said.value.args[0].evaluate("numbers => [...numbers]")
    page.close()
    silence = np.zeros((1, WINDOW_SAMPLES), np.float32)
    expected = open_artifact(artifact).runner.probabilities(silence)[""][0]
    np.testing.assert_allclose(logged, expected, atol=1e-5)
