"""Recover the fields of the service manager's lines that older systemd versions wrote only as text.

systemd 252 marks each of these lines with a MESSAGE_ID. 219 (RHEL 7) marks only jobs, 239 (RHEL 8) also scheduled restarts. Their wordings
are those of src/core/service.c, unit.c and job.c.
"""

from __future__ import annotations

import polars as pl

from forensics.model import systemd
from forensics.speakers import is_any, of_manager

RECOVERED = ("message_id", "exit_code", "exit_status", "command", "result", "job_result")

_ABOUT = r"^(?:Unit )?\S+\.service:? "  # 219 writes "x.service failed." and "x.service: main process exited"
_EXITED = r"(?:[Mm]ain|[Cc]ontrol) process exited, code=(?P<code>exited|killed|dumped),? status=(?P<status>\d+)"
_CONTROL = r"[Cc]ontrol process exited"
_RESULT = r"Failed with result '([a-z-]+)'"
_FAILED = r"failed\.$"
_HELD_OFF = r"(?:hold-?off time over|has no hold-?off time), scheduling restart\.$"  # since 235 "Scheduled restart job" follows it
_SUCCEEDED = r"Succeeded\.$"
_DEPENDENCY = "Dependency failed for "


def with_manager_fields(entries: pl.DataFrame) -> pl.DataFrame:
    """Fill RECOVERED where a line of the manager has them only in its text; ENTRIES of newer versions return as they are."""
    unmarked = _unmarked(entries)
    if not unmarked.any():
        return entries
    rows = entries.select("boot", "manager", "unit", "message", *RECOVERED).with_row_index("row").filter(unmarked)
    read = _without_repeated_restarts(_read(rows), entries)
    if read.is_empty():
        return entries
    read = _with_control_commands(read, entries)
    at = pl.repeat(-1, entries.height, dtype=pl.Int64, eager=True).scatter(read["row"], range(read.height))
    at = pl.select(pl.when(at >= 0).then(at)).to_series()
    return entries.with_columns(
        pl.coalesce(pl.col(name), read[f"read_{name}"].cast(entries.schema[name]).gather(at)).alias(name) for name in RECOVERED
    )


def written_before_235(entries: pl.DataFrame) -> pl.Series:
    """Find the rows of lines that only such a systemd writes: a restart without a counter, a failure without its result."""
    unmarked = _unmarked(entries)
    rows = entries.select("boot", "manager", "unit", "message", *RECOVERED).with_row_index("row").filter(unmarked)
    read = _without_repeated_restarts(_read(rows), entries)
    restart = pl.col("read_message_id") == systemd.UNIT_RESTART_SCHEDULED
    failure = (pl.col("read_message_id") == systemd.UNIT_FAILURE_RESULT) & pl.col("read_result").is_null()
    return read.filter(restart | failure)["row"]


def _unmarked(entries: pl.DataFrame) -> pl.Series:
    """Mark the manager's lines about services that lack a field which newer versions write."""
    by_manager = of_manager(entries)
    without_id = entries["message_id"].is_null()
    without_result = is_any(entries["message_id"], [systemd.UNIT_FAILED]) & entries["job_result"].is_null()
    return by_manager & (without_id | without_result) & entries["unit"].is_not_null()


def _read(rows: pl.DataFrame) -> pl.DataFrame:
    """Read the text of unmarked lines, where it has something: row, boot, manager, unit, control, and `read_…` for each of RECOVERED."""
    rest = pl.col("message").str.replace(_ABOUT, "")
    starts_with_unit = pl.col("message").str.contains(_ABOUT)
    exited = rest.str.extract_groups(f"^{_EXITED}")
    result = rest.str.extract(f"^{_RESULT}")
    kind = (
        pl.when(~starts_with_unit | pl.col("message_id").is_not_null())
        .then(None)
        .when(exited.struct.field("code").is_not_null())
        .then(pl.lit(systemd.UNIT_PROCESS_EXIT))
        .when(result.is_not_null() | rest.str.contains(f"^{_FAILED}"))
        .then(pl.lit(systemd.UNIT_FAILURE_RESULT))
        .when(rest.str.contains(_HELD_OFF))
        .then(pl.lit(systemd.UNIT_RESTART_SCHEDULED))
        .when(rest.str.contains(f"^{_SUCCEEDED}"))
        .then(pl.lit(systemd.UNIT_SUCCESS))
    )
    depends = pl.col("message_id").is_not_null() & pl.col("message").str.starts_with(_DEPENDENCY)
    main = kind.eq_missing(pl.lit(systemd.UNIT_PROCESS_EXIT)) & ~rest.str.contains(f"^{_CONTROL}")
    return rows.select(
        "row",
        "boot",
        "manager",
        "unit",
        rest.str.contains(f"^{_CONTROL}").alias("control"),
        kind.alias("read_message_id"),
        exited.struct.field("code").alias("read_exit_code"),
        exited.struct.field("status").cast(pl.Int32, strict=False).alias("read_exit_status"),
        pl.when(main).then(pl.lit("ExecStart")).alias("read_command"),
        result.alias("read_result"),
        pl.when(depends).then(pl.lit("dependency")).alias("read_job_result"),
    ).filter(pl.col("read_message_id").is_not_null() | pl.col("read_job_result").is_not_null())


def _without_repeated_restarts(read: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Drop the end of a hold-off where "Scheduled restart job" follows with the MESSAGE_ID: in the boots that have such lines."""
    held_off = pl.col("read_message_id").eq_missing(pl.lit(systemd.UNIT_RESTART_SCHEDULED))
    if not read.select(held_off.any()).item():
        return read
    marked = entries.select("boot", "manager").filter(is_any(entries["message_id"], [systemd.UNIT_RESTART_SCHEDULED])).unique()
    repeated = read.filter(held_off).join(marked, on=["boot", "manager"], how="semi", nulls_equal=True)
    return read.join(repeated.select("row"), on="row", how="anti", maintain_order="left")


def _with_control_commands(read: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Name the Exec line of control processes, which older versions leave out, by what the unit was doing.

    A unit that starts runs ExecStartPre=, ExecStart= or ExecStartPost=, one that reloads ExecReload=, others ExecStop= or ExecStopPost=.
    """
    fields = read.select("row", *[f"read_{name}" for name in RECOVERED])
    if not read["control"].any():
        return fields
    doing = {
        systemd.UNIT_STARTING: "ExecStartPre",
        systemd.UNIT_RELOADING: "ExecReload",
        systemd.UNIT_STARTED: "ExecStop",
        systemd.UNIT_STOPPING: "ExecStop",
    }
    of_unit = ["boot", "manager", "unit"]
    statements = entries.select(*of_unit, "message_id").with_row_index("row").filter(is_any(entries["message_id"], list(doing)))
    before = statements.with_columns(pl.col("message_id").cast(pl.String).replace_strict(doing, default=None).alias("of_control"))
    controls = read.filter("control").select("row", *of_unit).sort("row")
    named = controls.join_asof(before.drop("message_id"), on="row", by=of_unit, check_sortedness=False).select("row", "of_control")
    return (
        fields.join(named, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce("read_command", "of_control").alias("read_command"))
        .drop("of_control")
    )
