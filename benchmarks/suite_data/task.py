"""What all tasks have in common."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from benchmarks.suite_data.clips import ClipFolder
from benchmarks.suite_data.packages import Needed, Package


@dataclasses.dataclass(frozen=True)
class PackageTask:
    """A task that is made of Debian packages.

    Attributes:
        name: Name of the task and its folder.
        label: The thing that a label says.
        group: The thing that a group says, which tests hold out.
        packages: Packages it is made of.
        sample_rate: Rate of its clips, Hz.
        shortest, longest: Least and largest length of a clip, seconds.
        build: Function of the unpacked packages by name, and of the `ClipFolder` to
            write.
    """

    name: str
    label: str
    group: str
    packages: tuple[Needed, ...]
    sample_rate: int
    shortest: float
    longest: float
    build: Callable[[dict[str, Package], ClipFolder], object]

    def clips(self, folder: Path) -> ClipFolder:
        """An empty `ClipFolder` of the task.

        Args:
            folder: Folder to write.
        """
        return ClipFolder(folder, self.sample_rate, self.shortest, self.longest)
