"""Every match of a pattern contains one of its required literals: otherwise the prefilter would lose hits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.signatures.prefilter import required

PATTERNS = [
    r"undefined symbol: (?P<symbol>_Z\w*?(?:3c10|5torch)\w*)",
    r"(?i)address already in use|EADDRINUSE",
    r"(?:foobar|bazqux)+ then (?i:Kelvin scale)?",
    r"(?:alphabet){2,3}x?y{0,3}[ab]omega",
    r"\bport (?P<port>\d+) is (?:taken|busy now)\b",
]


@given(data=st.data(), pattern=st.sampled_from(PATTERNS))
def test_each_text_that_matches_holds_a_required_literal(data: st.DataObject, pattern: str) -> None:
    literals = required(pattern)
    assert literals is not None
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII)))
    assert any(literal in text.lower() for literal in literals)


@pytest.mark.parametrize(
    ("pattern", "literals", "why"),
    [
        (r"abcdef\d+xy", {"abcdef"}, "the longest piece"),
        (r"Failed|broken", {"failed", "broken"}, "either may be there"),
        (r"failed|\d+", None, "a branch without a literal"),
        (r"(?:failed)?", None, "may be absent"),
        (r"abc", None, "too short to be worth looking for"),
        (r"(?<name>failed)", None, "Rust's spelling of a named group, which `re` cannot read"),
        (r"[a--b]failed", None, "`re` warns that it reads this otherwise"),
        (r"\b{start}failed", None, "a word boundary in Rust, literals for `re`"),
        (r"\<failed\>", None, "word boundaries in Rust, literals for `re`"),
        (r"(?i)desktop", None, "k and s have other forms without regard to case, what is left is too short"),
        (r"gr\u00f6sser als", {"sser als"}, "ASCII only"),
        (r"(?!notthis)butthis", {"butthis"}, "look-around requires nothing"),
    ],
)
def test_required_literals(pattern: str, literals: set[str] | None, why: str) -> None:
    assert required(pattern) == (None if literals is None else tuple(sorted(literals))), why
