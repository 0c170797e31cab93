"""Eight kinds of hit, by drum kit."""

import re
import xml.etree.ElementTree

from benchmarks.suite_data.clips import as_name
from benchmarks.suite_data.packages import Needed
from benchmarks.suite_data.task import PackageTask

_KITS = "usr/share/hydrogen/data/drumkits/*/drumkit.xml"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# The first kind of which a name holds a word: a "crash/ride" is a crash cymbal.
_KINDS = {
    "crash": {"crash", "splash", "china"},
    "ride": {"ride"},
    "kick": {"kick", "bassdrum"},
    "snare": {"snare"},
    "tom": {"tom"},
    "clap": {"clap"},
}
_HIHAT = {"hat", "hihat", "hh"}
_OPEN = {"open", "opened", "op", "semi", "semiopen", "ohh"}
_CLOSED = {"closed", "close", "cl", "chh", "pedal", "pd", "foot", "choke"}


def kind_of(name: str) -> str | None:
    """The kind of hit that a name of an instrument or a file says.

    Args:
        name: The name.

    Returns:
        One of the 8 labels; None if it says none, or a hi-hat that may be open or
        closed.

    >>> kind_of("Ride (Custom 22)"), kind_of("SabianHatSemiOpen-Soft.wav")
    ('ride', 'hihat_open')
    >>> kind_of("Hat Ring 1") is None
    True
    """
    words = {word.lower() for word in _WORD.findall(name)}
    if {"bass", "drum"} <= words:
        return "kick"
    for kind, of_kind in _KINDS.items():
        if words & of_kind:
            return kind
    if words & (_HIHAT | {"ohh", "chh"}):
        is_open, is_closed = bool(words & _OPEN), bool(words & _CLOSED)
        if is_open != is_closed:
            return "hihat_open" if is_open else "hihat_closed"
    return None


def _build(packages, clips):
    for package in packages.values():
        for path in package.files(_KITS):
            _add_kit(path, clips)


def _add_kit(path, clips):
    kit = as_name(path.parent.name)
    try:
        hits = _hits(path)
    except xml.etree.ElementTree.ParseError:
        clips.passed_over["kits that can't be read"] += 1
        return
    for instrument, file in dict.fromkeys(hits):
        said = {kind_of(instrument), kind_of(file)} - {None}
        if not said:
            clips.passed_over["of no kind, or of another one"] += 1
        elif len(said) > 1:
            clips.passed_over["named as two kinds"] += 1
        else:
            clips.add_file(said.pop(), kit, path.parent / file)


def _hits(path):
    """Yields (name of the instrument, name of a file) of a kit."""
    root = xml.etree.ElementTree.parse(path).getroot()
    for instrument in root.iterfind(".//{*}instrument"):
        name = instrument.findtext("{*}name") or ""
        for file in instrument.iterfind(".//{*}filename"):
            if file.text:
                yield name, file.text


TASK = PackageTask(
    name="drums",
    label="kind of hit: clap, crash, hi-hat closed or open, kick, ride, snare, tom",
    group="drum kit",
    packages=(
        Needed(
            "hydrogen-drumkits", "GPL-2, GPL-2+, CC-BY(-SA)-3.0 or CC0, by kit", 143
        ),
        Needed("hydrogen-data", "GPL-2+", 7),
    ),
    sample_rate=16000,
    shortest=0.05,
    longest=1.5,
    build=_build,
)
