"""Text is shortened at a character, with the size of what is missing."""

from forensics.sanitize import brief, cut, one_line


def test_a_long_text_is_cut_with_the_count_of_what_is_missing():
    result = cut("x" * 1_000_000)
    assert result == "x" * 4096 + " … [cut: 995,904 more bytes]"


def test_a_cut_never_splits_a_character():
    assert cut("é" * 3000, 101).startswith("é" * 50 + " … [cut: 5,900 more bytes]")


def test_a_short_text_is_not_cut():
    assert cut("x" * 4096) == "x" * 4096


def test_one_line_has_no_line_end():
    assert one_line(" a\n\n  b\n") == "a b"


def test_a_label_is_never_longer_than_asked():
    assert brief("shared library missing", 10) == "shared li…"
    assert brief("short", 10) == "short"
