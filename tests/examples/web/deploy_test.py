"""The page that docs/deploy.md shows, as it stands there."""

import shutil

import numpy as np
import pytest
import soundfile

from export.runners.opening import open_artifact
from tests.examples.web.conftest import LABELS, WEB, WINDOW_SAMPLES
from tests.export.deploy_test import snippets
from tests.export.models import SAMPLE_RATE

pytestmark = pytest.mark.browser


@pytest.fixture
def folder(artifact, runtime, tmp_path):
    """What the section says to put beside the page."""
    (code,) = snippets("Browser", "html")
    (tmp_path / "index.html").write_text(code)
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    shutil.copytree(artifact, tmp_path / "sounds")
    return tmp_path


@pytest.mark.parametrize("frequency", [0.3, 1.2])
def test_the_snippet_shows_the_label(folder, artifact, chromium, frequency):
    waveform = 0.5 * np.sin(frequency * np.arange(WINDOW_SAMPLES))
    soundfile.write(folder / "clip.wav", waveform, SAMPLE_RATE)
    page = chromium.new_page()
    page.route(
        "http://localhost/**",
        lambda route: route.fulfill(path=folder / route.request.url.split("/", 3)[3]),
    )
    page.goto("http://localhost/index.html")
    page.wait_for_function("document.body.innerText.trim() !== ''")
    model = open_artifact(artifact)
    probabilities = model.runner.probabilities(np.float32(waveform)[None])[""][0]
    assert page.inner_text("body").strip() == LABELS[probabilities.argmax()]
    page.close()
