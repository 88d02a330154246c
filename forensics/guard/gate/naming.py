"""Name the failure that a unit is just ending with, as `report` and `watch` will name it: by the same assembly, catalogue and overrides."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import polars as pl

from forensics.assembly import assemble
from forensics.classes.overrides import Overrides, apply_overrides, read_overrides
from forensics.errors import ForensicsError
from forensics.guard.gate.logged_before import good_times
from forensics.guard.systemctl import Manager, NoManagerError, called
from forensics.journal.stream import read_stream
from forensics.model import systemd
from forensics.model.bounds import bounded_entries
from forensics.model.frames import ENTRIES
from forensics.model.values import Signature
from forensics.paths import overrides_file, users_patterns
from forensics.resources import folder
from forensics.sanitize import brief, safe_line
from forensics.signatures import catalogue, label
from forensics.signatures.contrast import NO_PAST
from forensics.signatures.pattern import Catalogue

MOST_LINES = 2000  # of the unit, the newest: several attempts of a loop, or the end of a long one
MOST_KERNEL = 300
GOOD = "success"
LONGEST_TITLE = 200
TIME, MONOTONIC = "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP"
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """The attempt whose end is not logged yet. result: systemd's, as in SERVICE_RESULT."""

    unit: str
    invocation: str
    result: str


def answer(manager: Manager, ending: Ending) -> str:
    """Print the class of the attempt as JSON, and how many attempts in a row had it. Raises ForensicsError where there is none."""
    records = read_records(manager, ending.unit)
    directories = [directory for directory in (folder("patterns"), users_patterns()) if directory.is_dir()]
    past = good_times(manager, ending.unit)
    signature, alike = last_class(records, manager, ending, catalogue.load(directories), _overrides(), past)
    title = brief(safe_line(signature.title), LONGEST_TITLE)
    return json.dumps({"signature": signature.id, "restart_helps": signature.restart_helps, "alike": alike, "title": title})


def read_records(manager: Manager, unit: str) -> list[Fields]:
    """Read the newest lines of the unit and of the kernel in this boot, in order, after journald has taken what is under way."""
    with suppress(NoManagerError):  # what is missing then is a line or two
        called(["journalctl", "--sync"], 3.0)
    of_unit = _journal(_matches(manager, unit), MOST_LINES)
    of_kernel = _journal(["_TRANSPORT=kernel"], MOST_KERNEL)
    first = min((_number(record, MONOTONIC) for record in of_unit), default=0)
    kernel = (record for record in of_kernel if _number(record, MONOTONIC) >= first)
    return sorted([*of_unit, *kernel], key=lambda record: _number(record, MONOTONIC))


def last_class(
    records: Sequence[Fields],
    manager: Manager,
    ending: Ending,
    patterns: Catalogue,
    overrides: Overrides,
    past: pl.DataFrame = NO_PAST,
) -> tuple[Signature, int]:
    """Return the class of the last attempt, and how many up to it had the same. Raises ForensicsError where none failed.

    past: what the unit logged in good times before the records.
    """
    if not records:
        raise ForensicsError(f"the journal has no lines of {ending.unit}.")
    entries = entries_of([*records, end_record(records[-1], manager, ending)])
    assembly = assemble(entries)
    labelled = apply_overrides(label(assembly.events, assembly.attempts, patterns, past), overrides)
    attempts = assembly.attempts.filter(pl.col("unit") == ending.unit).sort("first_row")
    classes = attempts.join(labelled.labels, on="attempt", how="inner", maintain_order="left")
    failures = [row["signature"] if row["failed"] else "" for row in classes.iter_rows(named=True)]
    if not failures or not failures[-1]:
        raise ForensicsError(f"the journal shows no failure of {ending.unit}.")
    others = (number for number, signature in enumerate(reversed(failures)) if signature != failures[-1])
    return labelled.signatures[failures[-1]], next(others, len(failures))


def end_record(last: Fields, manager: Manager, ending: Ending) -> Fields:
    """Return the record of the end that the manager will log once ExecStopPost= is done."""
    about = {"USER_UNIT": ending.unit, "USER_INVOCATION_ID": ending.invocation}
    by: Fields = {"_PID": "1", "_UID": "0", "_SYSTEMD_UNIT": "init.scope", "UNIT": ending.unit, "INVOCATION_ID": ending.invocation}
    if manager.is_users:
        uid = str(os.getuid())
        by = {"_PID": "2", "_UID": uid, "_SYSTEMD_UNIT": f"user@{uid}.service", "_SYSTEMD_USER_UNIT": "init.scope", **about}
    host: Fields = {name: last[name] for name in ("_BOOT_ID", "_MACHINE_ID", "_HOSTNAME") if name in last}
    times: Fields = {name: str(_number(last, name) + 1) for name in (TIME, MONOTONIC)}
    of_manager: Fields = {"_TRANSPORT": "journal", "_COMM": "systemd", "_EXE": "/usr/lib/systemd/systemd", "SYSLOG_IDENTIFIER": "systemd"}
    return {**host, **times, **of_manager, **by, **_statement(ending)}


def _statement(ending: Ending) -> Fields:
    if ending.result == GOOD:
        return {"MESSAGE": f"{ending.unit}: Deactivated successfully.", "MESSAGE_ID": systemd.UNIT_SUCCESS, "PRIORITY": "6"}
    message = f"{ending.unit}: Failed with result '{ending.result}'."
    return {"MESSAGE": message, "MESSAGE_ID": systemd.UNIT_FAILURE_RESULT, "UNIT_RESULT": ending.result, "PRIORITY": "4"}


def _overrides() -> Overrides:
    """Read the user's overrides; a file with mistakes has none, as the gate cannot ask."""
    try:
        return read_overrides(overrides_file())
    except (ForensicsError, OSError):
        return Overrides()


def _matches(manager: Manager, unit: str) -> list[str]:
    """Match what `journalctl -u` does (add_matches_for_unit() in logs-show.c)."""
    if manager.is_users:
        uid = f"_UID={os.getuid()}"
        return [f"_SYSTEMD_USER_UNIT={unit}", uid, "+", f"USER_UNIT={unit}", uid, "+", f"COREDUMP_USER_UNIT={unit}"]
    core = [f"MESSAGE_ID={systemd.COREDUMP}", "_UID=0", f"COREDUMP_UNIT={unit}"]
    return [f"_SYSTEMD_UNIT={unit}", "+", "_PID=1", f"UNIT={unit}", "+", "_UID=0", f"OBJECT_SYSTEMD_UNIT={unit}", "+", *core]


def _journal(matches: Iterable[str], most: int) -> list[Fields]:
    done = called(["journalctl", "--boot", "--quiet", "--output=json", "--all", f"--lines={most}", *matches], 5.0)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _number(record: Fields, name: str) -> int:
    value = record.get(name)
    return int(value) if isinstance(value, str) and value.isdigit() else 0


def entries_of(records: Iterable[Fields]) -> pl.DataFrame:
    """Read journal records as ENTRIES."""
    stream = BytesIO("\n".join(json.dumps(record) for record in records).encode())
    frames = [pl.from_arrow(batch.table) for batch in read_stream(stream, "the journal")]
    columns = [pl.col(name).cast(kind) for name, kind in ENTRIES.items()]
    return bounded_entries(pl.concat([frame.select(columns) for frame in frames if isinstance(frame, pl.DataFrame)]))
