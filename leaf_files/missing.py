"""Which package an exception lacked, and how to install it."""

import configparser
import contextlib
import importlib.metadata
import importlib.util
import linecache
import re
import shlex
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_OURS = {"benchmarks", "export", "leaf_files", "leaf_tf", "training"}
# Packages that are installed by another name than they are imported by.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "absl": "absl-py",
    "dateutil": "python-dateutil",
    "google": "protobuf",
    "pkg_resources": "setuptools",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
_IMPORT = re.compile(r"\s*(?:from|import)\s+(\w+)")
# Where TensorFlow hands on the text of an exception in one of its threads.
_NO_MODULE = re.compile(r"^ModuleNotFoundError: No module named '(\w+)", re.MULTILINE)


def missing_package(error: BaseException | None) -> str | None:
    """The package that an exception lacked, and how to install it.

    Args:
        error: An exception of an import, or one that was raised because of it.

    Returns:
        A line, e.g. "soundfile is not installed; install it: python -m pip install
        'soundfile>=0.13'"; None where no import of another's package failed.

    >>> missing_package(ModuleNotFoundError(name="no_such_package"))
    'no_such_package is not installed; install it: python -m pip install ...
    >>> missing_package(ValueError("something else")) is None
    True
    """
    while error is not None:
        package = _package(error)
        if package:
            return _advice(package, error)
        error = error.__cause__
    return None


def _package(error):
    """The package whose import raised an exception, as it is imported; else None."""
    if not isinstance(error, ImportError | OSError):
        match = _NO_MODULE.search(str(error))
        name = match[1] if match else ""
    else:
        name = getattr(error, "name", "") or _imported(error.__traceback__)
    package = name.partition(".")[0]
    if package in _OURS or package in sys.stdlib_module_names:
        return None
    return package or None


def _imported(traceback):
    """The package that the innermost line of ours was importing; "" if it wasn't.

    Not all exceptions name it: a native library that doesn't load is one that does not.
    """
    ours = ""
    while traceback:
        path = traceback.tb_frame.f_code.co_filename
        if _is_ours(path):
            line = _IMPORT.match(linecache.getline(path, traceback.tb_lineno))
            ours = line[1] if line else ""
        traceback = traceback.tb_next
    return ours


def _is_ours(path):
    if path == str(_ROOT):  # a file that holds all modules, `listen.py`
        return True
    try:
        return Path(path).relative_to(_ROOT).parts[0] in _OURS
    except (ValueError, IndexError):
        return False


def _advice(package, error):
    requirements = _requirements()
    name = _DISTRIBUTIONS.get(package, package.replace("_", "-"))
    install = f"python -m pip install {shlex.quote(requirements.get(name, name))}"
    if _is_there(package):
        return f"{package} is installed but doesn't load ({error}); mend it: {install}"
    also = [
        module
        for module in (other.replace("-", "_") for other in _whole(requirements))
        if module != package and not _is_there(module)
    ]
    others = f" (also missing here: {', '.join(also)})" if also else ""
    return f"{package} is not installed; install it: {install}{others}"


def _is_there(package):
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _whole(requirements):
    """The names of what leaf_tf needs without any extra."""
    return [name for name, text in requirements.items() if "[" not in text]


def _requirements():
    """{name: what to tell pip} for all that leaf_tf needs; {} where that is unknown.

    An extra's packages are installed by the extra, e.g. "leaf_tf[jax]".
    """
    requirements: dict[str, str] = {}
    for line in _required_lines():
        requirement, _, marker = line.partition(";")
        name = re.split(r"[^\w.-]", requirement.strip())[0].replace("_", "-")
        extra = re.search(r"extra == .(\w+)", marker)
        text = f"leaf_tf[{extra[1]}]" if extra else requirement.strip()
        requirements.setdefault(name, text)
    return requirements


def _required_lines():
    """Requirements as in a distribution's metadata; those without an extra first."""
    for distribution in ("leaf_tf", "leaf_run"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.requires(distribution) or []
    # A checkout that is not installed.
    parser = configparser.ConfigParser()
    parser.read(_ROOT / "setup.cfg", encoding="utf-8")
    if "options" not in parser:
        return []
    lines = parser["options"]["install_requires"].split()
    for extra, packages in parser["options.extras_require"].items():
        lines += [f"{line}; extra == '{extra}'" for line in packages.split()]
    return lines
