"""Export text of journalctl, or a handful of dicts → a model.ENTRIES frame, in plain Python.

An independent re-statement of the "about whom" rule for the tests of the attempts; the product's reader is tested elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa

from forensics.model.frames import ENTRIES

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Fields = dict[str, str]


def records(data: bytes) -> Iterator[Fields]:
    """The entries of export text; the first value of a repeated field."""
    fields: Fields = {}
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        line, at = data[at:end], end + 1
        if not line:
            if fields:
                yield fields
            fields = {}
            continue
        name, equals, value = line.partition(b"=")
        if not equals:  # binary form: name, newline, 64-bit little-endian length, bytes, newline
            size = int.from_bytes(data[at : at + 8], "little")
            value = data[at + 8 : at + 8 + size]
            at += 8 + size + 1
        fields.setdefault(name.decode(), value.decode("utf-8", "backslashreplace"))
    if fields:
        yield fields


def whom(fields: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:  # noqa: PLR0911 - one return a rule
    """(manager, unit, invocation) that an entry is about."""
    get = fields.get
    user = f"user:{get('_SYSTEMD_OWNER_UID') or get('_UID')}"
    of_manager = get("_PID") == "1" or "init.scope" in (get("_SYSTEMD_UNIT"), get("_SYSTEMD_USER_UNIT"))
    # the forked child that could not exec still speaks with the manager's fields
    spawning = get("MESSAGE_ID") == "641257651c1b4ec9a8624d7a40a9e1e7"
    if of_manager or spawning:
        if get("UNIT"):
            return "system", get("UNIT"), get("INVOCATION_ID") or None
        if get("USER_UNIT"):
            return user, get("USER_UNIT"), get("USER_INVOCATION_ID") or None
    if get("COREDUMP_UNIT"):
        return "system", get("COREDUMP_UNIT"), None
    if get("OBJECT_SYSTEMD_UNIT") and get("OBJECT_SYSTEMD_UNIT") != get("_SYSTEMD_UNIT"):
        return "system", get("OBJECT_SYSTEMD_UNIT"), get("OBJECT_SYSTEMD_INVOCATION_ID")
    if get("_SYSTEMD_USER_UNIT"):
        return user, get("_SYSTEMD_USER_UNIT"), get("_SYSTEMD_INVOCATION_ID")
    if get("_SYSTEMD_UNIT"):
        return "system", get("_SYSTEMD_UNIT"), get("_SYSTEMD_INVOCATION_ID")
    return None, None, None


def number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def row(fields: Mapping[str, str], offset: int) -> dict[str, object]:
    get = fields.get
    manager, unit, invocation = whom(fields)
    return {
        "time": EPOCH + timedelta(microseconds=int(fields["__REALTIME_TIMESTAMP"])),
        "monotonic": number(get("__MONOTONIC_TIMESTAMP")),
        "boot": get("_BOOT_ID"),
        "seqnum": offset,
        "seqnum_id": "0" * 32,
        "priority": number(get("PRIORITY")),
        "transport": get("_TRANSPORT"),
        "host": get("_HOSTNAME"),
        "machine": get("_MACHINE_ID"),
        "manager": manager,
        "unit": unit,
        "invocation": invocation,
        "identifier": get("SYSLOG_IDENTIFIER"),
        "comm": get("_COMM"),
        "pid": number(get("_PID")),
        "stream": get("_STREAM_ID"),
        "message_id": get("MESSAGE_ID"),
        "message": get("MESSAGE"),
        "exit_code": get("EXIT_CODE"),
        "exit_status": number(get("EXIT_STATUS") or get("TABBY_COOLDOWN_S")),
        "command": get("COMMAND"),
        "result": get("UNIT_RESULT") or get("TABBY_SIGNATURE") or get("TABBY_REASON"),
        "restart_counter": number(get("N_RESTARTS") or get("TABBY_FAILURES")),
        "job_type": get("JOB_TYPE"),
        "job_result": get("JOB_RESULT"),
        "cpu_ns": number(get("CPU_USAGE_NSEC")),
        "memory_peak": number(get("MEMORY_PEAK")),
        "dropped": number(get("N_DROPPED")),
        "code_func": get("CODE_FUNC"),
        "errno": number(get("ERRNO")),
        "executable": get("EXECUTABLE") or get("COREDUMP_EXE"),
        "coredump_pid": number(get("COREDUMP_PID")),
        "coredump_signal": number(get("COREDUMP_SIGNAL")),
        "source_monotonic": number(get("_SOURCE_MONOTONIC_TIMESTAMP")),
        "bytes": 100 + len(get("MESSAGE") or ""),
        "file": "test",
        "offset": offset,
    }


def entries(source: Iterable[Mapping[str, str]]) -> pl.DataFrame:
    return pl.DataFrame([row(fields, i) for i, fields in enumerate(source)], schema=ENTRIES)


def export_file(path: Path) -> pl.DataFrame:
    """A zstd-compressed export stream as an ENTRIES frame."""
    with pa.input_stream(str(path), compression="zstd") as stream:
        return entries(records(stream.read()))
