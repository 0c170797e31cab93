"""The command that serves the page."""

import http.client
import shutil
import socket
import subprocess
import sys
import urllib.parse

import pytest

from tests.examples.web.conftest import WEB, served


@pytest.fixture
def folder(tmp_path):
    """A folder that looks like an export."""
    for name in ("model.tflite", "report.json"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def get(folder, runtime):
    """Asks the server for an address, as it is; returns (status, headers, body)."""
    with served(folder) as address:

        def get(path):
            connection = http.client.HTTPConnection(
                urllib.parse.urlsplit(address).netloc
            )
            connection.putrequest("GET", path)
            connection.endheaders()
            response = connection.getresponse()
            body = response.read()
            connection.close()
            return response.status, dict(response.getheaders()), body

        yield get


def test_the_page_and_the_artifact(get):
    wasm = "/node_modules/@litertjs/core/wasm/litert_wasm_internal.wasm"
    for path, kind in {
        "/": "text/html; charset=utf-8",
        "/page.js": "text/javascript; charset=utf-8",
        "/style.css": "text/css; charset=utf-8",
        "/icon.svg": "image/svg+xml",
        "/artifact/report.json": "application/json",
        "/artifact/model.tflite": "application/octet-stream",
        wasm: "application/wasm",
    }.items():
        status, headers, _ = get(path)
        assert (status, headers["Content-type"]) == (200, kind)
        assert headers["Cache-Control"] == "no-cache"
    assert get("/artifact/model.tflite")[2] == b"model.tflite"


@pytest.mark.parametrize(
    "path",
    ["/artifact/", "/node_modules/", "/model.tflite", "/artifact/../serve.txt",
     "/../web_test.py", "/artifact/%2e%2e/%2e%2e/etc/passwd", "/artifact/none.tflite"],
)  # fmt: skip
def test_nothing_else_is_served(get, path):
    assert get(path)[0] == 404


def run(*argv):
    command = [sys.executable, WEB / "serve.py", *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def complains(result, code, *parts):
    assert result.returncode == code
    assert result.stdout == ""
    assert result.stderr.startswith("python examples/web/serve.py: error: ")
    assert result.stderr.count("\n") == 1
    assert all(part in result.stderr for part in parts), result.stderr


def test_what_is_no_artifact_is_refused(folder):
    (folder / "report.json").unlink()
    complains(run(folder), 1, "holds no report.json", "python -m export")
    complains(run(folder / "none"), 1, "holds no model.tflite")


def test_a_wrong_or_taken_port_is_refused(folder, runtime):
    complains(run(folder, "--port", "many"), 2, "--port")
    complains(run(folder, "--port", "70000"), 2, "0 to 65535", "70000")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        complains(run(folder, "--port", str(port)), 1, str(port), "--port")


def test_a_copy_without_litert_says_how_to_get_it(folder, tmp_path):
    copy = tmp_path / "web"
    copy.mkdir()
    shutil.copy(WEB / "serve.py", copy)
    command = [sys.executable, copy / "serve.py", folder]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    complains(result, 1, "LiteRT.js is not installed", f"npm install --prefix {copy}")
