"""Writes `listen.py`: `export listen` as one file, of the sources of its modules."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from export.contract.layout import LISTEN
from export.writers.words import made_by
from leaf_files.atomic import write_text

_MAIN = "export.commands.listen"
_OURS = ("export", "leaf_files")
_HEAD = '''\
#!/usr/bin/env python3
"""Prints what the model beside this file hears: in a recording, or as sound comes.

    python listen.py RECORDING
    arecord -q -t raw -f S16_LE -c 1 -r {rate} | python listen.py -

Needs Python 3.10 or newer and three packages, not TensorFlow:

    python -m pip install ai-edge-litert numpy soundfile

and soxr for recordings of another rate than {rate} Hz. `python listen.py --help` has
all options.

Written by {made_by}, of the modules behind its command `listen`. They follow as they
are there, each below a line of its name, and are imported from here, whatever else is
installed. Tracebacks and debuggers name the lines of this file.

The modules: Apache-2.0, as leaf_tf is. The model: see the README.md beside.
"""

import importlib.abc
import importlib.util
import pathlib
import re
import sys

PATH = pathlib.Path(__file__).resolve()


class Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the modules below."""

    def __init__(self):
        text = PATH.read_text(encoding="utf-8")
        # [what is above the first, name, source, name, source, ...]
        pieces = re.split(r"^{mark} (\\S+)\\.py\\n", text, flags=re.MULTILINE)
        self.sources, line = {{}}, pieces[0].count("\\n")
        for path, source in zip(pieces[1::2], pieces[2::2]):
            # Empty lines before it, so that a line has its number in this file.
            self.sources[path.replace("/", ".")] = "\\n" * (line + 1) + source
            line += 1 + source.count("\\n")

    def find_spec(self, name, path=None, target=None):
        is_package = any(other.startswith(f"{{name}}.") for other in self.sources)
        if not is_package and name not in self.sources:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=is_package)

    def exec_module(self, module):
        name = module.__name__
        module.__file__ = f"{{PATH}}/{{name.replace('.', '/')}}.py"
        exec(compile(self.sources.get(name, ""), PATH, "exec"), vars(module))


def listen(words):
    """`{main}`, on the model in the folder of this file."""
    from export.commands.listening import listen_parser

    parser = listen_parser(str(PATH.parent), rate={rate})
    # Help, and messages on mistakes, need no package that has to be installed.
    parser.parse_args(words)
    from {main} import main

    main(words, parser)


if __name__ == "__main__":
    sys.meta_path.insert(0, Modules())
    sys.argv[0] = "{listen}"
    from leaf_files.command_line import run, runner

    sys.exit(run(listen, sys.argv[1:], prog=runner("listen")))
raise ImportError("{listen} is a program, not a module: run it")

'''
_MARK = "# ========"


def write_listener(folder: str | Path, sample_rate: int) -> None:
    """Writes `listen.py` into an artifact folder that has a streaming model.

    Args:
        folder: The folder.
        sample_rate: That of the model, Hz.

    Example:

    >>> _ = Path("pi").mkdir()
    >>> write_listener("pi", sample_rate=8000)
    >>> Path("pi/listen.py").read_text().splitlines()[3]
    '    python listen.py RECORDING'
    """
    write_text(Path(folder, LISTEN), listener(sample_rate))


def listener(sample_rate: int) -> str:
    """The text of `listen.py`.

    Example:

    >>> "# ======== leaf_files/errors.py" in listener(16000).splitlines()
    True
    """
    head = _HEAD.format(
        rate=sample_rate, made_by=made_by(), mark=_MARK, listen=LISTEN, main=_MAIN
    )
    modules = (
        f"{_MARK} {name.replace('.', '/')}.py\n{source.rstrip()}\n\n\n"
        for name, source in _sources(_MAIN).items()
    )
    return head + "".join(modules).rstrip() + "\n"


def _sources(main: str) -> dict[str, str]:
    """{name: source} of a module and of ours that it needs, itself first."""
    sources: dict[str, str] = {}
    waiting = [main]
    while waiting:
        name = waiting.pop(0)
        spec = importlib.util.find_spec(name)
        if name in sources or spec is None or spec.origin is None:
            continue
        source = Path(spec.origin).read_text(encoding="utf-8")
        if spec.submodule_search_locations is not None:
            if len(ast.parse(source).body) > 1:  # more than a docstring
                raise ValueError(f"`{name}` must have no code, it is a package.")
            continue
        sources[name] = source
        waiting += _imports(source)
    return sources


def _imports(source: str) -> Iterator[str]:
    """Names of our modules that a source imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            # `from a import b`: `b` may be a module, or a name in one.
            if name.partition(".")[0] in _OURS and _is_module(name):
                yield name


def _is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is no package
        return False
