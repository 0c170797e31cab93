import argparse
import dataclasses

import pytest

from training.commands.arguments import make_parser
from training.settings.config import FitConfig
from training.settings.fields import (
    AT_LEAST_ONE,
    REQUIRED,
    documented,
    setting,
    settings_of,
)


@documented
@dataclasses.dataclass
class Lunch:
    """What is eaten.

    Raises:
        ValueError: Nothing is.
    """

    cook: str = setting(REQUIRED, None, "name of the cook")
    courses: int = setting(3, "training", "courses of the lunch", rule=AT_LEAST_ONE)
    price: float | None = setting(None, "data", "price, cents", none="a free lunch")
    wine: str = setting("red", "data", "color of the wine", choices=("red", "white"))
    spices: tuple[float, ...] | None = setting(None, "data", "spoons", none="mild")
    coffee: bool = setting(False, "model", "serve coffee")


SETTINGS = settings_of(Lunch)


def test_the_docstring_has_an_entry_a_setting():
    assert Lunch.__doc__ == (
        "What is eaten.\n\n"
        "    Attributes:\n"
        "        cook: Name of the cook.\n"
        "        courses: Courses of the lunch; at least 1; 3 by default.\n"
        "        price: Price, cents; None for a free lunch.\n"
        "        wine: Color of the wine; one of red, white; red by default.\n"
        "        spices: Spoons; None for mild.\n"
        "        coffee: Whether to serve coffee.\n\n"
        "    Raises:\n"
        "        ValueError: Nothing is.\n    "
    )


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("courses", "2", 2),
        ("price", "250", 250.0),
        ("price", "none", None),
        ("spices", "1,0.5", (1.0, 0.5)),
        ("cook", "none", "none"),
    ],
)
def test_the_text_of_an_option_is_read(name, text, value):
    assert SETTINGS[name].read(text) == value


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("courses", "0", "must be at least 1. Received: 0"),
        ("courses", "few", "must be a whole number. Received: few"),
        ("price", "much", "must be a number or none. Received: much"),
        ("spices", "1;2", "must be numbers separated by commas or none. Received: 1;2"),
        ("wine", "whit", "must be one of red, white. Received: whit (did you mean whi"),
    ],
)
def test_a_text_that_is_no_value_is_refused(name, text, message):
    with pytest.raises(ValueError) as error:
        SETTINGS[name].read(text)
    assert str(error.value).startswith(message)


def test_the_default_is_that_of_the_dataclass():
    lunch = Lunch("Ada")
    assert (lunch.courses, lunch.price, lunch.wine, lunch.coffee) == (
        *(3, None, "red", False),
    )
    assert SETTINGS["price"].default_in_words == "a free lunch"
    assert SETTINGS["courses"].default_in_words == "3"
    assert SETTINGS["coffee"].default_in_words == ""
    with pytest.raises(TypeError, match="cook"):
        Lunch()


def test_a_group_that_help_does_not_have_is_refused():
    with pytest.raises(ValueError, match="`group` must be one of .* Received: dessert"):
        setting(1, "dessert", "spoons")


def test_each_setting_of_a_run_has_an_option_with_its_words():
    [commands] = [
        action
        for action in make_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    options = {action.dest: action for action in commands.choices["fit"]._actions}
    for name, entry in settings_of(FitConfig).items():
        if name != "task":
            assert options[name].help.startswith(entry.words)
            assert f"        {name}: " in FitConfig.__doc__
