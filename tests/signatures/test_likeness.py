"""Likeness: the known failures that an unknown one resembles most."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.signatures import likeness, mask
from forensics.signatures.likeness import LEAST, most_like

TEXTS = [
    ("gpu.memory", "CUDA out of memory. Tried to allocate 20.00 GiB"),
    ("port.conflict", "[Errno 98] error while attempting to bind on address ('0.0.0.0', 5000): address already in use"),
    ("disk.full", "OSError: [Errno 28] No space left on device"),
]
KNOWN = list(zip((name for name, _ in TEXTS), mask.keys(pl.Series([text for _, text in TEXTS])), strict=True))


def test_a_text_is_most_like_the_one_that_shares_its_words() -> None:
    (likes,) = most_like(["error while binding: address already in use"], KNOWN)
    assert likes[0].signature == "port.conflict"
    assert all(LEAST <= like.score <= 1 for like in likes)


def test_an_equal_text_is_wholly_alike_whatever_its_numbers() -> None:
    (likes,) = most_like(["CUDA out of memory. Tried to allocate 7.50 GiB"], KNOWN)
    assert (likes[0].signature, likes[0].score) == ("gpu.memory", 1.0)


def test_a_text_of_other_words_is_like_nothing() -> None:
    assert most_like(["zyxwv"], KNOWN) == [()]


def test_the_order_of_the_known_ones_changes_nothing() -> None:
    texts = ["no space on the device", "bind: address in use", ""]
    assert most_like(texts, KNOWN) == most_like(texts, KNOWN[::-1])


def test_without_known_ones_there_is_no_likeness() -> None:
    assert most_like(["anything"], []) == [()]


def test_named_texts_are_also_compared_with_those_before_them() -> None:
    texts = ["flux capacitor lost alignment at coil 3", "flux capacitor lost alignment at coil nine", "quota of the tape robot is used up"]
    first, second, third = most_like(texts, [("disk.full", "No space left on device")], ["mined:a", "mined:b", "mined:c"])
    assert first == ()
    assert [like.signature for like in second] == ["mined:a"]
    assert third == ()


@pytest.mark.parametrize("text", ["bind on address: address already in use", "OSError: No space left on this device", "zyxwv", "CUDA"])
def test_what_is_left_out_is_below_the_least(text):
    keys = [*(key for _, key in KNOWN), text]
    (all_of_them,) = likeness._cosines(list(map(likeness._weights_by_count, keys)), of_last=1)
    shown = {number: cosine for number, cosine in all_of_them.items() if cosine >= LEAST and number < len(KNOWN)}
    assert {number: cosine for number, cosine in likeness._near(keys).items() if cosine >= LEAST} == pytest.approx(shown)
