"""Hostile text becomes harmless: nothing a terminal obeys, nothing a reader cannot see."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.sanitize import sanitizer
from tests.report.sample import ATTACKS

safe = sanitizer((), redact=False)


@pytest.mark.parametrize(
    ("raw", "expected", "reason"),
    [
        ("\x1b[1;31mred\x1b[0m", "red", "a colour sequence"),
        ("\x9b31mred", "red", "the same with the 8-bit introducer"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link", "a hyperlink, ended by BEL or ST"),
        ("\x1b]0;never ended", "0;never ended", "an endless string hides nothing"),
        ("\x1b(B\x1b7kept", "kept", "short escapes"),
        ("a\x00b\x07c\x08d\x7fe\x84f", "abcdef", "C0, DEL and C1"),
        ("a\tb", "a    b", "a tab"),
        ("a\r\nb\rc\x0bd\u2028e\x85f", "a\nb\nc\nd\ne\nf", "every kind of line end"),
        ("a\u202eb\u2066c", "a⟨U+202E⟩b⟨U+2066⟩c", "bidirectional controls"),
        ("a\u200bb\ufeff", "a⟨U+200B⟩b⟨U+FEFF⟩", "invisible characters"),
        ("\udcff\udc80", r"\xff\x80", "bytes that were not UTF-8"),
        ("\ud800", "⟨U+D800⟩", "a lone surrogate cannot be written as UTF-8"),
        ("Grüße 👩‍💻 日本語 עברית", "Grüße 👩‍💻 日本語 עברית", "ordinary text of any script"),
    ],
)
def test_text_is_made_harmless(raw, expected, reason):
    assert safe(raw) == expected, reason


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_no_control_character_survives(raw):
    result = safe(raw)
    assert not [c for c in result if unicodedata.category(c) == "Cc" and c != "\n"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", result)
    result.encode()


@given(st.text(max_size=300))
def test_sanitizing_twice_changes_nothing(raw):
    assert safe(safe(raw)) == safe(raw)


@pytest.mark.parametrize("raw", ATTACKS, ids=range(len(ATTACKS)))
def test_attacks_are_harmless(raw):
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", safe(raw))
