"""Number the entries about services by unit and by boot.

A unit key is one unit of one manager on one machine; a unit boot is that unit during one boot. Everything after this works on these
integers.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from forensics.speakers import Speaker, speakers


def dense(column: pl.Series) -> tuple[pl.Series, int]:
    """Number a categorical column 0 … n-1 in order of its categories' codes (null is 0); return n as well.

    Tables instead of sorting: 1 M entries take 10 ms per column.
    """
    codes = column.to_physical()
    absent = int(codes.max() or 0) + 1  # type: ignore[arg-type]
    filled = codes.fill_null(absent) if codes.null_count() else codes
    present = pl.repeat(0, absent + 1, dtype=pl.Int64, eager=True).scatter(filled, 1)
    numbers = present.cum_sum().scatter(absent, 0)
    return numbers.gather(filled), int(numbers.max() or 0) + 1  # type: ignore[arg-type]


def _machine_codes(entries: pl.DataFrame) -> tuple[pl.Series, int]:
    """Number each entry's machine: by machine id, or by host name where none is recorded; return how many there are as well."""
    machine, machines = dense(entries["machine"])
    if not entries["machine"].null_count():
        return machine, machines
    host, hosts = dense(entries["host"])
    return (host + machines).zip_with(entries["machine"].is_null(), machine), machines + hosts


class HostCodes(NamedTuple):
    """Numbers of each entry's machine and of its (machine, boot), as Int64."""

    machine: pl.Series
    boot: pl.Series


def host_codes(entries: pl.DataFrame) -> HostCodes:
    """Number each entry's machine and boot."""
    machine, _ = _machine_codes(entries)
    boot, boots = dense(entries["boot"])
    return HostCodes(machine, machine * boots + boot)


def with_unit_keys(entries: pl.DataFrame, hosts: HostCodes) -> pl.DataFrame:
    """Select the entries about services: row, unit_key, unit_boot, boot, speaker, invocation, pid, stream, bytes, dropped."""
    manager, managers = dense(entries["manager"])
    unit, units = dense(entries["unit"])
    unit_key = (hosts.machine * managers + manager) * units + unit
    by = speakers(entries)
    columns = pl.DataFrame(
        {
            "row": pl.int_range(entries.height, dtype=pl.UInt32, eager=True),
            "unit_key": unit_key,
            "boot": hosts.boot,
        }
    ).with_columns(
        _hashed(entries["invocation"]),
        entries["pid"],
        _hashed(entries["stream"]),
        entries["bytes"],
        by.alias("speaker"),
        pl.select(pl.when(by == int(Speaker.JOURNALD)).then(entries["dropped"]).alias("dropped")).to_series(),  # anyone can write N_DROPPED
    )
    about = columns.filter(_of_services(entries["unit"]) & entries["manager"].is_not_null())
    width = int(hosts.boot.max() or 0) + 1  # type: ignore[arg-type]
    return about.with_columns((pl.col("unit_key") * width + pl.col("boot")).alias("unit_boot"))


def _of_services(unit: pl.Series) -> pl.Series:
    distinct = unit.unique().drop_nulls()
    services = distinct.filter(distinct.cast(pl.String).str.ends_with(".service"))
    return unit.to_physical().is_in(services.to_physical().implode()).fill_null(value=False)


def _hashed(ids: pl.Series) -> pl.Series:
    """Hash each 32-digit id to 64 bits, since ids are only compared within one unit boot; null for null and ""."""
    return ids.to_frame().select(pl.when(pl.col(ids.name).str.len_bytes() > 0).then(pl.col(ids.name).hash())).to_series()
