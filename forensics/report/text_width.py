"""Estimate how wide a text is in the figures' 12 px font, on the safe side."""

from __future__ import annotations

from functools import cache
from unicodedata import east_asian_width

_SIZE = 12.0
_BOLD = 1.14
# Widths in parts of the font's size, of DejaVu Sans as Chromium measures it: the widest of the fonts that the style sheet names.
_WIDTHS = {
    **dict.fromkeys("'ijl", 0.28),
    **dict.fromkeys(" ,.·IJ", 0.32),
    **dict.fromkeys("/:;\\|f-", 0.36),
    **dict.fromkeys("()[]tr!‹›", 0.41),
    **dict.fromkeys('"*_`–sz?', 0.53),
    **dict.fromkeys("ckvxyLFP", 0.6),
    **dict.fromkeys("aeoT", 0.62),
    **dict.fromkeys("AVBRXZCK", 0.7),
    **dict.fromkeys("UHNDGOQ&", 0.79),
    **dict.fromkeys("wM#+<=>^~−→×", 0.86),
    **dict.fromkeys("mW%@…—", 1.0),
}


def text_width(text: str, *, bold: bool = False) -> float:
    """Return the width in pixels."""
    return sum(map(_width, text)) * _SIZE * (_BOLD if bold else 1.0)


@cache
def _width(character: str) -> float:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if character.isascii():
        return 0.65
    return 1.1 if east_asian_width(character) in "WF" else 0.92


def fitted(text: str, width: float, *, bold: bool = False) -> str:
    """Shorten the text to the width, with an ellipsis where it is cut."""
    if text_width(text, bold=bold) <= width:
        return text
    room = width - text_width("…", bold=bold)
    kept = 0
    while kept < len(text) and (room := room - text_width(text[kept], bold=bold)) >= 0:
        kept += 1
    return text[:kept].rstrip() + "…"
