"""Remember what was found in texts: those of a restart loop come again and again, a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

FEW = 256  # texts; of more, as in history, each is distinct and found once
LONGEST = 4000  # characters of a text that is remembered
MOST = 4096  # texts: 20 MB at most


class TextMemory:
    """A function of a series of texts, one row for each in their order, that remembers the rows of few and short texts.

    find: the function for distinct texts. alike: makes texts equal whose rows are.
    """

    def __init__(self, find: Callable[[pl.Series], pl.DataFrame], alike: Callable[[pl.Series], pl.Series] | None = None) -> None:
        self._find = find
        self._alike = alike
        self._rows: dict[str, tuple[Any, ...]] = {}
        self._schema: pl.Schema | None = None
        self._of_none: pl.DataFrame | None = None

    def __call__(self, texts: pl.Series) -> pl.DataFrame:
        asked = texts if self._alike is None or texts.is_empty() else self._alike(texts)
        if len(asked) > FEW:
            distinct = asked.unique(maintain_order=True)
            if len(distinct) == len(asked):
                return self._find(asked)
            if len(distinct) > FEW:
                return self._find(distinct)[_places(asked, distinct)]
        if asked.is_empty():
            self._of_none = self._find(asked) if self._of_none is None else self._of_none
            return self._of_none
        listed = asked.to_list()
        rows = self._rows_of(asked.name, listed)
        return pl.DataFrame([rows[text] for text in listed], schema=self._schema, orient="row")

    def _rows_of(self, name: str, texts: list[str]) -> dict[str, tuple[Any, ...]]:
        """Return the row of each text."""
        if len(self._rows) > MOST - FEW:
            self._rows.clear()
        missing = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if not missing:
            return self._rows
        found = self._find(pl.Series(name, missing, dtype=pl.String))
        self._schema = found.schema
        new = dict(zip(missing, found.rows(), strict=True))
        known = {text: self._rows[text] for text in texts if text in self._rows}
        self._rows |= {text: row for text, row in new.items() if len(text) <= LONGEST}
        return known | new


def _places(texts: pl.Series, distinct: pl.Series) -> pl.Series:
    """Return the place of each text in the distinct ones."""
    places = pl.DataFrame({"text": distinct}).with_row_index("place")
    return pl.DataFrame({"text": texts}).join(places, on="text", how="left", maintain_order="left")["place"]
