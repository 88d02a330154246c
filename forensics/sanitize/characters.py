"""Remove control characters from log text and write hidden ones out."""

from __future__ import annotations

import re

from forensics.sanitize.lazy_pattern import LazyPattern

# ECMA-48: CSI and the string sequences (OSC, DCS, SOS, PM, APC), 7-bit and 8-bit. A string that never ends loses only its introducer,
# so that a line cannot hide what follows it; nor does one that the next one interrupts, so that each is searched for its end once.
_ANSI = LazyPattern(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,8}[0-~]"
)
_LINE_ENDS = LazyPattern(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = LazyPattern(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_BYTES = LazyPattern(r"[\udc80-\udcff]")  # bytes that were not UTF-8, as "surrogateescape" leaves them
# Characters that are not shown, or reorder what a reader sees (CVE-2021-42574). A table to add to; the source of most is
# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, of the others what fonts leave blank.
NEVER_SHOWN = (
    "\u00ad"  # soft hyphen
    "\u034f"  # combining grapheme joiner
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides, isolates
    "\u115f\u1160\u3164\uffa0"  # fillers of Hangul
    "\u17b4\u17b5"  # inherent vowels of Khmer
    "\u180b-\u180f"  # variation selectors and vowel separator of Mongolian
    "\u200b\u2060\ufeff"  # spaces and joiners without width
    "\u2061-\u2065\u206a-\u206f"  # invisible operators, deprecated format characters
    "\ufff0-\ufffb"  # interlinear annotation, and what is reserved before it
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"  # format of hieroglyphs, shorthand, music
    "\U000e0000-\U000e0fff"  # tags, which spell ASCII that nobody sees, and the supplement of variation selectors
    "\ud800-\udfff"  # halves of pairs: not UTF-8
)
# These are part of ordinary text, but only beside the characters that they change: joiners in emoji and in scripts from Arabic to Khmer,
# variation selectors after what has variants, a blank pattern of Braille beside other patterns.
_JOINED = "\u0600-\u1cff\u2190-\u2bff\u3030\u303d\u3297\u3299\ufb50-\ufdff\ufe0f\ufe70-\ufefc\U0001f000-\U0001faff"
_VARIED = (
    "#*0-9\u00a9\u00ae\u1000-\u109f\u1800-\u18af\u2010-\u2027\u2030-\u205e\u2070-\u27ff\u2900-\u3163\u3165-\u3299"
    "\u3400-\u9fff\ua840-\ua87f\uf900-\ufaff\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_HIDDEN = LazyPattern(
    f"[{NEVER_SHOWN}]"
    f"|(?<![{_JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
    f"|(?<![{_VARIED}])[\ufe00-\ufe0f]"
    "|(?<![\u2800-\u28ff])\u2800++(?![\u2801-\u28ff])"
)
_UNPRINTED = LazyPattern(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def without_controls(text: str) -> str:
    """Remove terminal sequences and C0/C1 controls; line ends become newlines, tabs four spaces."""
    if text.isprintable():  # true of nearly every line, and 50 times faster than searching
        return text
    text = _LINE_ENDS.sub("\n", _ANSI.sub("", text)).replace("\t", "    ")
    return _CONTROLS.sub("", text)


def make_visible(text: str) -> str:
    r"""Write out characters that reorder or hide text: U+202E becomes ⟨U+202E⟩, a byte that is not UTF-8 becomes \xNN."""
    if text.isascii():  # others are searched: `isprintable` is true of a filler of Hangul
        return text
    text = _BYTES.sub(lambda m: f"\\x{ord(m[0]) - 0xDC00:02x}", text)
    return _HIDDEN.sub(_code_points, text)


def visible_name(name: str) -> str:
    """Write out every character of a unit's, class's or host's name that cannot be seen, so that two names never look the same."""
    if name.isascii() and name.isprintable():
        return name
    return make_visible(_UNPRINTED.sub(_code_points, name))


def _code_points(match: re.Match[str]) -> str:
    return "".join(f"⟨U+{ord(character):04X}⟩" for character in match[0])
