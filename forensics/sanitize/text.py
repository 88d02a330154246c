"""Hostile text → text that is inert in every format: no control characters, no hidden ones, no endless lines."""

from __future__ import annotations

import re

LONGEST = 4096  # bytes of UTF-8 that are shown of one string

# ECMA-48: CSI and the string sequences (OSC, DCS, SOS, PM, APC), 7-bit and 8-bit. A string that never ends loses only its introducer,
# so that a line cannot hide what follows it.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,8}[0-~]"
)
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_BYTES = re.compile(r"[\udc80-\udcff]")  # bytes that were not UTF-8, as "surrogateescape" leaves them
# Bidirectional controls reorder what a reader sees (CVE-2021-42574); the others cannot be seen at all.
_HIDDEN = re.compile(r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]")


def without_controls(text: str) -> str:
    """The text without terminal sequences and C0/C1 controls; line ends are newlines, tabs four spaces."""
    if text.isprintable():  # true of nearly every line, and 50 times faster than looking
        return text
    text = _LINE_ENDS.sub("\n", _ANSI.sub("", text)).replace("\t", "    ")
    return _CONTROLS.sub("", text)


def shown(text: str) -> str:
    r"""Characters that reorder or hide text, written out: U+202E becomes ⟨U+202E⟩, a byte that is not UTF-8 becomes \xNN."""
    if text.isprintable():
        return text
    text = _BYTES.sub(lambda m: f"\\x{ord(m[0]) - 0xDC00:02x}", text)
    return _HIDDEN.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", text)


def cut(text: str, longest: int = LONGEST, more: int = 0) -> str:
    """At most `longest` bytes of UTF-8, and how many more there were; `more` were cut off before."""
    if len(text) <= longest // 4 and not more:
        return text
    raw = text.encode()
    if len(raw) <= longest and not more:
        return text
    head = raw[:longest].decode(errors="ignore")
    return f"{head} … [cut: {len(raw) - len(head.encode()) + more:,} more bytes]"


def one_line(text: str, longest: int = LONGEST) -> str:
    """The text on one line, cut."""
    return cut(" ".join(text.split()), longest)


def brief(text: str, letters: int) -> str:
    """The start of the text as a label."""
    text = one_line(text)
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


_BEGINS = re.compile(r"\s*(?:\d+[.)]|[-*•])\s")


def reflowed(text: str) -> str:
    """A person's paragraphs and list items, one line each: where a file's lines were broken says nothing about the page."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if lines and lines[-1] and line.strip() and not _BEGINS.match(line):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return "\n".join(lines)


def code_spans(text: str) -> list[tuple[bool, str]]:
    """Words and the `commands` between backticks, as (is a command, text)."""
    return [(k % 2 == 1, part) for k, part in enumerate(text.split("`")) if part]
