"""Turn the records of a pasted text into ENTRIES."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from json import dumps

import polars as pl

from forensics.errors import ForensicsError
from forensics.explain.records import TIME, Fields, JournalRecord, PastedLine
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


def entries_of(records: Sequence[JournalRecord | PastedLine], *, as_found: bool) -> pl.DataFrame:
    """Return the ENTRIES of records, `offset` being their numbers.

    as_found: the text consists of journal fields, so whoever wrote them may claim anything, and the reader of journals decides. The fields
    that this program gives to lines need no such decision: without pyarrow a short text takes a fifth less CPU time.
    """
    if not records:
        return ENTRIES.to_frame()
    lines = [record for record in records if isinstance(record, PastedLine)]
    return bounded_entries(_read(records) if as_found or len(lines) < len(records) else _given(lines))


def _given(lines: Sequence[PastedLine]) -> pl.DataFrame:
    """ENTRIES of lines: what they share is read once."""
    shared = {id(line.shared): line.shared for line in lines}
    number_of = {id_: number for number, id_ in enumerate(shared)}
    columns = _shared(list(shared.values()))[[number_of[id(line.shared)] for line in lines]]
    time = pl.Series([line.time for line in lines], dtype=pl.Int64)
    message = pl.Series([line.message for line in lines], dtype=pl.String)
    own = {
        "time": time,
        "monotonic": time,
        "message": message,
        "bytes": message.str.len_bytes(),
        "offset": pl.int_range(len(lines), eager=True),
    }
    return columns.with_columns(column.cast(ENTRIES[name]).alias(name) for name, column in own.items())


def _shared(fields: Sequence[Fields]) -> pl.DataFrame:
    """ENTRIES of fields without a time and a message."""
    present = sorted(set[str]().union(*fields))
    texts = pl.DataFrame({field: [each.get(field) for each in fields] for field in present}, schema=dict.fromkeys(present, pl.String))
    absent = pl.lit(None, pl.String)
    uid, of_unit = (pl.col(field) if field in present else absent for field in _OF_WRITER)
    columns = {name: [field for field in names if field in present] for name, names in FIELDS.items()}
    shown = {name: pl.coalesce(names) for name, names in columns.items() if names}
    if "unit" in shown:
        shown["manager"] = pl.when(shown["unit"].is_not_null()).then(pl.lit("system"))
        shown["writer"] = pl.when(uid.is_not_null() | of_unit.is_not_null()).then(
            pl.concat_str(uid.fill_null("-"), of_unit.fill_null("-"), pl.lit("-"), separator=" ")
        )
    elif "_UID" in present:
        shown["writer"] = pl.when(uid.is_not_null()).then(pl.concat_str(uid, pl.lit("- -"), separator=" "))
    shown["file"] = pl.lit(NAME)
    return texts.select(shown.get(name, absent).cast(kind, strict=False).alias(name) for name, kind in ENTRIES.items())


def _read(records: Sequence[JournalRecord | PastedLine]) -> pl.DataFrame:
    from forensics.journal.stream import read_stream  # noqa: PLC0415 - imports pyarrow

    stream = BytesIO("\n".join(dumps(record.fields) for record in records).encode())
    try:
        batches = [pl.DataFrame(batch.table) for batch in read_stream(stream, NAME)]
    except ForensicsError:  # fields of journal entries, but none with a time
        return ENTRIES.to_frame()
    return pl.concat([ENTRIES.to_frame(), *(batch.select(pl.col(name).cast(kind) for name, kind in ENTRIES.items()) for batch in batches)])
