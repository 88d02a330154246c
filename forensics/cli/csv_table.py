"""Write rows as CSV for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from forensics.export.files import csv


def as_csv(columns: Mapping[str, Any], rows: Sequence[Mapping[str, object]]) -> str:
    """Write the columns of the rows, as `export csv` does; lists become words with blanks between them. columns: their types."""
    cells = [{name: _cell(row[name]) for name in columns} for row in rows]
    schema = {name: pl.Datetime("us", "UTC") if kind is pl.Datetime else kind for name, kind in columns.items()}
    return csv(pl.DataFrame(cells, schema=schema)).decode()


def _cell(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value
