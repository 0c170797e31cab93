"""The page as a visitor has it: an export, the command that serves it, Chromium."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

from export.__main__ import dispatch
from leaf_files.clips import write_clip
from tests.export.models import SAMPLE_RATE, classifier

WEB = pathlib.Path(__file__).parents[3] / "examples" / "web"
LABELS = ("north", "south", "east", "west")
WINDOW_SAMPLES = SAMPLE_RATE // 2

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Else it looks for servers of its maker's, at each start.
_QUIET = (
    "--disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def artifact(tmp_path_factory):
    """The folder that `python -m export` writes of a small model with LEAF."""
    folder = tmp_path_factory.mktemp("web")
    run = folder / "compass"
    run.mkdir()
    classifier().save(run / "model.keras")
    (run / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))
    config = {"sample_rate": SAMPLE_RATE, "window_seconds": 0.5, "seed": 0}
    (run / "config.json").write_text(json.dumps(config))
    (run / "calibration_clips").mkdir()
    for index in range(5):
        path = run / "calibration_clips" / f"{index}.wav"
        write_clip(path, tone(0.5 + 0.1 * index), SAMPLE_RATE)
    output = folder / "artifact"
    kinds = "none,float16,dynamic,int8"
    assert not dispatch(
        [str(run), "--output", str(output), "--formats", "tflite", "--quantize", kinds]
    )
    return output


def tone(seconds, rate=SAMPLE_RATE):
    """A tone that rises, in a little noise."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(5).standard_normal(t.size)
    return 0.4 * np.sin(2 * np.pi * 500 * t * (1 + t)) + 0.05 * noise


@contextlib.contextmanager
def served(artifact):
    """Runs `serve.py` on a folder; yields the page's address."""
    command = [sys.executable, WEB / "serve.py", artifact, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().split(" is at ")[1].split()[0]
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def address(artifact, runtime):
    """Where the page is, with `artifact` beside it."""
    with served(artifact) as address:
        yield address


@pytest.fixture(scope="session")
def runtime():
    """LiteRT.js, as `npm install` puts it beside the page."""
    if not (WEB / "node_modules" / "@litertjs" / "core").is_dir():
        pytest.skip(f"needs LiteRT.js: npm install --prefix {WEB}")


@pytest.fixture(scope="session")
def launch():
    """Starts Chromium, with options of its command line; ends it after the tests."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: pip install -e '.[browser]'"
    )
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        pytest.skip("needs Chromium, e.g. Debian's package chromium")
    with api.sync_playwright() as playwright:
        yield lambda *options: playwright.chromium.launch(
            executable_path=path, args=[*_QUIET, *options]
        )


@pytest.fixture(scope="session")
def chromium(launch):
    """Chromium on a machine without a microphone."""
    return launch()


@contextlib.contextmanager
def pages(chromium, address):
    """Yields a function that opens the page in a browser of its own.

    Its `prepare` sees the page before it loads.
    """
    contexts = []

    def open_page(browser=chromium, prepare=lambda page: None, at=address, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.add_init_script(
            "globalThis.answers = [];"
            "document.addEventListener('answer', ({detail}) => answers.push(detail))"
        )
        prepare(page)
        page.goto(at)
        page.wait_for_selector("body:not([data-state=loading])")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(chromium, address):
    """Opens the page, as `pages` does."""
    with pages(chromium, address) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def one_page(chromium, address):
    """The page, for tests that leave it as it was: its modules' functions alone."""
    with pages(chromium, address) as open_page:
        yield open_page()


def heard(page, index=-1):
    """An answer that the page gave out, its arrays as NumPy's."""
    answer = page.evaluate(
        """(index) => {
          const {waveform, probabilities, features, ...rest} = answers.at(index);
          return {
            ...rest,
            waveform: [...waveform],
            probabilities: [...probabilities[0]],
            features: features && {...features, values: [...features.values]},
          };
        }""",
        index,
    )
    if answer["features"]:
        features = answer["features"]
        shape = features["frames"], features["filters"]
        answer["features"] = np.reshape(features["values"], shape)
    for name in ("waveform", "probabilities"):
        answer[name] = np.array(answer[name])
    return answer
