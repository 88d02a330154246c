"""Attribute kernel messages and core dumps, which carry no invocation id, to the attempt they belong to.

They are joined by process id or unit path and by time. The kernel's lines can be stored after the manager's, even after the next
start was scheduled: the kernel's own clock counts where it is recorded.
"""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import ManagerMessage, is_kind
from forensics.speakers import Speaker, is_any, of_coredump

KERNEL_NEAR_US = 30_000_000
DUMP_NEAR_US = 600_000_000  # a core of many GB is written, compressed and only then logged
UNNAMED_DUMP_NEAR_US = 10_000_000
FOREVER = 2**62

MEMCG = r"task_memcg=(?P<path>[^,]+)"
UNIT_OF_PATH = r"^.*/(?P<unit>[^/]+\.service)(?:/[^/]*)*$"  # the innermost service: the path may go on below it
USER_OF_PATH = r"/user@(?P<uid>\d+)\.service/.*\.service"
PROCESS = (
    r"(?:\bpid='?|Killed process |\w\[)(?P<pid>\d+)"  # oom-kill:…,pid=N · Killed process N · python3[N]: segfault · NVRM: Xid …, pid=N
)
FAULT_NEAR_US = 2_000_000  # the kernel logs a fault before the process is gone
# what the kernel (arch/x86) calls the faults for which it sends SIGILL, SIGTRAP, SIGBUS, SIGFPE and SIGSEGV
FAULTS = (
    (r"invalid opcode", 4),
    (r"\bint3\b", 5),
    (r"bus error|alignment check", 7),
    (r"divide error", 8),
    (r"segfault at|general protection|stack segment", 11),
)
OOM = r"oom-kill:|[Oo]ut of memory: Killed process"

REPORTS = pl.Schema({"row": pl.UInt32, "candidate": pl.UInt32, "source": pl.String, "oom": pl.Boolean})


def nearest(points: pl.DataFrame, spans: pl.DataFrame, by: list[str], within_us: int) -> pl.DataFrame:
    """Match points (row, at) to the span (start, end, candidate) with the same keys that contains them, else to the nearest."""
    points = points.sort("at")
    spans = spans.sort("start")
    before = points.join_asof(spans, left_on="at", right_on="start", by=by, check_sortedness=False, coalesce=False)
    after = points.join_asof(spans, left_on="at", right_on="start", by=by, strategy="forward", check_sortedness=False, coalesce=False)
    late = (before["at"] - before["end"]).clip(lower_bound=0).fill_null(FOREVER)
    early = (after["start"] - after["at"]).fill_null(FOREVER)
    chosen = pl.DataFrame({"row": before["row"], "late": late, "early": early, "before": before["candidate"], "after": after["candidate"]})
    return (
        chosen.filter(pl.min_horizontal("late", "early") <= within_us)
        .select("row", pl.when(pl.col("late") <= pl.col("early")).then(pl.col("before")).otherwise(pl.col("after")).alias("candidate"))
        .drop_nulls()
    )


def kernel_and_coredumps(
    entries: pl.DataFrame, attributed: pl.DataFrame, attempts: pl.DataFrame, lines: pl.DataFrame, boots: pl.Series
) -> pl.DataFrame:
    """Find REPORTS: row, candidate, source ("kernel" or "coredump"), oom. attempts: the candidates that are attempts."""
    of_kernel, of_dumps = is_any(entries["transport"], ["kernel"]), of_coredump(entries)
    if not of_kernel.any() and not of_dumps.any():
        return REPORTS.to_frame()
    dumps = _dumps(entries, of_dumps.arg_true(), attributed, boots)
    messages = _kernel(entries, of_kernel.arg_true(), boots)
    clock = entries["monotonic"].fill_null(0)
    spans = attempts.select(
        "candidate",
        "unit_boot",
        "boot",
        clock.gather(attempts["first_row"]).alias("start"),
        clock.gather(attempts["end_row"]).fill_null(FOREVER).alias("end"),
        (pl.col("exit_code").cast(pl.String) == "dumped").fill_null(value=False).alias("dumped"),
        pl.when(pl.col("exit_code").cast(pl.String).is_in(["killed", "dumped"])).then(pl.col("exit_status")).alias("signal"),
    )
    pids = pl.concat([dumps["pid"], messages["pid"]]).drop_nulls().unique()
    processes = _processes(attributed, lines, pids).join(spans, on="candidate")
    dumped = _of_dumps(dumps, spans, processes)
    crashed = dumped.join(dumps.select("row", "pid"), on="row").select("candidate", "pid").join(spans, on="candidate")
    reported = _of_kernel(messages, spans, pl.concat([processes, crashed.select(processes.columns)]), _names(entries, attempts))
    return pl.concat(
        [
            dumped.select("row", "candidate", pl.lit("coredump").alias("source"), pl.lit(value=False).alias("oom")),
            reported.select("row", "candidate", pl.lit("kernel").alias("source"), "oom"),
        ]
    ).sort("row")


def _dumps(entries: pl.DataFrame, rows: pl.Series, attributed: pl.DataFrame, boots: pl.Series) -> pl.DataFrame:
    """List core dumps: row, unit_boot of the unit they name (null where they name none), boot, at, pid."""
    dump = entries.select(pl.col("monotonic").fill_null(0).alias("at"), pid="coredump_pid")[rows]
    named = attributed.filter(pl.col("speaker") == int(Speaker.COREDUMP)).select("row", "unit_boot")
    return pl.DataFrame({"row": rows.cast(pl.UInt32), "boot": boots.gather(rows)}).hstack(dump).join(named, on="row", how="left")


def _kernel(entries: pl.DataFrame, rows: pl.Series, boots: pl.Series) -> pl.DataFrame:
    """List kernel messages that name a process or a service: row, boot, at, pid, manager, unit, oom, signal."""
    fields = entries.select("message", "monotonic", "source_monotonic")[rows]
    message = pl.col("message")
    path = message.str.extract(MEMCG)
    user = path.str.extract(USER_OF_PATH)
    return (
        pl.DataFrame({"row": rows.cast(pl.UInt32), "boot": boots.gather(rows)})
        .hstack(fields)
        .select(
            "row",
            "boot",
            pl.coalesce("source_monotonic", "monotonic").fill_null(0).alias("at"),
            message.str.extract(PROCESS).cast(pl.Int64, strict=False).alias("pid"),
            path.str.extract(UNIT_OF_PATH).alias("unit"),
            pl.when(user.is_null()).then(pl.lit("system")).otherwise("user:" + user).alias("manager"),
            message.str.contains(OOM).alias("oom"),
            pl.coalesce(*[pl.when(message.str.contains(fault)).then(pl.lit(signal, pl.Int32)) for fault, signal in FAULTS]).alias("signal"),
        )
        .filter(pl.col("pid").is_not_null() | pl.col("unit").is_not_null())
    )


def _processes(attributed: pl.DataFrame, lines: pl.DataFrame, pids: pl.Series) -> pl.DataFrame:
    """List the processes that wrote an attempt's own lines, those that failed to exec included: candidate, pid."""
    service = attributed.filter((pl.col("speaker") == int(Speaker.SERVICE)) & pl.col("pid").is_in(pids.implode()))
    spawned = lines.filter(is_kind(ManagerMessage.SPAWN_FAILED) & pl.col("pid").is_in(pids.implode()))
    return pl.concat([service.select("candidate", "pid"), spawned.select("candidate", "pid")]).drop_nulls().unique(maintain_order=True)


def _of_dumps(dumps: pl.DataFrame, spans: pl.DataFrame, processes: pl.DataFrame) -> pl.DataFrame:
    """Attribute dumps by process id, else to the named unit's last attempt that dumped core, else to its nearest in time."""
    named = nearest(dumps.drop("unit_boot"), processes.drop("unit_boot"), ["boot", "pid"], DUMP_NEAR_US)
    rest = dumps.join(named, on="row", how="anti").filter(pl.col("unit_boot").is_not_null())
    # the end counts here, not the start: the core is logged after it
    ends = spans.filter(pl.col("dumped")).with_columns(pl.col("end").alias("start"))
    by_end = nearest(rest, ends, ["unit_boot"], DUMP_NEAR_US)
    rest = rest.join(by_end, on="row", how="anti")
    return pl.concat([named, by_end, nearest(rest, spans, ["unit_boot"], UNNAMED_DUMP_NEAR_US)])


def _names(entries: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Map boot, manager and unit (as text) to unit_boot."""
    unit_boots = attempts.select("unit_boot", "boot", "first_row").unique("unit_boot", keep="first", maintain_order=True)
    text = entries.select("manager", "unit")[unit_boots["first_row"]].cast(pl.String)
    return unit_boots.select("unit_boot", "boot").hstack(text)


def _of_kernel(messages: pl.DataFrame, spans: pl.DataFrame, processes: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Attribute kernel messages: row, candidate, oom.

    The line with the unit's path shows whose process it was; the other lines name only the process.
    """
    of_unit = messages.filter(pl.col("unit").is_not_null()).join(names, on=["boot", "manager", "unit"])
    by_unit = nearest(of_unit.select("row", "at", "unit_boot"), spans, ["unit_boot"], KERNEL_NEAR_US)
    victims = by_unit.join(messages.select("row", "pid"), on="row").select("candidate", "pid").join(spans, on="candidate")
    all_processes = pl.concat([processes, victims.select(processes.columns)]).unique(["candidate", "pid"], maintain_order=True)
    rest = messages.filter(pl.col("unit").is_null())
    by_process = nearest(rest.select("row", "at", "boot", "pid"), all_processes, ["boot", "pid"], KERNEL_NEAR_US)
    # a process that wrote nothing is known by how it died
    silent = rest.join(by_process, on="row", how="anti").filter(pl.col("signal").is_not_null())
    ends = spans.filter(pl.col("signal").is_not_null() & (pl.col("end") < FOREVER)).with_columns(pl.col("end").alias("start"))
    by_fault = nearest(silent.select("row", "at", "boot", "signal"), ends, ["boot", "signal"], FAULT_NEAR_US)
    return pl.concat([by_unit, by_process, by_fault]).join(messages.select("row", "oom"), on="row")
