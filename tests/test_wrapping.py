"""Paragraphs in lines: nothing is wider than asked, and what is copied stays in one piece where it fits."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.wrapping import cells, encodable, shortened, wrapped

TEXT = (
    "1. See who holds it: `ss -ltnp 'sport = :5000'` as root, then read /var/lib/tabby/models/llama-3-70b/config.json again.\n"
    "   `pip install --no-build-isolation --no-cache-dir exllamav2` builds it here; torch.abi-mismatch names the symbol.\n"
    "2. Done."
)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("whole", ["`ss -ltnp 'sport = :5000'`", "/var/lib/tabby/models/llama-3-70b/config.json", "torch.abi-mismatch"])
def test_a_command_a_path_and_an_id_stay_in_one_piece(width, whole):
    assert whole in wrapped(TEXT, width)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_list_item_goes_on_below_its_text_and_indentation_is_kept(width):
    lines = wrapped(TEXT, width).split("\n")
    assert [line[:3] for line in lines if line.strip()[:2] in {"1.", "2."}] == ["1. ", "2. "]
    assert all(re.match(r"(\d\. |   )\S", line) for line in lines)
    assert " ".join(" ".join(lines).split()) == " ".join(TEXT.split())


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=300), st.integers(20, 160))
def test_no_line_is_wider_than_asked_and_no_word_is_lost(text, width):
    made = wrapped(text, width)
    assert all(cells(line) <= width for line in made.split("\n"))
    assert "".join(made.split()) == "".join(text.split())


def test_width_0_wraps_nothing():
    assert wrapped("a " * 200 + "\nb", 0, "  ") == "a " * 200 + "\n  b"


def test_wide_characters_count_twice():
    assert cells("日本") == 4
    assert all(cells(line) <= 30 for line in wrapped("日本" * 40, 30).split("\n"))
    assert cells(shortened("日本" * 40, 21)) <= 21


def test_a_long_path_breaks_behind_a_slash():
    path = "/" + "/".join(["site-packages"] * 8)
    assert [line[-1] for line in wrapped(path, 40).split("\n")][:-1] == ["/"] * 3


def test_what_is_cut_never_ends_within_code():
    assert shortened("Look at the owner of it: `rm -rf /srv/cache/models`", 40) == "Look at the owner of it…"


@pytest.mark.parametrize(
    ("encoding", "text", "plain"),
    [("ascii", "▁▄█ → T−4 s · é", ".=# > T-4 s | ?"), ("latin-1", "é · ▂", "é | :"), ("utf-8", "▁ é", "▁ é"), ("no-such", "▁", "▁")],
)
def test_an_encoding_gets_what_it_has(encoding, text, plain):
    assert encodable(text, encoding) == plain
