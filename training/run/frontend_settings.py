"""Settings of a frontend of its own: which ones there are, and what they may be."""

import functools
import inspect
import re
import types
import typing

from leaf_files.command_line import did_you_mean
from leaf_files.errors import UserError
from leaf_tf.frontends import Frontend
from training.settings.frontends import GIVEN_OTHERWISE, settings_in_words

# Types that a command line and JSON can write, in words.
_KINDS = {bool: "true or false", float: "a number", int: "a whole number", str: "text"}


def settings_of_frontend(make):
    """{name: types of its values} of the settings that a frontend takes.

    Args:
        make: Function or class that makes the frontend. A function says which class
            that is by its return annotation; arguments of its own come first.

    >>> from leaf_tf import MelFilterbanks
    >>> list(settings_of_frontend(MelFilterbanks))
    ['compression', 'learn_filters', 'max_freq', 'mean_var_norm', 'min_freq',
     'window_len', 'window_stride']
    """
    while isinstance(make, functools.partial):
        make = make.func
    sources = [make]
    if not isinstance(make, type):
        make = typing.get_type_hints(make).get("return", Frontend)
        sources.append(make)
    sources += [base for base in make.__mro__[1:] if issubclass(base, Frontend)]
    kinds: dict[str, frozenset] = {}
    for source in sources:
        function = vars(source).get("__init__") if isinstance(source, type) else source
        if function is None:  # its base's
            continue
        hints = typing.get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
        for name in [p.name for p in parameters if p.kind != p.VAR_KEYWORD]:
            kinds.setdefault(name, _kinds(hints.get(name)))
        if all(p.kind != p.VAR_KEYWORD for p in parameters):
            break
    return {
        name: kinds[name]
        for name in sorted(kinds)
        if kinds[name] & set(_KINDS) and name not in GIVEN_OTHERWISE
    }


def frontend_arguments(make, config):
    """The arguments of a frontend by the settings of its own, {name: value}.

    Args:
        make: See `settings_of_frontend`.
        config: A `FitConfig`.

    Raises:
        UserError: The frontend doesn't take such a setting, or such a value.

    >>> from leaf_tf import MelFilterbanks
    >>> from training.settings.config import FitConfig
    >>> settings = {"compression": "none", "max_freq": "none"}
    >>> config = FitConfig("drums", frontend="mel", frontend_settings=settings)
    >>> frontend_arguments(MelFilterbanks, config)
    {'compression': 'none', 'max_freq': None}
    >>> config = FitConfig("drums", frontend="mel", frontend_settings={"max_frq": 9})
    >>> frontend_arguments(MelFilterbanks, config)
    Traceback (most recent call last):
    leaf_files.errors.UserError: settings of the frontend mel must be of compression,
    ..., window_stride. Received: max_frq (did you mean max_freq?)
    """
    known = settings_of_frontend(make)
    arguments = {}
    for name, value in config.frontend_settings.items():
        if name not in known:
            raise UserError(
                f"settings of the frontend {config.frontend} must be of "
                f"{', '.join(known)}. Received: {name}{did_you_mean([name], known)}"
            )
        kinds = known[name]
        if value is None and type(None) not in kinds and str in kinds:
            value = "none"  # the name of a choice
        if not _fits(value, kinds):
            [received] = settings_in_words({name: value})
            raise UserError(
                f"the setting {name} of the frontend {config.frontend} must be "
                f"{_in_words(kinds)}. Received: {received.partition('=')[2]}"
            )
        arguments[name] = value
    return arguments


def refusal(config, error):
    """The `UserError` for a frontend that refused its settings by a ValueError.

    >>> from training.settings.config import FitConfig
    >>> settings = {"compression": "lgo"}
    >>> config = FitConfig("drums", frontend="mel", frontend_settings=settings)
    >>> print(refusal(config, ValueError("must be one of ('log',). Received: 'lgo'")))
    the frontend mel can't be made with 40 filters at 16000 Hz and compression=lgo:
    must be one of ('log',). Received: 'lgo' (did you mean log?)
    """
    settings = "".join(
        f" and {words}" for words in settings_in_words(config.frontend_settings)
    )
    texts = {v for v in config.frontend_settings.values() if isinstance(v, str)}
    quoted = set(re.findall(r"'([\w.-]+)'", str(error)))
    return UserError(
        f"the frontend {config.frontend} can't be made with {config.n_filters} "
        f"filters at {config.sample_rate} Hz{settings}: {error}"
        f"{did_you_mean(texts & quoted, quoted - texts)}"
    )


def _kinds(annotation):
    is_union = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    return frozenset(typing.get_args(annotation) if is_union else (annotation,))


def _fits(value, kinds):
    if isinstance(value, int) and not isinstance(value, bool):
        return int in kinds or float in kinds
    return type(value) in kinds


def _in_words(kinds):
    if float in kinds:
        kinds = kinds - {int}
    words = [words for kind, words in _KINDS.items() if kind in kinds]
    return " or ".join([*words, "none"] if type(None) in kinds else words)
