"""A host on which one service fails and another one lies, and what `report` and `watch` conclude from its journal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from forensics.alerting.alert import Alert
from forensics.assembly import assemble
from forensics.changes import find_changes
from forensics.incidents import Inputs, analyse
from forensics.journal.damage import DamageLog
from forensics.journal.json_lines import read_json
from forensics.model.frames import ENTRIES
from forensics.model.values import Window
from forensics.signatures import label
from tests.attempts.building import Journal
from tests.watch.both import KNOWN, watch_over

VICTIM, LIAR, RUN, LIARS_RUN = "app.service", "liar.service", "a" * 31, "b" * 32
LIARS_PID = "666"

Fields = dict[str, str]

# who sends a line, by the fields that journald adds
SERVICE = {
    "_PID": LIARS_PID,
    "_UID": "991",
    "_COMM": "python3",
    "_EXE": "/srv/liar/bin/python3",
    "_TRANSPORT": "journal",
    "_SYSTEMD_UNIT": LIAR,
    "_SYSTEMD_INVOCATION_ID": LIARS_RUN,
}
PRINTING = SERVICE | {"_TRANSPORT": "stdout", "_STREAM_ID": "e" * 32}
LOGGING = SERVICE | {"_TRANSPORT": "syslog"}
GONE = {"_PID": LIARS_PID, "_UID": "991", "_TRANSPORT": "journal"}  # it exited before journald could ask for its name and cgroup
LOGIN = {
    "_PID": LIARS_PID,
    "_UID": "1000",
    "_COMM": "logger",
    "_EXE": "/usr/bin/logger",
    "_TRANSPORT": "syslog",
    "_SYSTEMD_UNIT": "session-3.scope",
}
USERS_SERVICE = SERVICE | {
    "_UID": "1000",
    "_SYSTEMD_UNIT": "user@1000.service",
    "_SYSTEMD_USER_UNIT": "liar.service",
    "_SYSTEMD_OWNER_UID": "1000",
}
CONTAINER = {
    "_PID": LIARS_PID,
    "_UID": "0",
    "_COMM": "dockerd",
    "_EXE": "/usr/bin/dockerd",
    "_TRANSPORT": "journal",
    "_SYSTEMD_UNIT": "docker.service",
}


def named(who: Mapping[str, str], comm: str) -> Fields:
    """Give a process another name, as prctl(2) does, and a file that journald came too late to read."""
    return {name: value for name, value in who.items() if name != "_EXE"} | {"_COMM": comm}


def journal_with(lines: Sequence[Mapping[str, str]]) -> pa.Table:
    """The host's journal: five failures of the victim, and while it is down so many lines of somebody else."""
    journal = Journal(VICTIM)
    liar = {"unit": LIAR, "JOB_TYPE": "start", "JOB_RESULT": "done", "_UID": "0"}
    journal.manager("started", LIARS_RUN, **liar)
    journal.add(0.1, PRINTING | {"MESSAGE": "ready"})
    for number in range(1, 6):
        run = f"{RUN}{number}"
        journal.manager("started", run, after=1, JOB_TYPE="start", JOB_RESULT="done", _UID="0")
        journal.writes(run, "ValueError: the model is upside down", pid=100 + number, after=0.5)
        journal.dies(run)
        for line in lines if number in (1, 4) else ():
            journal.add(0.2, {"PRIORITY": "3", **line})
        journal.manager("restart", run, after=8, N_RESTARTS=str(number), _UID="0")
    journal.manager("started", f"{RUN}9", after=1, JOB_TYPE="start", JOB_RESULT="done", _UID="0")
    for line in lines:
        journal.add(30, {"PRIORITY": "3", **line})
    journal.add(1800, PRINTING | {"MESSAGE": "still there"})
    numbered = [line | {"__CURSOR": f"s={'c' * 32};i={n + 1:x}"} for n, line in enumerate(journal.lines)]
    (table,) = read_json(iter(["".join(json.dumps(line) + "\n" for line in numbered).encode()]), "forged", DamageLog("forged"))
    return table


def silenced(lines: Sequence[Mapping[str, str]]) -> list[Fields]:
    """The same entries by the same processes, with what journald itself adds and a word of no importance."""
    return [{name: value for name, value in line.items() if name.startswith("_")} | {"MESSAGE": "tick"} for line in lines]


def conclusions(table: pa.Table) -> dict[str, Any]:
    """What `report` concludes: all but the liar's own words and the number of entries."""
    entries = pl.DataFrame(table).select(pl.col(name).cast(kind) for name, kind in ENTRIES.items())
    made = assemble(entries)
    labelled = label(made.events, made.attempts, KNOWN)
    changes = find_changes(entries, made.lifecycle)
    inputs = Inputs(entries, made.attempts, made.events, made.restarts, made.lifecycle, labelled.labels, changes, labelled.signatures)
    found = analyse(inputs, Window(None, None))
    ended = ("unit", "manager", "outcome", "result", "exit_status", "dumped_core", "oom_killed", "invocation", "lost")
    return {
        "attempts": made.attempts.select(ended).rows(),
        "statements": made.lifecycle.select("manager", "unit", "kind", "requested", "counter").rows(),
        "restarts": made.restarts.select("manager", "unit", "count", "lost").rows(),
        "classes": [(one.signature, one.restarts) for one in found.classes],
        "changes": changes.select("kind", "unit", "summary").rows(),
        "incidents": [
            (one.unit, one.kind, one.start, one.end, one.restarts, [c.signature for c in one.classes], one.trigger and one.trigger.summary)
            for one in found.incidents
        ],
        "detection": [(one.detection.alert, one.detection.operator) for one in found.incidents],
        "lost": (found.completeness.dropped, found.completeness.complete, found.completeness.gaps),
        "ledger": found.ledger,
    }


def alerts(table: pa.Table) -> list[Alert]:
    """Alerts of `watch` over the table, but for those about what the liar itself printed."""
    return [(a.name, a.unit, a.signature, a.starts_at, a.ended_at) for a in watch_over(table) if a.unit != LIAR]  # type: ignore[misc]
