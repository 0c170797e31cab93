"""The folder of what can be made again at any time."""

import os
from pathlib import Path

# Environment variable that names the folder.
FOLDER_VARIABLE = "LEAF_TF_CACHE"


def cache_folder() -> Path:
    """$LEAF_TF_CACHE, or leaf_tf in the user's cache folder; it may not exist.

    Raises:
        RuntimeError: The user has no home folder.

    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, {FOLDER_VARIABLE: "/tmp/kept"}):
    ...     print(cache_folder())
    /tmp/kept
    """
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE]).expanduser()
    of_user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(of_user) / "leaf_tf"
