"""Every match of a pattern contains one of its required literals: otherwise the prefilter would lose hits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.signatures.prefilter import plain, required

PATTERNS = [
    r"undefined symbol: (?P<symbol>_Z\w*?(?:3c10|5torch)\w*)",
    r"(?i)address already in use|EADDRINUSE",
    r"(?:foobar|bazqux)+ then (?i:Kelvin scale)?",
    r"(?:alphabet){2,3}x?y{0,3}[ab]omega",
    r"\bport (?P<port>\d+) is (?:taken|busy now)\b",
]


@given(data=st.data(), pattern=st.sampled_from(PATTERNS))
def test_each_text_that_matches_holds_a_required_literal(data: st.DataObject, pattern: str) -> None:
    sets = required(pattern)
    assert sets
    text = plain(data.draw(st.from_regex(re.compile(pattern, re.ASCII))))
    assert all(any(literal in text for literal in literals) for literals in sets)


@pytest.mark.parametrize(
    ("pattern", "sets", "why"),
    [
        (r"abcdef\d+xyz", [{"abcdef"}, {"xyz"}], "all pieces, the longest first"),
        (r"Failed|broken", [{"failed", "broken"}], "either may be there"),
        (r"(?:no|cannot) (?:open|read)", [{"open", "read"}], "each choice, unless a literal is too short to be worth looking for"),
        (r"[Ff]atal[^:]", [{"fatal"}], "a class of one letter"),
        (r"failed|\d+", [], "a branch without a literal"),
        (r"(?:failed)?", [], "may be absent"),
        (r"ab", [], "too short"),
        (r"(?<name>failed)", [], "Rust's spelling of a named group, which `re` cannot read"),
        (r"[a--b]failed", [], "`re` warns that it reads this otherwise"),
        (r"\b{start}failed", [], "a word boundary in Rust, literals for `re`"),
        (r"\<failed\>", [], "word boundaries in Rust, literals for `re`"),
        (r"(?i)desktop", [{"desktop"}], "the other forms of k and s are replaced in the text"),
        (r"gr\u00f6sser als", [{"sser als"}], "ASCII only"),
        (r"(?!notthis)butthis", [{"butthis"}], "look-around requires nothing"),
        (r"aaa\dbbb\dccc\dddd", [{"aaa"}, {"bbb"}, {"ccc"}], "three are enough"),
    ],
)
def test_required_literals(pattern: str, sets: list[set[str]], why: str) -> None:
    assert required(pattern) == tuple(tuple(sorted(literals)) for literals in sets), why
