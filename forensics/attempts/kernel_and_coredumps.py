"""Who else saw a run die: kernel lines and core dumps, which carry no invocation id, in; each with the run it is about out.

They are joined by process id or unit path and by time. The kernel's lines can be stored after the manager's, even after the next
start was scheduled (facts/journald.md §1): the kernel's own clock counts where it is recorded.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from forensics.attempts.manager_messages import Says
from forensics.attempts.unit_keys import Codes, Speaker, is_any
from forensics.model import systemd

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
FAULT_NEAR_US = 2_000_000  # the kernel writes of a fault before the process is gone
# what the kernel (arch/x86) calls the faults for which it sends SIGILL, SIGTRAP, SIGBUS, SIGFPE and SIGSEGV
FAULTS = (
    (r"invalid opcode", 4),
    (r"\bint3\b", 5),
    (r"bus error|alignment check", 7),
    (r"divide error", 8),
    (r"segfault at|general protection|stack segment", 11),
)
OOM = r"oom-kill:|[Oo]ut of memory: Killed process"

WITNESSES = pl.Schema({"row": pl.UInt32, "run": pl.UInt32, "kind": pl.String, "oom": pl.Boolean})


def nearest(points: pl.DataFrame, spans: pl.DataFrame, by: list[str], within_us: int) -> pl.DataFrame:
    """Row → run: of the spans (start, end, run) with the same keys the one that holds the point's time `at`, else the nearest."""
    points = points.sort("at")
    spans = spans.sort("start")
    before = points.join_asof(spans, left_on="at", right_on="start", by=by, check_sortedness=False, coalesce=False)
    after = points.join_asof(spans, left_on="at", right_on="start", by=by, strategy="forward", check_sortedness=False, coalesce=False)
    late = (before["at"] - before["end"]).clip(lower_bound=0).fill_null(FOREVER)
    early = (after["start"] - after["at"]).fill_null(FOREVER)
    chosen = pl.DataFrame({"row": before["row"], "late": late, "early": early, "before": before["run"], "after": after["run"]})
    return (
        chosen.filter(pl.min_horizontal("late", "early") <= within_us)
        .select("row", pl.when(pl.col("late") <= pl.col("early")).then(pl.col("before")).otherwise(pl.col("after")).alias("run"))
        .drop_nulls()
    )


def witnesses(entries: pl.DataFrame, owned: pl.DataFrame, runs: pl.DataFrame, lines: pl.DataFrame, boots: Codes) -> pl.DataFrame:
    """row, run, kind ("kernel" or "coredump"), oom."""
    clock = entries["monotonic"].fill_null(0)
    spans = runs.select(
        "run",
        "spell",
        "boot",
        clock.gather(runs["first_row"]).alias("start"),
        clock.gather(runs["end_row"]).fill_null(FOREVER).alias("end"),
        (pl.col("exit_code").cast(pl.String) == "dumped").fill_null(value=False).alias("dumped"),
        pl.when(pl.col("exit_code").cast(pl.String).is_in(["killed", "dumped"])).then(pl.col("exit_status")).alias("signal"),
    )
    dumps = _dumps(entries, owned, boots)
    said = _kernel(entries, boots)
    if dumps.is_empty() and said.is_empty():
        return WITNESSES.to_frame()
    pids = pl.concat([dumps["pid"], said["pid"]]).drop_nulls().unique()
    processes = _processes(owned, lines, pids).join(spans, on="run")
    dumped = _of_dumps(dumps, spans, processes)
    of_dumps = dumped.join(dumps.select("row", "pid"), on="row").select("run", "pid").join(spans, on="run")
    seen = _of_kernel(said, spans, pl.concat([processes, of_dumps.select(processes.columns)]), _names(entries, runs))
    return pl.concat(
        [
            dumped.select("row", "run", pl.lit("coredump").alias("kind"), pl.lit(value=False).alias("oom")),
            seen.select("row", "run", pl.lit("kernel").alias("kind"), "oom"),
        ]
    ).sort("row")


def _dumps(entries: pl.DataFrame, owned: pl.DataFrame, boots: Codes) -> pl.DataFrame:
    """Core dumps: row, spell of the unit they name (null where they name none), boot, at, pid."""
    rows = np.flatnonzero((entries["coredump_pid"].is_not_null() & is_any(entries["message_id"], [systemd.COREDUMP])).to_numpy())
    dump = entries.select(pl.col("monotonic").fill_null(0).alias("at"), pid="coredump_pid")[rows]
    named = owned.filter(pl.col("speaker") == int(Speaker.COREDUMP)).select("row", "spell")
    return pl.DataFrame({"row": rows.astype(np.uint32), "boot": boots[rows]}).hstack(dump).join(named, on="row", how="left")


def _kernel(entries: pl.DataFrame, boots: Codes) -> pl.DataFrame:
    """Kernel lines that name a process or a service: row, boot, at, pid, manager, unit, oom."""
    rows = np.flatnonzero(is_any(entries["transport"], ["kernel"]).to_numpy())
    said = entries.select("message", "monotonic", "source_monotonic")[rows]
    message = pl.col("message")
    path = message.str.extract(MEMCG)
    user = path.str.extract(USER_OF_PATH)
    return (
        pl.DataFrame({"row": rows.astype(np.uint32), "boot": boots[rows]})
        .hstack(said)
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


def _processes(owned: pl.DataFrame, lines: pl.DataFrame, pids: pl.Series) -> pl.DataFrame:
    """run, pid: the processes that a run's own lines came from, those that failed to exec included."""
    service = owned.filter((pl.col("speaker") == int(Speaker.SERVICE)) & pl.col("pid").is_in(pids.implode()))
    spawned = lines.filter((pl.col("says") == int(Says.SPAWN_FAILED)) & pl.col("pid").is_in(pids.implode()))
    return pl.concat([service.select("run", "pid"), spawned.select("run", "pid")]).drop_nulls().unique(maintain_order=True)


def _of_dumps(dumps: pl.DataFrame, spans: pl.DataFrame, processes: pl.DataFrame) -> pl.DataFrame:
    """By process id; else the run of the named unit that dumped core last before; else any run of it near in time."""
    named = nearest(dumps.drop("spell"), processes.drop("spell"), ["boot", "pid"], DUMP_NEAR_US)
    rest = dumps.join(named, on="row", how="anti").filter(pl.col("spell").is_not_null())
    # the end counts here, not the start: the core is logged after it
    ends = spans.filter(pl.col("dumped")).with_columns(pl.col("end").alias("start"))
    by_end = nearest(rest, ends, ["spell"], DUMP_NEAR_US)
    rest = rest.join(by_end, on="row", how="anti")
    return pl.concat([named, by_end, nearest(rest, spans, ["spell"], UNNAMED_DUMP_NEAR_US)])


def _names(entries: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """boot, manager, unit (as text) → spell."""
    spells = runs.select("spell", "boot", "first_row").unique("spell", keep="first", maintain_order=True)
    text = entries.select("manager", "unit")[spells["first_row"]].cast(pl.String)
    return spells.select("spell", "boot").hstack(text)


def _of_kernel(said: pl.DataFrame, spans: pl.DataFrame, processes: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """row, run, oom. The line with the unit's path tells whose process it was; the other lines name only the process."""
    of_unit = said.filter(pl.col("unit").is_not_null()).join(names, on=["boot", "manager", "unit"])
    by_unit = nearest(of_unit.select("row", "at", "spell"), spans, ["spell"], KERNEL_NEAR_US)
    victims = by_unit.join(said.select("row", "pid"), on="row").select("run", "pid").join(spans, on="run")
    known = pl.concat([processes, victims.select(processes.columns)]).unique(["run", "pid"], maintain_order=True)
    rest = said.filter(pl.col("unit").is_null())
    by_process = nearest(rest.select("row", "at", "boot", "pid"), known, ["boot", "pid"], KERNEL_NEAR_US)
    # a process that wrote nothing is known by how it died
    silent = rest.join(by_process, on="row", how="anti").filter(pl.col("signal").is_not_null())
    ends = spans.filter(pl.col("signal").is_not_null() & (pl.col("end") < FOREVER)).with_columns(pl.col("end").alias("start"))
    by_fault = nearest(silent.select("row", "at", "boot", "signal"), ends, ["boot", "signal"], FAULT_NEAR_US)
    return pl.concat([by_unit, by_process, by_fault]).join(said.select("row", "oom"), on="row")
