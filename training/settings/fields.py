"""Settings, declared once as fields of a dataclass.

From the entry of a field follow its check, its paragraph in the docstring of the class
and its option on a command line:

    n_filters: int = setting(40, "model", "channels of the features", rule=AT_LEAST_ONE)

Imports nothing heavy.
"""

import dataclasses
import textwrap
import types
import typing
from collections.abc import Callable
from typing import Any

from leaf_files.command_line import did_you_mean

REQUIRED = object()  # the default of a setting that must be given
COLUMNS = "columns of a table"
# Titles of the groups of options in help, in order.
GROUPS = (
    "training",
    "model",
    "data",
    COLUMNS,
    "balance of tasks and classes",
    "augmentation",
)
_KEY = "setting"
_DOCSTRING_WIDTH = 88
_Class = typing.TypeVar("_Class")


class Rule(typing.NamedTuple):
    """A rule for values.

    Attributes:
        words: Rule in words that follow "must be", such as "at least 1".
        holds: Function of a value of the setting's type: whether the rule holds.

    >>> Rule("even", lambda value: value % 2 == 0).holds(3)
    False
    """

    words: str
    holds: Callable[[Any], bool]


AT_LEAST_ONE = Rule("at least 1", lambda value: value >= 1)


class _Kind(typing.NamedTuple):
    """The notation of a type's values on a command line."""

    words: str
    metavar: str
    parse: Callable[[str], Any]


def _numbers(text):
    return tuple(float(number) for number in text.split(","))


_KINDS = {
    int: _Kind("a whole number", "N", int),
    float: _Kind("a number", "X", float),
    str: _Kind("text", "TEXT", str),
    tuple: _Kind("numbers separated by commas", "X,X", _numbers),
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """The entry of a setting.

    Attributes:
        words: Description, a noun phrase; of a bool, a verb phrase for true.
        group: One of `GROUPS`; None for a setting whose option each command makes
            otherwise.
        rule: `Rule` of its values, None for any of the type.
        choices: All allowed values; the rule follows from them. An option has them
            too, unless it has a `parse`.
        none: Meaning of None, such as "no limit"; of a dict that of an empty one.
        metavar: Placeholder for the value in help; None for that of the type.
        parse: Function of the text of an option, which raises a ValueError that says
            what is allowed; None for that of the type.
        name, annotation, default: Name, type and default of the field.

    >>> entry = Setting("windows in a batch", "training", AT_LEAST_ONE, annotation=int)
    >>> entry.read("8")
    8
    >>> entry.read("0")
    Traceback (most recent call last):
    ValueError: must be at least 1. Received: 0
    """

    words: str
    group: str | None
    rule: Rule | None = None
    choices: tuple[str, ...] | None = None
    none: str | None = None
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None
    name: str = ""
    annotation: Any = None
    default: Any = REQUIRED

    def __post_init__(self):
        if self.group not in (None, *GROUPS):
            raise ValueError(f"`group` must be one of {GROUPS}. Received: {self.group}")

    @property
    def is_bool(self) -> bool:
        """Whether the setting is on or off."""
        return self.annotation is bool

    @property
    def is_mapping(self) -> bool:
        """Whether the setting is a dict, of which an option gives one entry."""
        return typing.get_origin(self.annotation) is dict

    @property
    def is_optional(self) -> bool:
        """Whether the setting may be None."""
        return type(None) in typing.get_args(self.annotation)

    @property
    def default_in_words(self) -> str:
        """The default as help writes it; "" for a bool, or without a default."""
        if self.is_bool or self.default is REQUIRED:
            return ""
        if isinstance(self.default, tuple):
            return ",".join(f"{number:g}" for number in self.default)
        return str(self.none if self.default in (None, {}) else self.default)

    @property
    def value_metavar(self) -> str:
        """Placeholder for the value in help."""
        return self.metavar or self._kind.metavar

    def require(self, value: Any) -> None:
        """Checks a value that is not None and of the type.

        Raises:
            ValueError: It breaks the rule: "must be at least 1. Received: 0".
        """
        if self.rule and not self.rule.holds(value):
            hint = did_you_mean([value], self.choices or ())
            raise ValueError(f"must be {self.rule.words}. Received: {value}{hint}")

    def require_type(self, value: Any) -> None:
        """Checks the type of a value; whole numbers will do for float.

        Raises:
            ValueError: "must be int. Received: '8'".
        """
        kind = self.annotation
        if not _is_of(value, kind):
            name = kind.__name__ if isinstance(kind, type) else str(kind)
            raise ValueError(f"must be {name}. Received: {value!r}")

    def read(self, text: str) -> Any:
        """The checked value of the text of an option; "none" for None.

        Raises:
            ValueError: It is of another type, or breaks the rule.
        """
        if self.is_optional and text == "none":
            return None
        if self.parse is not None:
            return self.parse(text)
        try:
            value = self._kind.parse(text)
        except ValueError:
            or_none = " or none" if self.is_optional else ""
            raise ValueError(
                f"must be {self._kind.words}{or_none}. Received: {text}"
            ) from None
        self.require(value)
        return value

    @property
    def paragraph(self) -> str:
        """The setting's entry in a docstring."""
        words = f"whether to {self.words}" if self.is_bool else self.words
        parts = [words[0].upper() + words[1:]]
        if self.rule:
            parts.append(self.rule.words)
        if self.none:
            parts.append(f"{'{}' if self.is_mapping else None} for {self.none}")
        if self.default_in_words and not self.none:
            parts.append(f"{self.default_in_words} by default")
        return f"{self.name}: {'; '.join(parts)}."

    @property
    def _kind(self):
        """The notation of values that aren't None."""
        is_union = typing.get_origin(self.annotation) is types.UnionType
        kinds = typing.get_args(self.annotation) if is_union else (self.annotation,)
        for kind in kinds:
            if kind in _KINDS:
                return _KINDS[kind]
        return _KINDS[tuple]


def setting(default: Any, group: str | None, words: str, **details: Any) -> Any:
    """A dataclass field with the entry of a setting.

    Args:
        default: Default of the field, or `REQUIRED`.
        group, words: See `Setting`.
        **details: `rule`, `choices`, `none`, `metavar` and `parse`, see `Setting`.

    >>> @dataclasses.dataclass
    ... class Walk:
    ...     steps: int = setting(3, "training", "steps of the walk", rule=AT_LEAST_ONE)
    >>> Walk().steps, settings_of(Walk)["steps"].words
    (3, 'steps of the walk')
    """
    choices = details.get("choices")
    if choices:
        details["rule"] = Rule(f"one of {', '.join(choices)}", choices.__contains__)
    entry = Setting(words, group, default=default, **details)
    if isinstance(default, dict):  # a new one for each, which has no hash
        return dataclasses.field(
            metadata={_KEY: entry}, default_factory=default.copy, hash=False
        )
    default_of_field = {} if default is REQUIRED else {"default": default}
    return dataclasses.field(metadata={_KEY: entry}, **default_of_field)


def settings_of(cls: type) -> dict[str, Setting]:
    """The settings of a dataclass, {name: `Setting`}, in the order of its fields.

    >>> from training.settings.config import FitConfig
    >>> settings_of(FitConfig)["n_filters"].default
    40
    """
    return {
        field.name: dataclasses.replace(
            field.metadata[_KEY],
            name=field.name,
            annotation=field.type,
        )
        for field in dataclasses.fields(cls)
    }


def documented(cls: type[_Class]) -> type[_Class]:
    """A class decorator: puts the settings into the docstring, before "Raises:".

    >>> from training.settings.config import FitConfig  # a documented class
    >>> [line.strip() for line in FitConfig.__doc__.splitlines() if "filters:" in line]
    ['n_filters: Channels of the features; at least 1; 40 by default.']
    """
    if cls.__doc__:  # python -OO has none
        entries = [
            textwrap.fill(
                entry.paragraph,
                _DOCSTRING_WIDTH,
                initial_indent=8 * " ",
                subsequent_indent=12 * " ",
            )
            for entry in settings_of(cls).values()
        ]
        attributes = "\n".join(["Attributes:", *entries])
        summary, raises, errors = cls.__doc__.partition("Raises:")
        cls.__doc__ = f"{summary}{attributes}\n\n    {raises}{errors}"
    return cls


def _is_of(value, kind):
    """Whether a value is of a field's type."""
    if typing.get_origin(kind) is types.UnionType:
        return any(_is_of(value, option) for option in typing.get_args(kind))
    if typing.get_origin(kind) is dict:
        return isinstance(value, dict)  # its entries have a check of their own
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is_of(v, float) for v in value)
    if isinstance(value, bool):  # an int to Python
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)
