"""Assemble entries into attempts and events, the same for history, for the stream and for pasted text."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forensics.attempts import assemble_attempts
from forensics.events import find_events
from forensics.manager_fields import with_manager_fields


@dataclass(frozen=True, slots=True)
class Assembly:
    """ATTEMPTS, EVENTS of them, RESTARTS and LIFECYCLE; their rows index the entries they were made from."""

    attempts: pl.DataFrame
    events: pl.DataFrame
    restarts: pl.DataFrame
    lifecycle: pl.DataFrame


def assemble(entries: pl.DataFrame, *, include_running: bool = False) -> Assembly:
    """Assemble ENTRIES in canonical order. include_running: whether attempts that still run have events too."""
    entries = with_manager_fields(entries)
    assembled = assemble_attempts(entries, include_running=include_running)
    return Assembly(assembled.attempts, find_events(entries, assembled.members), assembled.restarts, assembled.lifecycle)
