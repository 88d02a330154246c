"""Write text into Markdown so that it is shown exactly as it is, and no log line can become markup."""

from __future__ import annotations

import re

from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.length import cut, one_line

# GitHub also turns http://, www., user@host, :emoji: and @mentions into markup, and a list or heading at the start of a line.
_SPECIAL = LazyPattern(r"([\\`*_{}\[\]#!|~$@]|:(?=//|\w+:)|(?<=www)\.|^[-+=](?=\s|$)|(?<=^\d)[.)](?=\s))", re.IGNORECASE)
_LONGEST_CELL, _LONGEST_QUOTE = 300, 1024


def plain(text: str, longest: int = _LONGEST_CELL) -> str:
    """Escape text so that inline Markdown shows exactly it: HTML as entities, everything that could be markup escaped."""
    text = one_line(text, longest).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def quoted(text: str, longest: int = _LONGEST_QUOTE) -> str:
    """Write a code block; its fence is longer than any backticks inside."""
    text = cut(text, longest)
    fence = "`" * max(3, 1 + max((len(ticks) for ticks in re.findall(r"`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"
