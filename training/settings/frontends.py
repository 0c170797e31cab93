"""Frontends as users write them: a name, and settings of its own after it.

    leaf
    leaf:compression=log:min_freq=100

Which settings a frontend takes is known where Keras is loaded, see
`training.run.frontend_settings`. Imports nothing heavy.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from leaf_files.command_line import did_you_mean

FRONTENDS = (
    "leaf",
    "leaf_exact",
    "leaf_paper",
    "leaf_fixed_pcen",
    "efficient_leaf",
    "tfbanks",
    "sincnet",
    "sincnet_plus",
    "wavegram",
    "mel",
    "mel_pcen",
)
Value = bool | int | float | str | None
# Arguments of frontends that other settings of a run give.
GIVEN_OTHERWISE = {
    "n_filters": "--n-filters",
    "sample_rate": "--sample-rate",
    "spec_augment": "--spec-augment",
}
_NUMBER = "n_filters"  # may follow a frontend's name where several are compared
_PREFIX = "frontend."
_WORDS: dict[str, Value] = {"true": True, "false": False, "none": None}
_EXACT = 2**53  # whole numbers up to this are exact as floats
_UNSAFE = re.compile(r"[^\w.+-]+", re.ASCII)  # in names of folders, on any system


def parse_frontend(text: str) -> tuple[str, dict[str, Value]]:
    """The name and the settings of a frontend as it is written on a command line.

    Args:
        text: NAME, or NAME:SETTING=VALUE:...

    Raises:
        ValueError: Unknown name, or settings that can't be read.

    >>> parse_frontend("leaf:compression=log:min_freq=100")
    ('leaf', {'compression': 'log', 'min_freq': 100})
    >>> parse_frontend("laef")
    Traceback (most recent call last):
    ValueError: must be one of leaf, ..., mel_pcen. Received: laef (did you mean leaf?)
    """
    name, settings = _name_and_settings(text)
    return name, checked_settings(settings)


def compared_settings(text: str) -> dict[str, Any]:
    """Settings of a `FitConfig` that a frontend stands for where several are compared.

    There the number of filters may differ, and is written as if it were a setting of
    the frontend's own.

    Args:
        text: NAME, or NAME:SETTING=VALUE:...

    Raises:
        ValueError: See `parse_frontend`; or no such number of filters.

    >>> compared_settings("leaf:n_filters=8:compression=log")
    {'frontend': 'leaf', 'frontend_settings': {'compression': 'log'}, 'n_filters': 8}
    >>> compared_settings("mel")
    {'frontend': 'mel', 'frontend_settings': {}}
    """
    name, settings = _name_and_settings(text)
    of_run = {_NUMBER: settings.pop(_NUMBER)} if _NUMBER in settings else {}
    for number in of_run.values():
        if type(number) is not int or number < 1:
            raise ValueError(
                f"must have {_NUMBER} of a whole number, at least 1. Received: {text}"
            )
    own = checked_settings(settings)
    return {"frontend": name, "frontend_settings": own, **of_run}


def rewritten(text: str) -> str:
    """A frontend to compare in the one way of writing it, so that equal ones are equal.

    Args:
        text: See `compared_settings`.

    >>> rewritten("leaf:n_filters=8:compression=log:learn_filters=False")
    'leaf:compression=log:learn_filters=false:n_filters=8'
    """
    settings = compared_settings(text)
    name, own = settings.pop("frontend"), settings.pop("frontend_settings")
    return written(name, {**own, **settings})


def _name_and_settings(text):
    """(name, {setting: value}) of a frontend; any settings, each once."""
    name, *settings = [part.strip() for part in text.split(":")]
    if name not in FRONTENDS:
        raise ValueError(
            f"must be one of {', '.join(FRONTENDS)}. Received: {name}"
            f"{did_you_mean([name], FRONTENDS)}"
        )
    pairs = [_pair(setting, "NAME:SETTING=VALUE", text) for setting in settings]
    names = [setting for setting, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"must have each setting once. Received: {text}")
    return name, dict(pairs)


def parse_setting(text: str) -> tuple[str, Value]:
    """One setting of a frontend as it is written on a command line.

    Args:
        text: frontend.NAME=VALUE. A value is a number, true, false, none, or text.

    Raises:
        ValueError: It isn't, or another option gives this setting.

    >>> parse_setting("frontend.min_freq=100"), parse_setting("frontend.preemp=true")
    (('min_freq', 100), ('preemp', True))
    >>> parse_setting("frontend.n_filters=64")
    Traceback (most recent call last):
    ValueError: can't give n_filters: use --n-filters. Received: 64
    """
    form = f"{_PREFIX}NAME=VALUE"
    if not text.startswith(_PREFIX):
        raise _malformed(form, text)
    name, value = _pair(text.removeprefix(_PREFIX), form, text)
    return next(iter(checked_settings({name: value}).items()))


def checked_settings(settings: Any) -> dict[str, Value]:
    """Settings of a frontend, in the order of their names; "none" becomes None.

    Raises:
        ValueError: No {name: value}, a value of another type, or one that another
            setting of the run gives.

    >>> checked_settings({"preemp": True, "compression": "none"})
    {'compression': None, 'preemp': True}
    >>> checked_settings({"compression": ["log"]})
    Traceback (most recent call last):
    ValueError: must be {name: number, true, false, null or text}. Received:
    {'compression': ['log']}
    """
    is_mapping = isinstance(settings, Mapping)
    if not is_mapping or not all(map(_is_setting, settings, settings.values())):
        raise ValueError(
            "must be {name: number, true, false, null or text}. "
            f"Received: {settings!r:.200}"
        )
    for name, option in GIVEN_OTHERWISE.items():
        if name in settings:
            raise ValueError(
                f"can't give {name}: use {option}. Received: {settings[name]}"
            )
    return {
        name: None if settings[name] == "none" else settings[name]
        for name in sorted(settings)
    }


def written(name: str, settings: Mapping[str, Value]) -> str:
    """A frontend as a user writes it, the inverse of `parse_frontend`.

    >>> written("leaf", {"compression": "log", "preemp": True})
    'leaf:compression=log:preemp=true'
    """
    return ":".join([name, *settings_in_words(settings)])


def settings_in_words(settings: Mapping[str, Value]) -> Iterable[str]:
    """Yields NAME=VALUE of each setting, in the order of the names.

    >>> list(settings_in_words({"min_freq": 100, "max_freq": None}))
    ['max_freq=none', 'min_freq=100']
    """
    for name, value in sorted(settings.items()):
        is_word = value is None or isinstance(value, bool)
        yield f"{name}={str(value).lower() if is_word else value}"


def folder_name(frontend: str) -> str:
    """A name for the folder of a frontend, on any file system.

    Args:
        frontend: Frontend as `written` gives it.

    >>> folder_name("leaf:compression=log:min_freq=62.5")
    'leaf-compression-log-min_freq-62.5'
    """
    return _UNSAFE.sub("-", frontend)


def overridden(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run from two sources, of which the second one wins.

    Settings of a frontend are put together one by one, as long as both sources mean
    the same frontend; else those of the first one are void.

    Args:
        below, above: {setting of a `FitConfig`: value}, unchecked.

    >>> file = {"frontend": "leaf", "frontend_settings": {"compression": "log"}}
    >>> overridden(file, {"frontend_settings": {"min_freq": 100}})["frontend_settings"]
    {'compression': 'log', 'min_freq': 100}
    >>> overridden(file, {"frontend": "mel"})
    {'frontend': 'mel', 'frontend_settings': {}}
    """
    both = {**below, **above}
    before, after = (s.get("frontend_settings", {}) for s in (below, above))
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return both  # which whoever makes the settings of the run refuses
    frontend = below.get("frontend", FRONTENDS[0])
    if before or after:
        is_same = frontend == both.get("frontend", FRONTENDS[0])
        both["frontend_settings"] = {**(before if is_same else {}), **after}
    return both


def _pair(text, form, received):
    """(name, value) of NAME=VALUE."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name.isidentifier() or not value:
        raise _malformed(form, received)
    return name, _value(value)


def _malformed(form, received):
    example = form.replace("NAME:SETTING", "leaf:compression")
    example = example.replace("NAME", "compression").replace("VALUE", "log")
    return ValueError(f"must be {form}, such as {example}. Received: {received}")


def _value(text):
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number. Received: {text}")
    is_whole = number.is_integer() and abs(number) <= _EXACT
    return int(number) if is_whole else number


def _is_setting(name, value):
    is_finite = not isinstance(value, float) or math.isfinite(value)
    return isinstance(name, str) and isinstance(value, Value) and is_finite
