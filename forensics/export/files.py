"""Write a table as CSV, JSON Lines or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import polars as pl

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"
# What a spreadsheet would evaluate (OWASP, CSV injection): a sign at the start of a cell, of a line in it, or after what a spreadsheet of
# another country takes for the end of a cell; also full-width, small and mathematical signs, and behind blanks and quotes.
_SIGNS = r"=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}\x{FE66}\x{FE62}\x{FE63}\x{FE6B}\x{2212}\x{FB29}"
_BREAKS = r"\n\r\x0b\x0c\x{85}\x{2028}\x{2029}"
FORMULA = rf"(\A|[{_BREAKS};\t])([[\s\"'`\x{{feff}}]--[{_BREAKS}\t]]*[{_SIGNS}])"
FIRST_TAB = r"\A([\t\r])"


def csv(frame: pl.DataFrame) -> bytes:
    """RFC 4180 with a header, times as RFC 3339, and an apostrophe before each formula that a spreadsheet would evaluate."""
    harmless = [_no_formula(pl.col(name)).alias(name) for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(harmless).write_csv(datetime_format=TIME_FORMAT, line_terminator="\r\n").encode()


def _no_formula(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(FORMULA, "${1}'${2}").str.replace(FIRST_TAB, "'${1}")


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
