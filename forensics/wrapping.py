"""Wrap paragraphs to the width of a terminal; what is copied (a command, a path, an id) is broken only where it fits on no line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import combining, east_asian_width

_CODE = re.compile(r"\S{0,40}`[^`\n]{1,400}`[^\s`]{0,40}|\S+")  # a code span with what touches it, or a word
_ITEM = re.compile(r"\s{0,40}(?:\d{1,3}[.)]|[-*•])\s{1,4}")
ASCII = str.maketrans("→←–−…·●○✕✎☺◆■▲▁▂▃▄▅▆▇█─×≥≤‘’“”", "><--~|*ox+@#=^.:-=+*%#-x><''\"\"")


def cells(text: str) -> int:
    """Count the columns that a text takes in a terminal."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def _cell(character: str) -> int:
    return 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1


def wrapped(text: str, width: int, hanging: str = "") -> str:
    """Wrap each line of a text. Its indentation is kept, a list item's further lines stand below its text. width 0: as it is.

    hanging: before each line but the first, counted in the width, as is what stands before the first.
    """
    if width <= 0:
        return text.replace("\n", f"\n{hanging}")
    room = max(20, width - cells(hanging))
    return f"\n{hanging}".join(line for paragraph in text.split("\n") for line in _lines(paragraph, room))


def _lines(paragraph: str, width: int) -> Iterator[str]:
    """Yield the lines of one paragraph."""
    item = _ITEM.match(paragraph)
    head = item.group() if item else paragraph[: len(paragraph) - len(paragraph.lstrip())]
    head = head if len(head) < width // 2 else ""
    line, used, indent = head, cells(head), " " * cells(head)
    is_empty = True
    for piece in _pieces(paragraph[len(head) :], width - len(indent)):
        wide = cells(piece)
        if not is_empty and used + 1 + wide > width:
            yield line
            line, used, is_empty = indent, len(indent), True
        line += piece if is_empty else f" {piece}"
        used += wide if is_empty else 1 + wide
        is_empty = False
    yield line.rstrip()


def _pieces(text: str, width: int) -> Iterator[str]:
    """Yield what is kept together: code and words that fit on a line, and parts of those that do not."""
    for match in _CODE.finditer(text):
        piece = match.group()
        for word in (piece,) if cells(piece) <= width else piece.split():
            yield from _cut(word, width)


def _cut(word: str, width: int) -> Iterator[str]:
    """Cut a word that fits on no line, a path behind one of its last slashes."""
    start = 0
    while start < len(word):
        end = start + _fitting(word[start : start + width], width)
        slash = word.rfind("/", start + width // 2, end) + 1
        end = slash if slash and end < len(word) else end
        yield word[start:end]
        start = end


def _fitting(text: str, width: int) -> int:
    """Return how many characters of a text fit; at least one."""
    end = min(len(text), width)
    while end > 1 and cells(text[:end]) > width:
        end -= 1
    return max(1, end)


def shortened(text: str, width: int) -> str:
    """Cut a line to the width, with an ellipsis where something is missing; never within code that would then read like another."""
    if cells(text) <= width:
        return text
    kept = text[: _fitting(text, width - 1)]
    code = kept.rfind("`") if kept.count("`") % 2 else -1
    return (kept[:code] if code > width // 3 else kept).rstrip(" ,;:(") + "…"


def encodable(text: str, encoding: str) -> str:
    """Replace what an encoding lacks: bars, arrows and glyphs by plain characters as wide as they are, all else by a question mark."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode(encoding, "replace").decode(encoding)
    except LookupError:
        return text
    return text
