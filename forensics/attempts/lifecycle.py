"""List what the service manager and this program logged about each service, in order; all other stages read this list, not their lines."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import ManagerMessage, classified, is_kind
from forensics.attempts.stop_reasons import with_order
from forensics.boots import machine_or_host
from forensics.model.frames import LIFECYCLE
from forensics.speakers import Speaker

FIELDS = (
    "time",
    "message_id",
    "message",
    "code_func",
    "exit_code",
    "exit_status",
    "command",
    "result",
    "restart_counter",
    "job_type",
    "job_result",
    "cpu_ns",
    "memory_peak",
    "priority",
)
KINDS = {
    ManagerMessage.STARTING: "starting",
    ManagerMessage.STARTED: "started",
    ManagerMessage.FINISHED: "finished",
    ManagerMessage.NOT_STARTED: "skipped",
    ManagerMessage.SKIPPED: "skipped",
    ManagerMessage.RELOADING: "reloading",
    ManagerMessage.EXIT: "exit",
    ManagerMessage.FAILED: "failed",
    ManagerMessage.ENDED_WELL: "ended-well",
    ManagerMessage.RESTART: "restart",
    ManagerMessage.START_LIMIT: "refused",
    ManagerMessage.STOPPING: "stopping",
    ManagerMessage.STOPPED: "stopped",
    ManagerMessage.JOB_FAILED: "job-failed",
    ManagerMessage.GATE_OPENED: "gate-opened",
    ManagerMessage.GATE_PROBED: "gate-probed",
    ManagerMessage.GATE_CLOSED: "gate-closed",
    ManagerMessage.REMEDY_STARTED: "remedy-started",
    ManagerMessage.REMEDY_ENDED: "remedy-ended",
}
OURS = (
    ManagerMessage.GATE_OPENED,
    ManagerMessage.GATE_PROBED,
    ManagerMessage.GATE_CLOSED,
    ManagerMessage.REMEDY_STARTED,
    ManagerMessage.REMEDY_ENDED,
)
STOP_KINDS = ("stopping", "stopped")
AT_ONCE = "immediately on client request"  # systemd 257, of a restart that a client's start replaced


def manager_lines(entries: pl.DataFrame, attributed: pl.DataFrame) -> pl.DataFrame:
    """Classify the lines of the manager and of this program: in (unit_boot, row) order with `kind` and what `with_order` adds."""
    columns = ("row", "unit_key", "unit_boot", "boot", "candidate", "pid")
    by = pl.col("speaker").is_in([int(Speaker.MANAGER), int(Speaker.OURS)])
    lines = attributed.lazy().filter(by).select(columns).collect()
    return with_order(classified(lines.hstack(entries.select(FIELDS)[lines["row"]])))


def lifecycle_table(entries: pl.DataFrame, lines: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Make LIFECYCLE of manager lines. attempts: candidate, attempt."""
    stated = lines.filter(~is_kind(ManagerMessage.OTHER)).join(attempts, on="candidate", how="left", maintain_order="left")
    about = entries.select("monotonic", "machine", "host", "manager", "unit", "invocation", boot_id="boot")[stated["row"]]
    asked = is_kind(ManagerMessage.RELOADING) | (is_kind(ManagerMessage.RESTART) & pl.col("message").str.contains(AT_ONCE, literal=True))
    kinds = {int(kind): name for kind, name in KINDS.items()}
    return (
        stated.drop("boot")
        .hstack(about.with_columns(machine_or_host()))
        .with_columns(
            pl.col("kind").replace_strict(kinds, default="other", return_dtype=pl.String),
            (pl.col("requested") | asked.fill_null(value=False)).alias("requested"),
            boot="boot_id",
            # 219 leaves it out; `Stopping` is logged for stops only, also within a client's restart
            job=pl.when(~pl.col("by_gate")).then(
                pl.coalesce("job_type", pl.when(is_kind(ManagerMessage.STOPPING)).then(pl.lit("stop", pl.Categorical)))
            ),
            counter="restart_counter",
            about=pl.when(is_kind(*OURS)).then(pl.col("result").cast(pl.String)),
        )
        .select([pl.col(name).cast(kind) for name, kind in LIFECYCLE.items()])
    )


def asks_to_stop() -> pl.Expr:
    """Select the statements of LIFECYCLE by which a client stops a unit, and does not restart it."""
    return pl.col("kind").is_in(STOP_KINDS) & (pl.col("job") == "stop").fill_null(value=False)
