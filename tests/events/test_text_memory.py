"""What is remembered of texts is what would be found again."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.model import text_memory
from forensics.model.text_memory import TextMemory


def counting() -> tuple[TextMemory, list[list[str]]]:
    asked: list[list[str]] = []

    def lengths(texts: pl.Series) -> pl.DataFrame:
        asked.append(texts.to_list())
        return pl.DataFrame({"text": texts, "length": texts.str.len_chars(), "parts": texts.str.split(" ")})

    return TextMemory(lengths), asked


def test_a_text_is_looked_at_once_and_each_answer_is_in_the_order_of_its_question() -> None:
    memory, asked = counting()
    for texts in (["b", "a a"], ["a a", "c", "b"], ["c"]):
        found = memory(pl.Series("text", texts))
        assert found.rows() == [(text, len(text), text.split(" ")) for text in texts]
        assert found.schema == {"text": pl.String, "length": pl.UInt32, "parts": pl.List(pl.String)}
    assert asked == [["b", "a a"], ["c"]]


@pytest.mark.parametrize("texts", [["x" * (text_memory.LONGEST + 1)], [str(number) for number in range(text_memory.FEW + 1)]])
def test_many_texts_and_long_ones_are_looked_at_each_time(texts: list[str]) -> None:
    memory, asked = counting()
    for _ in range(2):
        assert memory(pl.Series("text", texts, dtype=pl.String))["text"].to_list() == texts
    assert asked == [texts, texts]


def test_of_no_text_nothing_is_found() -> None:
    memory, _ = counting()
    for _ in range(2):
        assert memory(pl.Series("text", [], dtype=pl.String)).is_empty()


@pytest.mark.parametrize("times", [1, text_memory.FEW])
def test_texts_that_are_alike_are_looked_at_once(times: int) -> None:
    asked: list[list[str]] = []

    def found(texts: pl.Series) -> pl.DataFrame:
        asked.append(texts.to_list())
        return pl.DataFrame({"found": texts})

    memory = TextMemory(found, alike=lambda texts: texts.str.to_uppercase())
    for _ in range(2):
        assert memory(pl.Series("text", ["a", "b", "A"] * times))["found"].to_list() == ["A", "B", "A"] * times
    assert asked == [["A", "B"]]


def test_of_many_texts_that_are_alike_each_kind_is_looked_at_once() -> None:
    memory = TextMemory(lambda texts: pl.DataFrame({"found": texts}), alike=lambda texts: texts.str.to_uppercase())
    texts = [f"{case}{number}" for number in range(text_memory.FEW + 1) for case in "xX"]
    assert memory(pl.Series("text", texts))["found"].to_list() == [text.upper() for text in texts]


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_memory, "MOST", text_memory.FEW + 2)
    memory, asked = counting()
    for number in [*range(5), 0]:
        memory(pl.Series("text", [str(number)]))
    assert len(asked) == 6, "the first text is forgotten by then"
