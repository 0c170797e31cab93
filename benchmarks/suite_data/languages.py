"""Five languages, by corpora: voices and microphones of four packages."""

import re

from benchmarks.suite_data.clips import shuffled
from benchmarks.suite_data.packages import Needed
from benchmarks.suite_data.task import PackageTask

_PROMPTS = "asterisk-core-sounds-{}-wav"
_LANGUAGES = ("en", "es", "fr", "it", "ru")
_MOST = 120  # clips of a language in a corpus
# Names of stamps' descriptions: the original language, English, isn't named.
_DESCRIPTION = re.compile(r"_desc(?:_(es|fr|it|ru))?\.ogg")


def _build(packages, clips):
    corpora = {
        "asterisk": _prompts,
        "klettres": _syllables,
        "tuxpaint": _descriptions,
        "festvox": _sentences,
    }
    for corpus, files_of in corpora.items():
        for language in _LANGUAGES:
            root, paths = files_of(packages, language)
            clips.add_files(language, corpus, shuffled(paths, root), _MOST)


def _prompts(packages, language):
    package = packages[_PROMPTS.format(language)]
    paths = package.files("usr/share/asterisk/sounds/**/*.wav")
    return package.root, [path for path in paths if path.parent.name != "silence"]


def _syllables(packages, language):
    package = packages["klettres-data"]
    dialects = ["en", "en_GB"] if language == "en" else [language]
    paths = [
        path
        for dialect in dialects
        for kind in ("alpha", "syllab")
        for path in package.files(f"usr/share/klettres/{dialect}/{kind}/*.ogg")
    ]
    return package.root, paths


def _descriptions(packages, language):
    package = packages["tuxpaint-stamps-default"]
    paths = []
    for path in package.files("usr/share/tuxpaint/stamps/**/*.ogg"):
        match = _DESCRIPTION.search(path.name)
        if match and (match[1] or "en") == language:
            paths.append(path)
    return package.root, paths


def _sentences(packages, language):
    package = packages["festvox-ru"]
    pattern = "usr/share/festival/voices/russian/*/wav/*.wav"
    return package.root, package.files(pattern) if language == "ru" else []


TASK = PackageTask(
    name="languages",
    label="language: English, Spanish, French, Italian, Russian",
    group="corpus, with voices and microphones of its own",
    packages=(
        Needed(_PROMPTS.format("en"), "CC-BY-SA-3.0", 18),
        Needed(_PROMPTS.format("es"), "CC-BY-SA-3.0", 24),
        Needed(_PROMPTS.format("fr"), "CC-BY-SA-3.0", 19),
        Needed(_PROMPTS.format("it"), "CC-BY-SA-3.0", 18),
        Needed(_PROMPTS.format("ru"), "CC-BY-3.0", 19),
        Needed("klettres-data", "GPL-2+", 40),
        Needed("tuxpaint-stamps-default", "GPL-2", 161),
        Needed("festvox-ru", "BSD-like", 179),
    ),
    sample_rate=8000,
    shortest=0.2,
    longest=3.0,
    build=_build,
)
