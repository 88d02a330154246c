"""Map journal fields to the columns of `model.ENTRIES`.

Text columns are dictionaries: the journal stores each distinct value once, and so do we. Numbers are parsed once per distinct value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.journal import attribution, writers
from forensics.journal.dictionary import DICTIONARY, TEXT, absent, encoded, from_codes, vocabulary
from forensics.journal.format import Header
from forensics.model.values import Damage

UTC_TIME = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        ("time", UTC_TIME),
        ("monotonic", pa.int64()),
        ("boot", DICTIONARY),
        ("seqnum", pa.int64()),
        ("seqnum_id", DICTIONARY),
        ("priority", pa.int8()),
        ("transport", DICTIONARY),
        ("host", DICTIONARY),
        ("machine", DICTIONARY),
        ("manager", DICTIONARY),
        ("unit", DICTIONARY),
        ("invocation", DICTIONARY),
        ("identifier", DICTIONARY),
        ("comm", DICTIONARY),
        ("pid", pa.int64()),
        ("writer", DICTIONARY),
        ("stream", DICTIONARY),
        ("message_id", DICTIONARY),
        ("message", DICTIONARY),
        ("exit_code", DICTIONARY),
        ("exit_status", pa.int32()),
        ("command", DICTIONARY),
        ("result", DICTIONARY),
        ("restart_counter", pa.int64()),
        ("job_type", DICTIONARY),
        ("job_result", DICTIONARY),
        ("cpu_ns", pa.int64()),
        ("memory_peak", pa.int64()),
        ("dropped", pa.int64()),
        ("code_func", DICTIONARY),
        ("errno", pa.int32()),
        ("executable", DICTIONARY),
        ("coredump_pid", pa.int64()),
        ("coredump_signal", pa.int32()),
        ("source_monotonic", pa.int64()),
        ("bytes", pa.int64()),
        ("file", DICTIONARY),
        ("offset", pa.int64()),
    ]
)
TEXT_FIELDS = {
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
NUMBER_FIELDS = {
    "priority": "PRIORITY",
    "pid": "_PID",
    "cpu_ns": "CPU_USAGE_NSEC",
    "memory_peak": "MEMORY_PEAK",
    "dropped": "N_DROPPED",
    "errno": "ERRNO",
    "coredump_pid": "COREDUMP_PID",
    "coredump_signal": "COREDUMP_SIGNAL",
    "source_monotonic": "_SOURCE_MONOTONIC_TIMESTAMP",
}
EXECUTABLE_FIELDS = ("EXECUTABLE", "COREDUMP_EXE")  # the first one that is not empty counts
RESULT_FIELDS = ("UNIT_RESULT", "TABBY_SIGNATURE", "TABBY_REASON")  # systemd's, and those of this program's own entries
FIRST_FIELDS = {"executable": EXECUTABLE_FIELDS, "result": RESULT_FIELDS}
FIRST_NUMBERS = {"restart_counter": ("N_RESTARTS", "TABBY_FAILURES"), "exit_status": ("EXIT_STATUS", "TABBY_COOLDOWN_S")}
_FIRST = tuple(field for fields in (*FIRST_FIELDS.values(), *FIRST_NUMBERS.values()) for field in fields)
FIELDS = tuple(dict.fromkeys([*TEXT_FIELDS.values(), *NUMBER_FIELDS.values(), *_FIRST, *attribution.FIELDS, *writers.FIELDS]))
PRIORITIES = (0, 7)  # emerg … debug; journald stores what a client claims


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries with the columns of SCHEMA, and the damage met while reading them; header is null when they come from a stream."""

    table: pa.Table
    damage: tuple[Damage, ...]
    header: Header | None


def entries_table(fields: Mapping[str, pa.Array], fixed: Mapping[str, pa.Array]) -> pa.Table:
    """Build the table of n entries.

    fields: journal field → array of n (dictionary or plain strings, null = absent, the first value of a repeated field);
    fixed: time, monotonic, boot, seqnum, seqnum_id, bytes, file and offset, each an array of n.
    """
    n = len(fixed["seqnum"])
    texts = {name: encoded(fields[name]) for name in FIELDS if name in fields}
    columns = {name: _fixed(column, SCHEMA.field(name).type) for name, column in fixed.items()}
    columns |= {name: texts.get(field, absent(n)) for name, field in TEXT_FIELDS.items()}
    columns |= {name: _numbers(texts.get(field), n, SCHEMA.field(name).type) for name, field in NUMBER_FIELDS.items()}
    columns |= {name: _first_of(texts, names, n) for name, names in FIRST_FIELDS.items()}
    columns |= {name: _numbers(_first_of(texts, names, n), n, SCHEMA.field(name).type) for name, names in FIRST_NUMBERS.items()}
    columns["writer"] = writers.writers(texts, n)
    columns["unit"], columns["invocation"], columns["manager"] = attribution.attribute_entries(texts, n)
    return pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _fixed(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    if column.type == wanted:
        return column
    return encoded(column) if wanted == DICTIONARY else column.cast(wanted)


def _numbers(column: pa.DictionaryArray | None, n: int, wanted: pa.DataType) -> pa.Array:
    """Parse a text column as integers; what is not a number, or does not fit the column, becomes null."""
    if column is None or not len(column.dictionary):
        return pa.nulls(n, wanted)
    texts = column.dictionary
    digits = pc.match_substring_regex(texts, r"^-?[0-9]{1,18}$")
    # typed scalars: for bare Python ones arrow tries to import pandas and dateutil each time, 0.2 ms
    numbers = pc.if_else(digits, texts, pa.scalar(None, TEXT)).cast(pa.int64())
    low, high = (pa.scalar(limit, pa.int64()) for limit in (PRIORITIES if wanted == pa.int8() else _limits(wanted)))
    fits = pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high))
    return pc.if_else(fits, numbers, pa.scalar(None, pa.int64())).cast(wanted).take(column.indices)


def _limits(wanted: pa.DataType) -> tuple[int, int]:
    limits = np.iinfo(wanted.to_pandas_dtype())
    return int(limits.min), int(limits.max)


def _first_of(texts: Mapping[str, pa.DictionaryArray], names: Sequence[str], n: int) -> pa.DictionaryArray:
    """Take the first of the named fields that is not empty."""
    joint = vocabulary(texts, names, n)
    codes = joint.codes[names[0]]
    for name in names[1:]:
        codes = np.where(codes >= 0, codes, joint.codes[name])
    return from_codes(codes, joint.values)
