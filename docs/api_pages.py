"""Readies docstrings for the API pages, and checks the pages: see mkdocs.yml.

mkdocstrings reads Google's sections; of ours it would take "Input shape: (batch, ..."
for a box of that title, and a `>>>` in "Example:" for a quotation. Here such sections
become paragraphs and lists of Markdown before it reads them.
"""

import logging
import re

import griffe

# Of Google's sections, those that mkdocstrings shows well.
_READ_BY_MKDOCSTRINGS = ("Args", "Examples", "Raises", "Yields")
_LABEL = re.compile(
    r"(?P<name>Args|Attributes|Call arguments|Examples?|Inputs?|Input shape|Outputs?"
    r"|Output shape|Raises|Returns|Sources?|Weights|Yields):(?: (?P<text>.*))?"
)

_log = logging.getLogger("mkdocs.hooks.api_pages")


class Docstrings(griffe.Extension):
    """Rewrites what is loaded, each class and function."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = readable(obj.docstring.value)

    def on_function(self, *, func, loader, **kwargs):
        """A default that is a constant of ours is shown as its value."""
        for parameter in func.parameters:
            if isinstance(parameter.default, griffe.ExprName):
                path = parameter.default.canonical_path
                if path.startswith("leaf_tf."):
                    constant = loader.modules_collection[path]
                    if constant.is_attribute:
                        parameter.default = constant.value


def readable(docstring):
    """A docstring whose sections are Google's, or Markdown.

    Args:
        docstring: Without the indentation of its source.
    """
    lines, written = docstring.split("\n"), []
    while lines:
        line = lines.pop(0)
        label = _LABEL.fullmatch(line)
        if label is None:
            written.append(line)
            continue
        text, body = label["text"] or "", []
        while lines and _goes_on(lines, is_paragraph=bool(text)):
            body.append(lines.pop(0))
        written += ["", *_section(label["name"], text, body), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(written)).strip("\n")


def on_page_content(html, page, **kwargs):
    """Warns, which `mkdocs build --strict` refuses, of pages that read badly."""
    if "doc-object" not in html:
        return
    for start in re.split(r'<div class="doc doc-object ', html)[1:]:
        [name] = re.findall(r'id="([\w.]+)"', start)[:1]
        if "doc-signature" not in start:
            _log.warning("%s: %s has no signature", page.file.src_path, name)
        for tag in ("<blockquote", "<details"):
            if tag in start:
                _log.warning("%s: %s has a %s>", page.file.src_path, name, tag)


def _goes_on(lines, is_paragraph):
    """Whether a section holds the next line: it is indented, or of its paragraph."""
    if not lines[0].strip():
        return len(lines) > 1 and lines[1].startswith(" ")
    return lines[0].startswith(" ") or (is_paragraph and not _LABEL.fullmatch(lines[0]))


def _section(name, text, body):
    """Yields the lines of a section."""
    name = "Examples" if name == "Example" else name
    if name in _READ_BY_MKDOCSTRINGS:
        yield f"{name}:{' ' * bool(text)}{text}"
        yield from body
    elif text or name == "Returns":
        yield f"**{name}:** {text} {' '.join(line.strip() for line in body)}"
    else:
        yield from (f"**{name}:**", "")
        indent = min(len(line) - len(line.lstrip()) for line in body if line.strip())
        for line in body:
            item = re.fullmatch(r"([\w, ]+): (.*)", line[indent:])
            if item:
                yield f"- {_as_code(item[1])}: {item[2]}"
            else:  # goes on with an item, which Markdown indents
                yield line


def _as_code(names):
    return ", ".join(f"`{name.strip()}`" for name in names.split(","))
