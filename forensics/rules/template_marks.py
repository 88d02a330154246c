"""Recognise what Helm or Jinja has yet to fill in, and blank it so that the rest of a file can be read."""

from __future__ import annotations

import re

from forensics.sanitize import brief

_ACTION = r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}"
TEMPLATE = re.compile(_ACTION, re.DOTALL)
_ALONE = re.compile(rf"^[ \t]*(?:{_ACTION})(?:[ \t]*(?:{_ACTION}))*[ \t]*(?:#.*)?$", re.MULTILINE)
_HELM = re.compile(r"\{\{-|-\}\}|\$|\.(?:Values|Release|Chart|Files|Capabilities)\b|\b(?:include|tpl|template|toYaml|nindent)\b")
_JINJA = re.compile(r"\{[%#]|\{\{\s*[a-z_]\w*(?:\.\w+|\[[^]]*\])*\s*(?:\||\}\})")
_STANDS_FOR = "__template_{}__"  # a plain YAML scalar, also within quotes and expressions
_STAND_IN = re.compile(_STANDS_FOR.format(r"(\d+)"))


def template_in(text: str) -> str:
    """Name the first template in a value and what fills it in; "" where there is none."""
    found = TEMPLATE.search(text)
    return "" if found is None else _sentence(found[0])


def template_at(text: str, offset: int) -> str:
    """Name the template that starts at an offset of a file, where YAML takes `{{ x }}` for a mapping; "" where there is none."""
    found = TEMPLATE.match(text, offset)
    return "" if found is None else _sentence(found[0])


def stand_ins(text: str) -> tuple[str, list[str]]:
    """Blank the lines that are templates only, and put a word in place of each other template; the lines keep their numbers.

    Returns the text and what the words stand for.
    """
    templates: list[str] = []

    def word(found: re.Match[str]) -> str:
        templates.append(found[0])
        return _STANDS_FOR.format(len(templates) - 1) + "\n" * found[0].count("\n")

    blanked = _ALONE.sub(lambda found: "\n" * found[0].count("\n"), text)
    return TEMPLATE.sub(word, blanked), templates


def first_alone(text: str) -> tuple[int, str] | None:
    """Find the first line that is a template only: its number, and a sentence that names it."""
    found = _ALONE.search(text)
    return None if found is None else (text.count("\n", 0, found.start()) + 1, _sentence(found[0].strip()))


def filled_again(value: str, templates: list[str]) -> str:
    """Put the templates back for the words of `stand_ins`."""
    return _STAND_IN.sub(lambda found: templates[int(found[1])] if int(found[1]) < len(templates) else found[0], value)


def _sentence(template: str) -> str:
    if _JINJA.match(template) and not _HELM.search(template):
        filled_in = "a Jinja template; render the file first"
    elif _HELM.search(template):
        filled_in = "a Helm template; render the file first (helm template)"
    else:
        filled_in = "a template (Helm or Jinja); render the file first"
    return f"'{brief(template, 60)}' is {filled_in}"
