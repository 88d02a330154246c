"""Write a table as CSV, JSON Lines or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import polars as pl

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"
FORMULA = r"^[=+\-@\t\r]"  # what a spreadsheet would evaluate (OWASP, CSV injection)


def csv(frame: pl.DataFrame) -> bytes:
    """RFC 4180 with a header, times as RFC 3339, and an apostrophe before text that a spreadsheet would evaluate."""
    harmless = [_no_formula(pl.col(name)).alias(name) for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(harmless).write_csv(datetime_format=TIME_FORMAT, line_terminator="\r\n").encode()


def _no_formula(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(FORMULA)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)


def jsonl(frame: pl.DataFrame) -> bytes:
    """One object per line, times as RFC 3339, absent values null."""
    times = pl.col(pl.Datetime("us", "UTC")).dt.strftime(TIME_FORMAT)
    return frame.with_columns(times).write_ndjson().encode()


def parquet(frame: pl.DataFrame) -> bytes:
    """Types as in the table, compressed with zstd."""
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


WRITERS: Mapping[str, Callable[[pl.DataFrame], bytes]] = {"csv": csv, "jsonl": jsonl, "parquet": parquet}
