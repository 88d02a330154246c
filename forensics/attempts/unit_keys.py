"""Whom an entry is about, as numbers: an ENTRIES frame in, for each entry of a service its place, spell and kind of speaker out.

A place is one unit of one manager on one host; a spell is that place during one boot. Everything after this works on these integers.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forensics.attempts.manager_messages import BY_MESSAGE_ID, Says
from forensics.model import systemd

Codes = NDArray[np.int64]


class Speaker(IntEnum):
    SERVICE = 0  # a line of the service itself
    MANAGER = 1
    COREDUMP = 2
    JOURNALD = 3  # says how many lines it dropped


def dense(column: pl.Series) -> tuple[Codes, int]:
    """A categorical column as numbers 0 … n-1 in order of its categories' codes (null is 0), and n.

    Tables instead of sorting: 1 M entries take 10 ms a column.
    """
    codes = column.to_physical()
    absent = int(codes.max() or 0) + 1  # type: ignore[arg-type]
    known = codes.fill_null(absent).to_numpy()
    present = np.zeros(absent + 1, dtype=np.int64)
    present[known] = 1
    numbers = np.cumsum(present)
    numbers[absent] = 0
    return numbers[known], int(numbers.max(initial=0)) + 1


def is_any(column: pl.Series, wanted: list[str]) -> pl.Series:
    """Which entries have one of the wanted categories: their codes are compared, 1 ms for 1 M entries."""
    return column.is_in(wanted).fill_null(value=False)


def _of_services(unit: pl.Series) -> pl.Series:
    distinct = unit.unique().drop_nulls()
    services = distinct.filter(distinct.cast(pl.String).str.ends_with(".service"))
    return unit.to_physical().is_in(services.to_physical().implode()).fill_null(value=False)


def boots_of(entries: pl.DataFrame) -> Codes:
    """For every entry the number of its (host, boot)."""
    host, _ = dense(entries["host"])
    boot, boots = dense(entries["boot"])
    return np.asarray(host * boots + boot, dtype=np.int64)


def placed(entries: pl.DataFrame, boots: Codes) -> pl.DataFrame:
    """The entries about services: row, place, spell, boot, speaker, invocation, pid, stream, bytes, dropped; ids are hashes."""
    host, _ = dense(entries["host"])
    manager, managers = dense(entries["manager"])
    unit, units = dense(entries["unit"])
    place = (host * managers + manager) * units + unit
    columns = pl.DataFrame(
        {
            "row": pl.Series(np.arange(entries.height, dtype=np.uint32)),
            "place": pl.Series(place),
            "boot": pl.Series(boots),
        }
    ).with_columns(
        _key(entries["invocation"]),
        entries["pid"],
        _key(entries["stream"]),
        entries["bytes"],
        entries["dropped"],
        speakers(entries).alias("speaker"),
    )
    about = columns.filter(_of_services(entries["unit"]) & entries["manager"].is_not_null())
    width = int(boots.max(initial=0)) + 1
    return about.with_columns((pl.col("place") * width + pl.col("boot")).alias("spell"))


def _key(ids: pl.Series) -> pl.Series:
    """A 64-bit hash in the place of each 32-digit id, which is only ever compared within one spell; null for null and ""."""
    return ids.to_frame().select(pl.when(pl.col(ids.name).str.len_bytes() > 0).then(pl.col(ids.name).hash())).to_series()


def speakers(entries: pl.DataFrame) -> pl.Series:
    """Who speaks in each entry, as Speaker, by trusted fields only: _PID 1 or the user's systemd by _COMM; the child that could not exec
    speaks with the manager's voice.
    """
    by_user_manager = (
        ~is_any(entries["manager"], ["system"]) & is_any(entries["comm"], ["systemd"]) & is_any(entries["transport"], ["journal"])
    )
    spawn_failed = [k for k, v in BY_MESSAGE_ID.items() if v == Says.SPAWN_FAILED]
    by_manager = (entries["pid"] == 1).fill_null(value=False) | by_user_manager | is_any(entries["message_id"], spawn_failed)
    return pl.select(
        pl.when(is_any(entries["message_id"], [systemd.COREDUMP]) & entries["coredump_pid"].is_not_null())
        .then(int(Speaker.COREDUMP))
        .when(is_any(entries["message_id"], [systemd.JOURNAL_DROPPED]) & is_any(entries["transport"], ["driver"]))
        .then(int(Speaker.JOURNALD))
        .when(by_manager)
        .then(int(Speaker.MANAGER))
        .otherwise(int(Speaker.SERVICE))
        .cast(pl.Int8)
    ).to_series()
