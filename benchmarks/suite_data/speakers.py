"""Four speakers of a game's two fish, in two languages, by the room they talk in."""

import re

from benchmarks.suite_data.clips import as_name, shuffled
from benchmarks.suite_data.packages import Needed
from benchmarks.suite_data.task import PackageTask

_SOUNDS = "usr/share/games/fillets-ng/sound"
_MOST = 180  # clips of a speaker
# The files' names say in Czech which fish talks: malá, velká. Others talk, too.
_FISH = {"m": "small", "v": "big"}
_LINE = re.compile(r"[^-]+-([mv])-")


def _build(packages, clips):
    for language in ("cs", "nl"):
        package = packages[f"fillets-ng-data-{language}"]
        lines = package.files(f"{_SOUNDS}/**/{language}/*.ogg")
        for fish, size in _FISH.items():
            speaker = f"{language}_{size}"
            said = [path for path in lines if _fish_of(path) == fish]
            n = 0
            for path in shuffled(said, package.root):
                if n < _MOST:
                    n += clips.add_file(speaker, _room_of(path, package.root), path)


def _fish_of(path):
    match = _LINE.match(path.name)
    return match and match[1]


def _room_of(path, root):
    return as_name(path.parent.parent.relative_to(root / _SOUNDS).as_posix())


TASK = PackageTask(
    name="speakers",
    label="speaker: 2 Czech, 2 Dutch",
    group="room of the game",
    packages=(
        Needed("fillets-ng-data-cs", "GPL-2", 39),
        Needed("fillets-ng-data-nl", "GPL-2", 33),
    ),
    sample_rate=16000,
    shortest=1.0,
    longest=2.5,
    build=_build,
)
