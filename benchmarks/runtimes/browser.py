"""The runtimes of browsers, in Chromium, by `web/index.html`."""

import contextlib
import functools
import http.server
import json
import shutil
import threading
from pathlib import Path

import numpy as np

from benchmarks.runtimes.measuring import Opened
from export.contract.heads import heads_of_outputs, output_name
from leaf_files.errors import UserError, first_line

WEB = Path(__file__).parent / "web"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Else it looks for servers of its maker's, at each start.
_QUIET = (
    "--disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
_PACKAGES = {
    "litert-js": "@litertjs/core",
    "litert-js-worklet": "@litertjs/core",
    "onnxruntime-web": "onnxruntime-web",
}


@contextlib.contextmanager
def page_of(folder):
    """Opens the page beside an artifact folder.

    Args:
        folder: The artifact folder, a Path.

    Yields:
        A function of (runtime, file) that returns an `Opened`.

    Raises:
        UserError: Something is missing; the message says how to get it.
    """
    if not (WEB / "node_modules" / "onnxruntime-web").is_dir():
        raise UserError("not installed: npm ci --prefix benchmarks/runtimes/web")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UserError(
            "playwright is not installed: pip install playwright"
        ) from error
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise UserError("Chromium is not installed: e.g. Debian's package chromium")
    with _served(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("body[data-state=ready]", state="attached")
        yield functools.partial(_opened, page)
        browser.close()


def _opened(page, runtime, file):
    # Imported here: the names of errors are playwright's own.
    from playwright.sync_api import Error

    def ask(code, *arguments):
        try:
            return page.evaluate(f"(a) => runtimes.{code}(...a)", list(arguments))
        except Error as error:
            raise UserError(f"{file} does not run: {first_line(error)}") from error

    ask("open", runtime, f"./artifacts/{file}")

    def run(windows):
        answers = [ask("run", runtime, window.tolist()) for window in windows]
        heads = {output_name(head): head for head in heads_of_outputs(answers[0])}
        return {
            head: np.array([answer[name] for answer in answers])
            for name, head in heads.items()
        }

    def turn(windows, repeats):
        return ask("time", runtime, windows[0].tolist(), repeats)

    package = json.loads(
        (WEB / "node_modules" / _PACKAGES[runtime] / "package.json").read_text()
    )
    return Opened(package["version"], run, turn)


@contextlib.contextmanager
def _served(folder):
    """Serves the page, and the folder beside it as `artifacts/`."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {
            **http.server.SimpleHTTPRequestHandler.extensions_map,
            ".mjs": "text/javascript",
            ".wasm": "application/wasm",
        }

        def translate_path(self, path):
            name = path.partition("?")[0].lstrip("/")
            inside = name.removeprefix("artifacts/")
            return str((WEB if inside == name else folder) / inside)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/index.html"
    finally:
        server.shutdown()
        server.server_close()
