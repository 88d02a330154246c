"""Turn the records of a pasted text into ENTRIES."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from json import dumps

import polars as pl

from forensics.errors import ForensicsError
from forensics.explain.records import TIME, JournalRecord
from forensics.model.bounds import bounded_entries
from forensics.model.frames import ENTRIES

NAME = "pasted text"
# Which field of a record each column shows. Where there are several, the first that a record has.
FIELDS = {
    "time": (TIME,),
    "monotonic": ("__MONOTONIC_TIMESTAMP",),
    "boot": ("_BOOT_ID",),
    "priority": ("PRIORITY",),
    "transport": ("_TRANSPORT",),
    "host": ("_HOSTNAME",),
    "machine": ("_MACHINE_ID",),
    "unit": ("UNIT", "_SYSTEMD_UNIT"),
    "invocation": ("INVOCATION_ID", "_SYSTEMD_INVOCATION_ID"),
    "identifier": ("SYSLOG_IDENTIFIER",),
    "comm": ("_COMM",),
    "pid": ("_PID",),
    "message_id": ("MESSAGE_ID",),
    "message": ("MESSAGE",),
    "exit_code": ("EXIT_CODE",),
    "exit_status": ("EXIT_STATUS",),
    "command": ("COMMAND",),
    "result": ("UNIT_RESULT",),
    "restart_counter": ("N_RESTARTS",),
    "job_type": ("JOB_TYPE",),
    "job_result": ("JOB_RESULT",),
    "code_func": ("CODE_FUNC",),
    "coredump_pid": ("COREDUMP_PID",),
}
_OF_WRITER = ("_UID", "_SYSTEMD_UNIT")
_KNOWN = {*_OF_WRITER, *(field for fields in FIELDS.values() for field in fields)}


def entries_of(records: Sequence[JournalRecord], *, as_found: bool) -> pl.DataFrame:
    """Return the ENTRIES of records, `offset` being their numbers.

    as_found: the text consists of journal fields, so whoever wrote them may claim anything, and the reader of journals decides. The fields
    that this program gives to lines need no such decision: without pyarrow a short text takes a fifth less CPU time.
    """
    if not records:
        return ENTRIES.to_frame()
    present = sorted(set[str]().union(*(record.fields for record in records)))
    is_read = as_found or not _KNOWN.issuperset(present)
    return bounded_entries(_read(records) if is_read else _given(records, present))


def _given(records: Sequence[JournalRecord], present: Sequence[str]) -> pl.DataFrame:
    """present: the fields that some record has."""
    values = {field: [record.fields.get(field) for record in records] for field in present}
    texts = pl.DataFrame(values, schema=dict.fromkeys(present, pl.String))
    absent = pl.lit(None, pl.String)
    uid, of_unit = (pl.col(field) if field in present else absent for field in _OF_WRITER)
    columns = {name: [field for field in fields if field in present] for name, fields in FIELDS.items()}
    shown = {name: pl.coalesce(fields) if fields else absent for name, fields in columns.items()}
    shown["time"] = shown["time"].cast(pl.Int64)
    shown["manager"] = pl.when(shown["unit"].is_not_null()).then(pl.lit("system"))
    shown["writer"] = pl.when(uid.is_not_null() | of_unit.is_not_null()).then(
        pl.concat_str(uid.fill_null("-"), of_unit.fill_null("-"), pl.lit("-"), separator=" ")
    )
    shown["file"] = pl.lit(NAME)
    shown["offset"] = pl.int_range(pl.len())
    shown["bytes"] = pl.col("MESSAGE").str.len_bytes()
    return texts.select(shown.get(name, absent).cast(kind, strict=False).alias(name) for name, kind in ENTRIES.items())


def _read(records: Sequence[JournalRecord]) -> pl.DataFrame:
    from forensics.journal.stream import read_stream  # noqa: PLC0415 - imports pyarrow

    stream = BytesIO("\n".join(dumps(record.fields) for record in records).encode())
    try:
        batches = [pl.DataFrame(batch.table) for batch in read_stream(stream, NAME)]
    except ForensicsError:  # fields of journal entries, but none with a time
        return ENTRIES.to_frame()
    return pl.concat([ENTRIES.to_frame(), *(batch.select(pl.col(name).cast(kind) for name, kind in ENTRIES.items()) for batch in batches)])
