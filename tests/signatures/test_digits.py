"""Texts that differ in their digits are alike to what asks for no particular digit."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.signatures import digits

CASES = [
    (r"undefined symbol: (?P<symbol>_Z\w+)", True),
    (r"(?i)line \d{1,7}: [0-9a-f]{4,}", True),
    (r"(?m)^[!-~]+ [ -@]x(?<!un)[^\n]{0,300}$", True),
    (r"errno 98", False),
    (r"[45]\d\d", False),
    (r"[^0]", False),
    (r"(?P<a>\d) (?P=a)", False),
    (r"\p{Lu}{3}", False),  # `re` cannot read it
    (r"\<start", False),
]
TEXTS = st.lists(st.sampled_from(["0", "1", "98", "7a", "0x1f", " ", "errno ", "12:30:59", '"level":30', "é", "symbol"]), max_size=6).map(
    "".join
)


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_whether_an_expression_asks_for_a_digit(expression: str, expected: bool) -> None:
    assert digits.ignores_digits(expression) is expected


@settings(max_examples=40)
@given(TEXTS, st.sampled_from([expression for expression, expected in CASES if expected]))
def test_what_ignores_digits_matches_the_same_places(text: str, expression: str) -> None:
    spans = [[match.span() for match in re.finditer(expression, each)] for each in (text, digits.levelled(text))]
    assert spans[0] == spans[1]


@settings(max_examples=40)
@given(TEXTS)
def test_few_texts_and_many_are_levelled_alike(text: str) -> None:
    texts = pl.Series("text", [text])
    many = pl.Series("text", [text] * (digits.FEW + 1))
    few = digits.long_numbers_levelled(texts)
    assert digits.long_numbers_levelled(many).unique().equals(few)
    assert digits.levelled_each(texts).to_list() == [digits.levelled(text)]
    assert digits.long_numbers_levelled(few).equals(few)


def test_numbers_that_are_levels_or_alone_stay() -> None:
    texts = pl.Series("text", ['{"level":50,"pid":4711}', "<3>12:30:59 with 0 errors, 10 left"])
    assert digits.long_numbers_levelled(texts).to_list() == ['{"level":50,"pid":4711}', "<3>11:11:11 with 0 errors, 11 left"]
