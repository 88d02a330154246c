"""A Parquet data set of entries by host and date, committed source by source; it knows nothing of journal files."""

from __future__ import annotations

from forensics.store.store import Store

__all__ = ["Store"]
