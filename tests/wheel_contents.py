"""Checks that the wheel and the sdist in a folder hold what they should.

python tests/wheel_contents.py FOLDER
"""

import pathlib
import sys
import tarfile
import zipfile

PACKAGES = {"export", "leaf_files", "leaf_tf", "training"}


def main(folder):
    (wheel,), (sdist,) = (
        sorted(pathlib.Path(folder).glob(pattern)) for pattern in ("*.whl", "*.tar.gz")
    )
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    metadata = {top for top in tops if top.endswith(".dist-info")}
    unwanted = tops - PACKAGES - metadata
    missing = PACKAGES - tops
    if unwanted or missing or not any(name.endswith("LICENSE") for name in names):
        sys.exit(
            f"{wheel.name}: unwanted {sorted(unwanted)}, missing {sorted(missing)}"
        )
    with tarfile.open(sdist) as archive:
        sources = [name.partition("/")[2] for name in archive.getnames()]
    left_out = {"LICENSE", "README.md", "setup.cfg", "leaf_tf/__init__.py"} - set(
        sources
    )
    if left_out:
        sys.exit(f"{sdist.name}: left out {sorted(left_out)}")
    print(f"{wheel.name}: {len(names)} files; {sdist.name}: {len(sources)} files")


if __name__ == "__main__":
    main(sys.argv[1])
