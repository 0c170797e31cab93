"""The rooms of a package: which import which, and a README that lists all modules."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def modules(package, room):
    """The modules of a room, and of its subfolders, by path."""
    paths = (ROOT / package / room).rglob("*.py")
    return sorted(path for path in paths if path.stem != "__init__")


def dotted(path):
    """The name of a module as an import has it."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def with_examples(package):
    """Names of a package's modules whose docstrings have examples."""
    return [
        dotted(path).removesuffix(".__init__")
        for path in sorted((ROOT / package).rglob("*.py"))
        if "    >>> " in path.read_text(encoding="utf-8")
    ]


def wrong_imports(package, rooms, strangers):
    """Imports of a package's rooms that go the wrong way.

    Args:
        package: Name of the package.
        rooms: {room: the rooms that it may import from}.
        strangers: Packages that no room may import from.

    Returns:
        A list of "module imports name", [] where all go the right way.
    """
    wrong = []
    for room, below in rooms.items():
        for path in modules(package, room):
            for name in _imports(path):
                top, _, rest = name.partition(".")
                is_allowed = top != package or rest.partition(".")[0] in (room, *below)
                if top in strangers or not is_allowed:
                    wrong.append(f"{dotted(path)} imports {name}")
    return wrong


def _imports(path):
    """Names of the imported modules, wherever in a module they are imported."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if "." in module:
                yield module
            else:  # `from training import run` imports a room, too
                yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def require_readme(package, rooms):
    """Checks that a package's README lists each module once, and no other."""
    folder = ROOT / package
    listed = re.findall(r"^- `(\S+\.py)`: \S", (folder / "README.md").read_text(), re.M)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    assert sorted(listed) == sorted(f for f in files if not f.endswith("__init__.py"))
    assert {f.partition("/")[0] for f in files if "/" in f} == set(rooms)
