"""Recognise what Helm or Jinja has yet to fill in, and put words in its place so that the rest of a file can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forensics.sanitize import brief

_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_OPENERS = {kinds: re.compile(rf"\{{[{kinds}]") for kinds in ("{%#", "{%", "{#", "%#", "{", "%", "#")}
_WIDEST = 1000  # characters of a line beside a template
_HELM = re.compile(r"\{\{-|-\}\}|\$|\.(?:Values|Release|Chart|Files|Capabilities)\b|\b(?:include|tpl|template|toYaml|nindent)\b")
_JINJA = re.compile(r"\{[%#]|\{\{\s*[a-z_]\w*(?:\.\w+|\[[^]]*\])*\s*(?:\||\}\})")
_WORD = "__template_{}__"  # a plain YAML scalar, also within quotes and expressions
_STAND_IN = re.compile(_WORD.format(r"(\d+)"))


def has_template(text: str) -> bool:
    return next(_templates(text), None) is not None


def template_in(text: str) -> str:
    """Name the first template in a value and what fills it in; "" where there is none."""
    found = next(_templates(text), None)
    return "" if found is None else _sentence(text[slice(*found)])


def template_at(text: str, offset: int) -> str:
    """Name the template that starts at an offset of a file, where YAML takes `{{ x }}` for a mapping; "" where there is none."""
    start = text[offset : offset + 10_000]
    found = next(_templates(start), None)
    return "" if found is None or found[0] else _sentence(start[slice(*found)])


def template_offset(text: str) -> int:
    """Return where the first template of a value begins."""
    return next(_templates(text))[0]


def stand_ins(text: str) -> tuple[str, list[str]]:
    """Blank the lines that are templates only, and put a word in place of each other template; the lines keep their numbers.

    Returns the text and what the words stand for.
    """
    templates: list[str] = []
    parts: list[str] = []
    done = 0
    for start, end in _templates(text):
        template = text[start:end]
        parts.append(text[done:start])
        if not _is_alone(text, start, end):
            parts.append(_WORD.format(len(templates)))
            templates.append(template)
        parts.append("\n" * template.count("\n"))
        done = end
    return "".join([*parts, text[done:]]), templates


def first_alone(text: str) -> tuple[int, str] | None:
    """Find the first line that is a template only: its number, and a sentence that names it."""
    found = next(((start, end) for start, end in _templates(text) if _is_alone(text, start, end)), None)
    return None if found is None else (text.count("\n", 0, found[0]) + 1, _sentence(text[slice(*found)]))


def filled_again(value: str, templates: list[str]) -> str:
    """Put the templates back for the words of `stand_ins`."""
    return _STAND_IN.sub(lambda found: templates[int(found[1])] if int(found[1]) < len(templates) else found[0], value)


def _templates(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each template; a kind that is never closed again is not searched for."""
    at, kinds = 0, "{%#"
    while kinds and (found := _OPENERS[kinds].search(text, at)):
        end = text.find(_CLOSERS[found[0]], found.end())
        if end < 0:
            kinds = kinds.replace(found[0][1], "")
            at = found.start()
        else:
            at = end + 2
            yield found.start(), at


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether nothing but space is on the lines of a template."""
    nearby = max(start - _WIDEST, 0)
    before = text[max(text.rfind("\n", nearby, start) + 1, nearby) : start]
    after = text[end : end + _WIDEST].partition("\n")[0]
    return not before.strip() and not after.strip()


def _sentence(template: str) -> str:
    if _JINJA.match(template) and not _HELM.search(template):
        filled_in = "a Jinja template; render the file first"
    elif _HELM.search(template):
        filled_in = "a Helm template; render the file first (helm template)"
    else:
        filled_in = "a template (Helm or Jinja); render the file first"
    return f"'{brief(template, 60)}' is {filled_in}"
