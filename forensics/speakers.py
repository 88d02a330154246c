"""Decide who wrote each entry, by fields that a service cannot forge.

Only fields with a leading underscore are journald's own; MESSAGE_ID, UNIT and SYSLOG_IDENTIFIER are whatever the writer claims
(systemd.journal-fields(7)). `manager` is already attributed by `journal/`.
"""

from __future__ import annotations

from enum import IntEnum

import polars as pl

from forensics.model import systemd


class Speaker(IntEnum):
    SERVICE = 0  # any program
    MANAGER = 1  # PID 1 or a user's manager
    COREDUMP = 2
    JOURNALD = 3
    KERNEL = 4


def speakers(entries: pl.DataFrame) -> pl.Series:
    """Return the Speaker of each of ENTRIES, as Int8.

    A forked child that could not execute the service's program logs in the manager's name (exec-invoke.c).
    """
    of_user_manager = (
        ~is_any(entries["manager"], ["system"]) & is_any(entries["comm"], ["systemd"]) & is_any(entries["transport"], ["journal"])
    )
    by_manager = (entries["pid"] == 1).fill_null(value=False) | of_user_manager | is_any(entries["message_id"], [systemd.SPAWN_FAILED])
    return pl.select(
        pl.when(is_any(entries["message_id"], [systemd.COREDUMP]) & entries["coredump_pid"].is_not_null())
        .then(int(Speaker.COREDUMP))
        .when(is_any(entries["message_id"], [systemd.JOURNAL_DROPPED, systemd.JOURNAL_MISSED]) & is_any(entries["transport"], ["driver"]))
        .then(int(Speaker.JOURNALD))
        .when(is_any(entries["transport"], ["kernel"]))
        .then(int(Speaker.KERNEL))
        .when(by_manager)
        .then(int(Speaker.MANAGER))
        .otherwise(int(Speaker.SERVICE))
        .cast(pl.Int8)
    ).to_series()


def spoken(entries: pl.DataFrame, speaker: Speaker, *columns: str) -> pl.DataFrame:
    """Select columns of the entries whose column `speaker` is this one; a filter of the whole frame copies all its columns."""
    return entries.lazy().filter(pl.col("speaker") == int(speaker)).select(columns).collect()


def is_any(column: pl.Series, wanted: list[str]) -> pl.Series:
    """Mark the entries with one of the wanted categories; codes are compared, 1 ms for 1 M entries."""
    return column.is_in(wanted).fill_null(value=False)
