"""Choose the lines of a running attempt that are kept: those that can explain its end, however many come after them."""

from __future__ import annotations

import polars as pl

MOST_LOUD = 250  # the first, and as many of the newest, of the lines that look like an error or like a known problem
BEFORE, AFTER = 5, 40  # lines around those: the frames of a traceback are between its header and its exception
MOST_BYTES = 4 << 20  # of the newest, and of those around errors: endless lines must not delay the labels of other units
ATTEMPT = ["boot", "unit", "invocation"]


def kept_lines(first: int, newest: int) -> pl.Expr:
    """Whether an entry of HELD is among the `first` or the `newest` of its attempt, or near a line that looks like its cause."""
    turn, size = pl.int_range(pl.len()).over(ATTEMPT), pl.len().cast(pl.Int64).over(ATTEMPT)
    length = pl.col("message").str.len_bytes().fill_null(0).cast(pl.Int64)
    last = (turn >= size - newest) & (length.cum_sum(reverse=True).over(ATTEMPT) <= MOST_BYTES)
    place = pl.when("loud").then(pl.int_range(pl.len()))
    before = pl.int_range(pl.len()) - place.forward_fill()
    after = place.backward_fill() - pl.int_range(pl.len())
    near = ((before <= AFTER).fill_null(value=False) | (after <= BEFORE).fill_null(value=False)).over(ATTEMPT)
    rank, loud = pl.col("loud").cum_sum().over(ATTEMPT).cast(pl.Int64), pl.col("loud").sum().over(ATTEMPT).cast(pl.Int64)
    few = (rank <= MOST_LOUD) | (rank > loud - MOST_LOUD)
    bytes_near = pl.when(near & few).then(length).otherwise(0).cum_sum().over(ATTEMPT)
    return (turn < first) | last | (near & few & (bytes_near <= MOST_BYTES)) | (turn == size - 1)
