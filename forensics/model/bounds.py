"""Limit the length of texts in frames before any expression sees them."""

from __future__ import annotations

import polars as pl

from forensics.model.text_length import END, LONGEST, OMITTED, START


def bounded(texts: pl.Series) -> pl.Series:
    """Cut the texts to LONGEST characters; nearly always all of them are shorter, which is known in 1 ms per million."""
    longest = texts.str.len_bytes().max()
    if not isinstance(longest, int) or longest <= LONGEST:
        return texts
    text = pl.col("text")
    cut = pl.concat_str(text.str.head(START), pl.lit(OMITTED), text.str.tail(END))
    long = text.str.len_chars() > LONGEST
    return texts.alias("text").to_frame().select(pl.when(long).then(cut).otherwise(text)).to_series().alias(texts.name)


def bounded_entries(entries: pl.DataFrame) -> pl.DataFrame:
    """Cut the messages of ENTRIES."""
    return entries.with_columns(bounded(entries["message"]))
