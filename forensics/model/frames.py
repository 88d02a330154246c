"""The columns of every frame that passes between stages; `checked` compares them at a stage's door.

Times are UTC in microseconds, sizes are bytes. null means "not recorded", which is neither 0 nor "".
"""

from __future__ import annotations

import polars as pl

from forensics.errors import ForensicsError
from forensics.model import systemd

UTC_TIME = pl.Datetime("us", "UTC")

ENTRIES = pl.Schema(
    {
        "time": UTC_TIME,  # __REALTIME_TIMESTAMP: when journald took the entry; may jump
        "monotonic": pl.Int64(),  # __MONOTONIC_TIMESTAMP, µs since boot
        "boot": pl.Categorical(),  # _BOOT_ID, 32 hex digits
        "seqnum": pl.Int64(),
        "seqnum_id": pl.Categorical(),  # (seqnum_id, seqnum) identifies an entry across all journals
        "priority": pl.Int8(),  # 0 is emerg
        "transport": pl.Categorical(),
        "host": pl.Categorical(),  # _HOSTNAME
        "machine": pl.Categorical(),  # _MACHINE_ID
        "manager": pl.Categorical(),  # whose unit: "system" or "user:<uid>"; null when about no unit
        "unit": pl.Categorical(),  # the unit that the entry is ABOUT, not the one that wrote it
        "invocation": pl.String(),  # systemd's id of the attempt that it is about
        "identifier": pl.Categorical(),  # SYSLOG_IDENTIFIER
        "comm": pl.Categorical(),  # _COMM, trusted
        "pid": pl.Int64(),  # _PID, trusted
        "writer": pl.Categorical(),  # "<_UID> <_SYSTEMD_UNIT>[/<_SYSTEMD_USER_UNIT>] <_EXE>", "-" for absent ones
        "stream": pl.String(),  # _STREAM_ID: one stdout/stderr connection
        "message_id": pl.Categorical(),
        "message": pl.String(),  # bytes that are not UTF-8 are written as \xNN
        # fields by which the service manager and journald report on a unit
        "exit_code": pl.Categorical(),  # EXIT_CODE: exited, killed, dumped
        "exit_status": pl.Int32(),  # EXIT_STATUS: exit status or signal number; of an own entry in how many seconds a gate tries again
        "command": pl.Categorical(),  # COMMAND: ExecStart, ExecStartPre, …
        "result": pl.Categorical(),  # UNIT_RESULT; of an own entry the failure class, or why a gate was closed
        "restart_counter": pl.Int64(),  # N_RESTARTS; of an own entry how many failures a gate counted
        "job_type": pl.Categorical(),
        "job_result": pl.Categorical(),
        "cpu_ns": pl.Int64(),  # CPU_USAGE_NSEC
        "memory_peak": pl.Int64(),
        "dropped": pl.Int64(),  # N_DROPPED: lines that journald dropped
        "code_func": pl.Categorical(),  # CODE_FUNC, systemd's own function
        "errno": pl.Int32(),
        "executable": pl.Categorical(),  # EXECUTABLE of a failed exec, COREDUMP_EXE of a core dump
        "coredump_pid": pl.Int64(),
        "coredump_signal": pl.Int32(),
        "source_monotonic": pl.Int64(),  # _SOURCE_MONOTONIC_TIMESTAMP: when the kernel wrote its line
        "bytes": pl.Int64(),  # by how much the journal grew for this entry
        "file": pl.Categorical(),
        "offset": pl.Int64(),  # of the ENTRY object in the file; the entry's number in a stream
    }
)

ATTEMPTS = pl.Schema(
    {
        "attempt": pl.UInt32(),  # row number in (host, machine, manager, unit, first_row) order
        "machine": pl.String(),  # machine id, or the host name where none is recorded; a unit is (machine, manager, unit)
        "host": pl.String(),  # the machine's name then: a label
        "manager": pl.String(),
        "unit": pl.String(),
        "boot": pl.String(),
        "invocation": pl.String(),
        "started": UTC_TIME,
        "ready": UTC_TIME,  # null where the service type reports none
        "ended": UTC_TIME,  # null while it runs, and where the end is not recorded
        "uptime_s": pl.Float64(),  # start → end, or → the last entry that could have shown an end; by the monotonic clock
        "automatic": pl.Boolean(),  # started by the service manager's restart logic
        "outcome": pl.Enum(["failed", "clean", "stopped", "cut", "running"]),
        # failed: ended by itself, with a failure; clean: by itself, with success; stopped: on request; cut: by the end of boot or journal
        "failed_stopping": pl.Boolean(),  # stopped on request, and systemd calls its end a failure
        "result": pl.String(),  # UNIT_RESULT; "success" where it ended with success
        "exit_code": pl.String(),
        "exit_status": pl.Int32(),
        "command": pl.String(),  # which Exec line ended it
        "restart_counter": pl.Int64(),  # N_RESTARTS of the restart that followed
        "refused": pl.Boolean(),  # the restart that followed was refused by the start limit
        "oom_killed": pl.Boolean(),
        "dumped_core": pl.Boolean(),
        "lines": pl.UInt32(),  # of the service itself
        "entries": pl.UInt32(),  # all about it, the manager's included
        "bytes": pl.Int64(),
        "lost": pl.Int64(),  # lines that journald reports as dropped
        "cpu_ns": pl.Int64(),  # null where systemd recorded none
        "memory_peak": pl.Int64(),
        "first_row": pl.UInt32(),  # row in ENTRIES of its first entry: evidence of the start
        "last_row": pl.UInt32(),  # row in ENTRIES of the entry that shows its end (else of its last)
    }
)

LIFECYCLE = pl.Schema(  # one row per statement of the service manager or of this program about a service, in (unit, boot, row) order
    {
        "time": UTC_TIME,
        "monotonic": pl.Int64(),
        "machine": pl.String(),
        "host": pl.String(),
        "manager": pl.String(),
        "unit": pl.String(),
        "boot": pl.String(),
        "attempt": pl.UInt32(),  # null when it concerns none, or one that is not in the data
        "invocation": pl.String(),
        "kind": pl.Enum(
            [
                "starting",
                "started",
                "finished",
                "skipped",
                "reloading",
                "exit",
                "failed",
                "ended-well",
                "restart",
                "refused",
                "stopping",
                "stopped",
                "job-failed",
                "gate-opened",
                "gate-probed",
                "gate-closed",
                "remedy-started",
                "remedy-ended",
                "other",
            ]
        ),
        "requested": pl.Boolean(),  # a client asked for it: a stop, a reload, a start at once in place of a scheduled restart
        "job": pl.String(),  # JOB_TYPE; null of a gate's stop
        "counter": pl.Int64(),  # N_RESTARTS of a restart; how many failures a gate counted
        "about": pl.String(),  # of the gate and of a remedy: the failure class, or why a gate was closed
        "row": pl.UInt32(),
    }
)

ATTEMPT_ENTRIES = pl.Schema(  # the entries that can explain how an attempt ended
    {
        "row": pl.UInt32(),
        "attempt": pl.UInt32(),
        "unit_key": pl.Int64(),  # equal for the attempts of one unit
        "source": pl.Enum(["service", "manager", "kernel", "coredump"]),
    }
)

EVENTS = pl.Schema(
    {
        "event": pl.UInt32(),
        "attempt": pl.UInt32(),
        "kind": pl.Enum(["line", "traceback", "manager", "kernel", "coredump"]),
        "time": UTC_TIME,
        "until": UTC_TIME,
        "text": pl.String(),
        "root": pl.String(),  # of a traceback: the exception that started it; of a line: null
        "last": pl.String(),  # of a traceback: the exception that ended it; of a line: null
        "priority": pl.Int8(),
        "transport": pl.String(),
        "identifier": pl.String(),
        "pid": pl.Int64(),
        "message_id": pl.String(),
        "command": pl.String(),
        "exit_code": pl.String(),
        "exit_status": pl.Int32(),
        "result": pl.String(),
        "errno": pl.Int32(),
        "row": pl.UInt32(),  # row in ENTRIES of its deciding entry: evidence
        "rows": pl.UInt32(),  # how many entries it was reassembled from
    }
)

RESTARTS = pl.Schema(
    {
        "time": UTC_TIME,
        "machine": pl.String(),
        "host": pl.String(),
        "manager": pl.String(),
        "unit": pl.String(),
        "boot": pl.String(),
        "attempt": pl.UInt32(),  # the attempt that ended before it; null when its lines are lost
        "count": pl.Int64(),  # 1, or how many restarts a jump of the counter shows to be lost
        "lost": pl.Boolean(),
        "refused": pl.Boolean(),  # the start limit refused it: scheduled, but nothing was started
        "row": pl.UInt32(),
    }
)

CLASSED_RESTARTS = pl.Schema(  # each restart with the failure class it counts under
    {
        "time": UTC_TIME,
        "host": pl.String(),
        "unit": pl.String(),
        "signature": pl.String(),  # of the attempt that failed before it; journal.lost when its lines are lost
        "count": pl.Int64(),  # as in RESTARTS
        "lost": pl.Boolean(),
        "refused": pl.Boolean(),
        "incident": pl.String(),  # null for an isolated restart
    }
)

LABELS = pl.Schema(
    {
        "attempt": pl.UInt32(),
        "signature": pl.String(),  # the failure class: the signature of the deciding event
        "why": pl.String(),  # which rule chose it
        "event": pl.UInt32(),  # the deciding event; null when no log line explains the end
        "row": pl.UInt32(),  # row in ENTRIES that proves it
        "secondary": pl.List(
            pl.Struct({"signature": pl.String(), "row": pl.UInt32()})
        ),  # known problems that accompanied it, each with its first row
        "failed": pl.Boolean(),  # the attempt failed as a service, whatever its exit status says
    }
)

CHANGES = pl.Schema(
    {
        "time": UTC_TIME,
        "machine": pl.String(),
        "kind": pl.Enum(["system-switch", "package", "driver", "boot", "unit-reload", "unit-job", "operator", "login", "configuration"]),
        "unit": pl.String(),  # null when it concerns the whole machine
        "summary": pl.String(),
        "row": pl.UInt32(),
    }
)


def checked(frame: pl.DataFrame, schema: pl.Schema, what: str) -> pl.DataFrame:
    """Return the frame when its columns are exactly `schema`; otherwise raise a ForensicsError that names the difference."""
    if frame.schema == schema:
        return frame
    wrong = [name for name in {*schema, *frame.schema} if schema.get(name) != frame.schema.get(name)]
    raise ForensicsError(f"{what}: columns differ from the model: {', '.join(sorted(wrong))}.")


def exit_id(result: pl.Expr, exit_code: pl.Expr, exit_status: pl.Expr) -> pl.Expr:
    """Write `exit:<result>/<status>`, the signature of an end that no log line explains.

    Where systemd recorded no result, the exit code implies one; else it is "unknown".
    """
    by_code = exit_code.replace_strict(systemd.RESULT_OF_EXIT_CODE, default=None, return_dtype=pl.String)
    result = pl.coalesce(result, by_code, pl.lit("unknown"))
    status = pl.coalesce(exit_status.cast(pl.String), pl.when(result == "success").then(pl.lit("0")), pl.lit("none"))
    return pl.concat_str([pl.lit("exit:"), result, pl.lit("/"), status])
