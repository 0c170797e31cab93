"""What takes long to make, made by one of the processes that test side by side."""

import os
import time


def once(tmp_path_factory, name, make):
    """A folder that all processes of this session share; none may change it.

    Args:
        tmp_path_factory: Pytest's fixture.
        name: Of the folder; every name is of one thing.
        make: Called with the path of the folder, by the first that asks.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        path = root / name
        make(path)
        return path
    path, made, failed = (root.parent / f"{name}{end}" for end in ("", ".ok", ".no"))
    try:
        (root.parent / f"{name}.lock").mkdir()
    except FileExistsError:
        while not made.exists():
            if failed.exists():
                raise RuntimeError(f"another process failed to make {path}") from None
            time.sleep(0.1)
        return path
    try:
        make(path)
    except BaseException:
        failed.touch()
        raise
    made.touch()
    return path
