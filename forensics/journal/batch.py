"""What every way of reading a journal gives: entries as an arrow table, and what was damaged."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from forensics.journal.damage import Damage
from forensics.journal.format import Header


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries with the columns of `columns.SCHEMA`. header is null when they come from a stream."""

    table: pa.Table
    damage: tuple[Damage, ...]
    header: Header | None
