"""A plain restatement of the columns of one entry, which the vectorised code must agree with."""

from __future__ import annotations

import re
from collections.abc import Mapping

from forensics.model.own_entries import OWN_ENTRIES

TEXT = {
    "transport": "_TRANSPORT",
    "host": "_HOSTNAME",
    "machine": "_MACHINE_ID",
    "identifier": "SYSLOG_IDENTIFIER",
    "comm": "_COMM",
    "stream": "_STREAM_ID",
    "message_id": "MESSAGE_ID",
    "message": "MESSAGE",
    "exit_code": "EXIT_CODE",
    "command": "COMMAND",
    "job_type": "JOB_TYPE",
    "job_result": "JOB_RESULT",
    "code_func": "CODE_FUNC",
}
SYSTEMD = "/usr/lib/systemd/systemd"
INT64, INT32, PRIORITY = (-(2**63), 2**63 - 1), (-(2**31), 2**31 - 1), (0, 7)
NUMBERS = {
    "priority": ("PRIORITY", PRIORITY),
    "pid": ("_PID", INT64),
    "cpu_ns": ("CPU_USAGE_NSEC", INT64),
    "memory_peak": ("MEMORY_PEAK", INT64),
    "dropped": ("N_DROPPED", INT64),
    "errno": ("ERRNO", INT32),
    "coredump_pid": ("COREDUMP_PID", INT64),
    "coredump_signal": ("COREDUMP_SIGNAL", INT32),
    "source_monotonic": ("_SOURCE_MONOTONIC_TIMESTAMP", INT64),
}


def columns(fields: Mapping[str, str]) -> dict[str, object]:
    """The columns that come from an entry's fields (name → first value)."""
    row: dict[str, object] = {column: fields.get(field) for column, field in TEXT.items()}
    for column, (field, limits) in NUMBERS.items():
        row[column] = _number(fields.get(field, ""), *limits)
    row["exit_status"] = _number(fields.get("EXIT_STATUS") or fields.get("TABBY_COOLDOWN_S") or "", *INT32)
    row["restart_counter"] = _number(fields.get("N_RESTARTS") or fields.get("TABBY_FAILURES") or "", *INT64)
    row["result"] = fields.get("UNIT_RESULT") or fields.get("TABBY_SIGNATURE") or fields.get("TABBY_REASON") or None
    row["executable"] = fields.get("EXECUTABLE") or fields.get("COREDUMP_EXE") or None
    row["writer"] = writer_of(fields)
    row["manager"], row["unit"], row["invocation"] = attribution(fields)
    return row


def _number(text: str, low: int, high: int) -> int | None:
    number = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
    return number if number is not None and low <= number <= high else None


def attribution(fields: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:  # noqa: C901, PLR0911 — the rule as one list of cases
    """manager, unit and invocation that an entry is attributed to; an empty value counts as absent."""
    f = {name: value for name, value in fields.items() if value}

    def user(*names: str) -> str:
        return "user:" + next((f[name] for name in names if name in f), "?")

    writer, user_writer = f.get("_SYSTEMD_UNIT"), f.get("_SYSTEMD_USER_UNIT")
    unplaced_root = writer is None and f.get("_UID") == "0"
    unexecuted = f.get("_EXE", SYSTEMD).startswith(SYSTEMD)
    forked = unexecuted and re.fullmatch(r"\(.*\)", f.get("_COMM", ""))
    from_a_dumper = unplaced_root or re.fullmatch(r"systemd-coredump@\S*\.service", writer or "")
    if f.get("MESSAGE_ID") == "fc2e22bc6ee647b6b90729ab34a250b1" and from_a_dumper:
        if "COREDUMP_USER_UNIT" in f:
            return user("COREDUMP_OWNER_UID", "COREDUMP_UID", "_SYSTEMD_OWNER_UID"), f["COREDUMP_USER_UNIT"], None
        if "COREDUMP_UNIT" in f:
            return "system", f["COREDUMP_UNIT"], None
    claimed = f.get("USER_UNIT")
    if claimed and (user_writer == "init.scope" or (user_writer == claimed and forked)):
        return user("_SYSTEMD_OWNER_UID", "_UID"), claimed, f.get("USER_INVOCATION_ID")
    claimed = f.get("UNIT")
    unplaced = unplaced_root and f.get("MESSAGE_ID") == "641257651c1b4ec9a8624d7a40a9e1e7"
    child = (forked and (writer == claimed or unplaced)) or (unplaced and unexecuted and "_COMM" not in f)
    if claimed and (f.get("_PID") == "1" or writer == "init.scope" or child):
        return "system", claimed, f.get("INVOCATION_ID")
    claimed = f.get("OBJECT_SYSTEMD_USER_UNIT")
    ours = f.get("MESSAGE_ID") in OWN_ENTRIES
    if claimed and claimed != user_writer and ours and "_UID" in f and "OBJECT_UID" not in f:
        return user("_UID"), claimed, f.get("OBJECT_SYSTEMD_INVOCATION_ID")
    if (f.get("_UID") == "0" and (writer or ours)) or writer == "systemd-journald.service" or f.get("_TRANSPORT") == "driver":
        if "OBJECT_SYSTEMD_USER_UNIT" in f:
            manager = user("OBJECT_SYSTEMD_OWNER_UID", "OBJECT_UID")
            return manager, f["OBJECT_SYSTEMD_USER_UNIT"], f.get("OBJECT_SYSTEMD_INVOCATION_ID")
        if f.get("OBJECT_SYSTEMD_UNIT", writer) != writer:
            return "system", f["OBJECT_SYSTEMD_UNIT"], f.get("OBJECT_SYSTEMD_INVOCATION_ID")
    if user_writer:
        return user("_SYSTEMD_OWNER_UID", "_UID"), user_writer, f.get("_SYSTEMD_INVOCATION_ID")
    return ("system", writer, f.get("_SYSTEMD_INVOCATION_ID")) if writer else (None, None, None)


def writer_of(fields: Mapping[str, str]) -> str | None:
    """The process that wrote an entry, by journald's own fields; an empty value counts as absent."""
    uid, unit, user_unit, program = (fields.get(name) or "-" for name in ("_UID", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT", "_EXE"))
    return None if {uid, unit, user_unit, program} == {"-"} else f"{uid} {unit}{'' if user_unit == '-' else '/' + user_unit} {program}"
