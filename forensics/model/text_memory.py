"""Remember what was found in texts: those of a restart loop come again and again, a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

FEW = 64  # texts; of more, as in history, each is distinct and seen once
LONGEST = 4000  # characters of a text that is remembered
MOST = 4096  # texts: 20 MB at most


class TextMemory:
    """A function of a series of distinct texts, one row for each in their order, that remembers the rows of few and short texts."""

    def __init__(self, find: Callable[[pl.Series], pl.DataFrame]) -> None:
        self._find = find
        self._rows: dict[str, tuple[Any, ...]] = {}
        self._schema: pl.Schema | None = None

    def __call__(self, texts: pl.Series) -> pl.DataFrame:
        if not 0 < len(texts) <= FEW or (texts.str.len_chars() > LONGEST).any():
            return self._find(texts)
        if len(self._rows) > MOST - FEW:
            self._rows.clear()
        missing = [text for text in texts if text not in self._rows]
        if missing:
            found = self._find(pl.Series(texts.name, missing, dtype=pl.String))
            self._schema = found.schema
            self._rows |= dict(zip(missing, found.rows(), strict=True))
        return pl.DataFrame([self._rows[text] for text in texts], schema=self._schema, orient="row")
