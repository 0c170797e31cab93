"""Builds `leaf_run`: the modules of leaf_tf that run artifacts, without TensorFlow.

They are taken from beside this folder as they are, so that it is built in a checkout
alone: `python -m pip install ./leaf_run`, or `python -m build --wheel leaf_run`. They
lie within the package, not beside it: leaf_tf may be installed, too, of any version.
"""

import configparser
import re
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parents[1]
# Packages of leaf_tf; those of `export` that make artifacts stay behind.
PARTS = (
    "export",
    "export.commands",
    "export.contract",
    "export.runners",
    "export.runtimes",
    "export.tflite_format",
    "leaf_files",
)
LEFT_OUT = {"export.__main__", "export.commands.arguments", "export.commands.export"}
NEEDED = {"ai-edge-litert", "numpy", "soundfile", "soxr", "tqdm"}


class Build(build_py):
    """Leaves out the modules that make artifacts."""

    def find_package_modules(self, package, package_dir):
        part = package.removeprefix("leaf_run.parts.")
        return [
            found
            for found in super().find_package_modules(package, package_dir)
            if f"{part}.{found[1]}" not in LEFT_OUT
        ]


def version():
    """That of leaf_tf."""
    text = (ROOT / "leaf_tf" / "version.py").read_text(encoding="utf-8")
    return re.search(r'__version__ = "(.+)"', text)[1]


def requirements():
    """Those of leaf_tf that running needs, with the versions that it names."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = parser["options"]["install_requires"].split()
    return [line for line in lines if re.split(r"[^\w-]", line)[0] in NEEDED]


if __name__ == "__main__":
    if not (ROOT / "export" / "runners").is_dir():
        raise SystemExit(
            "leaf_run is built in a checkout of leaf_tf, where it takes its modules "
            "from: python -m pip install ./leaf_run (by pip 21.3 or newer), or python "
            "-m build --wheel leaf_run"
        )
    setup(
        name="leaf_run",
        version=version(),
        description="Runs the audio models that leaf_tf exports, without TensorFlow",
        long_description=Path("README.md").read_text(encoding="utf-8"),
        long_description_content_type="text/markdown",
        license="Apache-2.0",
        packages=["leaf_run", *(f"leaf_run.parts.{part}" for part in PARTS)],
        package_dir={
            "leaf_run": "leaf_run",
            **{
                f"leaf_run.parts.{part}": f"../{part.replace('.', '/')}"
                for part in PARTS
            },
        },
        python_requires=">=3.10",
        install_requires=requirements(),
        entry_points={"console_scripts": ["leaf-run = leaf_run.__main__:main"]},
        cmdclass={"build_py": Build},
    )
