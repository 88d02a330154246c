"""Remove control characters from log text and write hidden ones out."""

from __future__ import annotations

import re

# ECMA-48: CSI and the string sequences (OSC, DCS, SOS, PM, APC), 7-bit and 8-bit. A string that never ends loses only its introducer,
# so that a line cannot hide what follows it; nor does one that the next one interrupts, so that each is searched for its end once.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,8}[0-~]"
)
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_BYTES = re.compile(r"[\udc80-\udcff]")  # bytes that were not UTF-8, as "surrogateescape" leaves them
# Bidirectional controls reorder what a reader sees (CVE-2021-42574); the others cannot be seen at all.
_HIDDEN = re.compile(r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]")


def without_controls(text: str) -> str:
    """Remove terminal sequences and C0/C1 controls; line ends become newlines, tabs four spaces."""
    if text.isprintable():  # true of nearly every line, and 50 times faster than searching
        return text
    text = _LINE_ENDS.sub("\n", _ANSI.sub("", text)).replace("\t", "    ")
    return _CONTROLS.sub("", text)


def make_visible(text: str) -> str:
    r"""Write out characters that reorder or hide text: U+202E becomes ⟨U+202E⟩, a byte that is not UTF-8 becomes \xNN."""
    if text.isprintable():
        return text
    text = _BYTES.sub(lambda m: f"\\x{ord(m[0]) - 0xDC00:02x}", text)
    return _HIDDEN.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", text)
