"""Writes the tables of options and settings into the reference pages as they are built.

A line `<!-- options: leaf-train fit -->` becomes the options of that command, as its
parser has them, and `<!-- settings -->` the keys of a `config.json`. See mkdocs.yml.
"""

import argparse
import json
import re


def on_page_markdown(markdown, **kwargs):
    """Called by mkdocs for each page."""
    return filled(markdown)


def filled(markdown):
    """A page with its tables."""
    found = parsers()
    markdown = re.sub(
        r"<!-- options: ([\w -]+?) -->",
        lambda place: "\n".join(options(found[place[1]])),
        markdown,
    )
    return markdown.replace("<!-- settings -->", "\n".join(settings(found)))


def parsers():
    """{command: its parser} of all commands."""
    from export.commands.arguments import PARSERS
    from training.commands.arguments import make_parser

    [commands] = make_parser()._subparsers._group_actions
    found = {f"leaf-train {name}": p for name, p in commands.choices.items()}
    for name, make in PARSERS.items():
        found[f"leaf-export {name}".removesuffix(" export")] = make()
    return found


def options(parser):
    """Yields lines of Markdown: a table for each group of options."""
    for group in parser._action_groups:
        actions = [a for a in group._group_actions if a.dest != "help"]
        if not actions:
            continue
        title = group.title.replace("positional arguments", "arguments")
        yield from ("", f"| {title} | |", "| --- | --- |")
        for action in actions:
            yield f"| {_code(_invocation(action))} | {_help(parser, action)} |"


def settings(found):
    """Yields lines of Markdown: a table of the settings of a run."""
    from training.settings.config import FitConfig
    from training.settings.fields import REQUIRED, settings_of

    parser = found["leaf-train fit"]
    actions = {action.dest: action for action in parser._actions}
    yield from ("", "| key | default | |", "| --- | --- | --- |")
    for name, entry in settings_of(FitConfig).items():
        default, text = "required", _help(parser, actions[name])
        if entry.default is not REQUIRED:
            default = _code(json.dumps(entry.default))
        if entry.default not in (None, {}):  # of these the words say what it means
            text = re.sub(r" \(default: [^)]*\)", "", text)
        yield f"| {_code(name)} | {default} | {text} |"


def _invocation(action):
    """How an option is written: --output RUN."""
    if not action.option_strings:
        return action.metavar or action.dest
    written = " / ".join(action.option_strings)
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return written
    metavar = action.metavar or ("NAME" if action.choices else action.dest.upper())
    return f"{written} {metavar}"


def _help(parser, action):
    text = parser._get_formatter()._expand_help(action)
    if action.choices and action.option_strings:
        text += f"; one of {', '.join(map(str, action.choices))}"
    if action.required and action.option_strings:
        text += " (required)"
    return _escaped(text)


def _escaped(text):
    """Help as Markdown in a table: what looks like a tag or a column is text."""
    return re.sub(r"([|<>*_\[\]])", r"\\\1", text)


def _code(text):
    return f"`{text}`".replace("|", "\\|")
