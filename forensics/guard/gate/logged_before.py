"""Read from the state of `watch` what a unit logged in good times: the gate itself reads only the unit's newest lines."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import polars as pl

from forensics.alerting.stored_values import rebuilt
from forensics.guard.directories import state_directory
from forensics.guard.systemctl import Manager
from forensics.model.values import UnitKey
from forensics.signatures.contrast import NO_PAST
from forensics.watch.logged_before import LoggedBefore, past_of

LONGEST = 100_000  # characters of a stored value
WAITS_S = 0.5  # for `watch`, which may be writing
UNREADABLE = (sqlite3.Error, OSError, ValueError, TypeError, RecursionError)


def good_times(manager: Manager, unit: str) -> pl.DataFrame:
    """Return what `watch` knows that the unit logged while it held: contrast.PAST, empty without a state that can be read."""
    file = state_directory(manager) / "watch" / "watch.sqlite"
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=WAITS_S)) as disk:
            query = "select key, value from tracked where kind = 'logged' and instr(key, ?) and length(value) <= ?"
            rows = disk.execute(query, (json.dumps(unit), LONGEST)).fetchall()
        units = {rebuilt(UnitKey, json.loads(key)): rebuilt(LoggedBefore, json.loads(value)) for key, value in rows}
        return past_of({key: logged for key, logged in units.items() if key.unit == unit}).filter("held")
    except UNREADABLE:
        return NO_PAST
