"""Hostile text becomes inert: nothing a terminal obeys, nothing a reader cannot see, nothing endless."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.sanitize.text import code_spans, cut, one_line, shown, without_controls
from tests.report.sample import ATTACKS


def inert(text):
    return shown(without_controls(text))


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
def test_text_is_made_inert(raw, expected, reason):
    assert inert(raw) == expected, reason


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_no_control_character_survives(raw):
    result = inert(raw)
    assert not [c for c in result if unicodedata.category(c) == "Cc" and c != "\n"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", result)
    result.encode()


@given(st.text(max_size=300))
def test_making_inert_twice_changes_nothing(raw):
    assert inert(inert(raw)) == inert(raw)


@pytest.mark.parametrize("raw", ATTACKS, ids=range(len(ATTACKS)))
def test_attacks_are_inert(raw):
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", inert(raw))


def test_a_long_text_is_cut_with_the_count_of_what_is_missing():
    result = cut("x" * 1_000_000)
    assert result == "x" * 4096 + " … [cut: 995,904 more bytes]"


def test_a_cut_never_splits_a_character():
    assert cut("é" * 3000, 101).startswith("é" * 50 + " … [cut: 5,900 more bytes]")


def test_a_short_text_is_not_cut():
    assert cut("x" * 4096) == "x" * 4096


def test_one_line_has_no_line_end():
    assert one_line(" a\n\n  b\n") == "a b"


def test_commands_between_backticks_are_found():
    assert code_spans("run `ls -l` now") == [(False, "run "), (True, "ls -l"), (False, " now")]
