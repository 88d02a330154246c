"""Entry tables ⇄ a Parquet data set by host and date, committed source by source."""

from __future__ import annotations

from forensics.store.store import Ingested, Store

__all__ = ["Ingested", "Store"]
