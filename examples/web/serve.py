"""Serves the page of this folder, with an exported model, to your browser.

    python examples/web/serve.py ARTIFACT_DIR [--port 8000]

ARTIFACT_DIR is what `python -m export RUN --output ARTIFACT_DIR` wrote. Run
`npm install` in examples/web once before.
"""

import http.server
import pathlib
import sys

from leaf_files import command_line
from leaf_files.argument_types import number
from leaf_files.errors import UserError

WEB = pathlib.Path(__file__).resolve().parent
RUNTIME = WEB / "node_modules" / "@litertjs" / "core" / "wasm"
ARTIFACT = "/artifact/"
PROG = "python examples/web/serve.py"


def main(argv):
    """Serves until Ctrl-C."""
    arguments = _parser().parse_args(argv)
    with make_server(arguments.artifact, arguments.host, arguments.port) as server:
        print(f"{arguments.artifact} is at {address(server)} (Ctrl-C ends)", flush=True)
        server.serve_forever()


def make_server(artifact, host="127.0.0.1", port=0):
    """A server of the page and an artifact folder; it doesn't run yet.

    Args:
        artifact: Artifact folder.
        host: Address to listen on.
        port: 0 for any that is free.

    Returns:
        http.server.ThreadingHTTPServer.

    Raises:
        UserError: The folder is no artifact, LiteRT.js is not installed, or the port
            can't be had.
    """
    artifact = pathlib.Path(artifact).resolve()
    for name in ("model.tflite", "report.json"):
        if not (artifact / name).is_file():
            raise UserError(
                f"{artifact} holds no {name}; name the --output of python -m export"
            )
    if not RUNTIME.is_dir():
        raise UserError(
            f"LiteRT.js is not installed in {WEB}; run: npm install --prefix {WEB}"
        )
    try:
        server = http.server.ThreadingHTTPServer((host, port), PageHandler)
    except OSError as error:
        raise UserError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}; "
            "name another --port or --host"
        ) from error
    server.artifact = artifact
    return server


def address(server):
    """Where a browser finds the page."""
    host, port = server.server_address[:2]
    return f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{port}/"


class PageHandler(http.server.SimpleHTTPRequestHandler):
    """The files of this folder, and those of the artifact below /artifact/."""

    # Not left to the machine: some know no .wasm, and some call .js plain text.
    extensions_map = {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
        "": "application/octet-stream",
    }

    def translate_path(self, path):
        """The file behind an address."""
        if path.startswith(ARTIFACT):
            self.directory = str(self.server.artifact)
            return super().translate_path(path.removeprefix(ARTIFACT))
        self.directory = str(WEB)
        return super().translate_path(path)

    def list_directory(self, path):
        """No folder is listed."""
        self.send_error(404)

    def end_headers(self):
        """Has the browser ask again, so that a new export is seen."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_request(self, *details):
        """Says nothing of what went well."""


def _parser():
    parser = command_line.Parser(
        prog=PROG, description="Serves the page, with an exported model."
    )
    parser.add_argument(
        "artifact", metavar="ARTIFACT_DIR", help="the --output of `python -m export`"
    )
    parser.add_argument(
        "--port",
        type=number(int, "0 to 65535", lambda port: 0 <= port <= 65535),
        default=8000,
        help="default: 8000; 0 takes any that is free",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="default: 127.0.0.1, this machine alone; 0.0.0.0 for all",
    )
    return parser


if __name__ == "__main__":
    sys.exit(command_line.run(main, sys.argv[1:], PROG))
