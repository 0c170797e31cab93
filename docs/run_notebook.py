"""Runs a notebook from top to bottom and fails where a cell fails.

    python docs/run_notebook.py NOTEBOOK [--write]

Runs in a scratch folder. With --write the notebook keeps what its cells put out.
"""

import argparse
import pathlib
import tempfile

import nbformat
from nbclient import NotebookClient


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="keep the outputs")
    arguments = parser.parse_args()
    notebook = nbformat.read(arguments.notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook, timeout=600, resources={"metadata": {"path": folder}}
        ).execute()
    if arguments.write:
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            if cell.cell_type == "code":  # without what libraries log
                cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        nbformat.write(notebook, arguments.notebook)
    print(f"{arguments.notebook}: {len(notebook.cells)} cells ran")


if __name__ == "__main__":
    main()
