"""Limit the length of text that is shown."""

from __future__ import annotations

LONGEST = 4096  # bytes of UTF-8 that are shown of one string


def cut(text: str, longest: int = LONGEST, more: int = 0) -> str:
    """Cut to `longest` bytes of UTF-8 and append how many are missing, including `more` cut off earlier."""
    if len(text) <= longest // 4 and not more:
        return text
    raw = text.encode()
    if len(raw) <= longest and not more:
        return text
    head = raw[:longest].decode(errors="ignore")
    return f"{head} … [cut: {len(raw) - len(head.encode()) + more:,} more bytes]"


def one_line(text: str, longest: int = LONGEST) -> str:
    """Join the text into one line and cut it."""
    return cut(" ".join(text.split()), longest)


def brief(text: str, characters: int) -> str:
    """Shorten the text to a label of at most `characters`."""
    text = one_line(text)
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"
