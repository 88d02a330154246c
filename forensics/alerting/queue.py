"""The alerts that wait for each sink, oldest first, in a mirrored database."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from forensics.alerting.alert import Alert, restored
from forensics.alerting.database import Change, MirroredDatabase

MOST_QUEUED = 10_000  # alerts per sink; a full queue keeps the oldest, which show how the trouble began
ADD = "insert into queue (sink, alert) values (?, ?)"
SCHEMA = (
    "create table if not exists queue (number integer primary key, sink text not null, alert text not null)",
    "create index if not exists queue_by_sink on queue (sink, number)",
)


@dataclass(frozen=True, slots=True)
class AlertQueue:
    """Usable from any thread."""

    database: MirroredDatabase

    def addition(self, alerts: Iterable[Alert], sinks: Sequence[str]) -> tuple[Change, list[str]]:
        """Plan to queue each alert for each sink; also name a sink once per alert that its full queue leaves out."""
        room = {sink: MOST_QUEUED - self.size(sink) for sink in sinks}
        rows: list[tuple[str, str]] = []
        left_out: list[str] = []
        for sink, alert in ((sink, alert) for alert in alerts for sink in sinks):
            if room[sink] > 0:
                rows.append((sink, alert.stored()))
            else:
                left_out.append(sink)
            room[sink] -= 1
        return (ADD, rows), left_out

    def oldest(self, sink: str) -> tuple[int, Alert] | None:
        """The first alert that waits for the sink, with its number."""
        rows = self.database.rows("select number, alert from queue where sink = ? order by number limit 1", sink)
        return (rows[0][0], restored(rows[0][1])) if rows else None

    def remove(self, *numbers: int) -> None:
        self.database.write(("delete from queue where number = ?", [(number,) for number in numbers]))

    def size(self, sink: str) -> int:
        return int(self.database.rows("select count(*) from queue where sink = ?", sink)[0][0])

    def unreadable(self) -> int:
        """How many alerts this version cannot deliver: no version wrote them."""
        return sum(1 for (alert,) in self.database.rows("select alert from queue") if not _is_readable(alert))

    def unclaimed(self, sinks: Collection[str]) -> dict[str, list[tuple[int, Alert]]]:
        """The alerts that wait for any other sink, with their numbers, by the name of that sink."""
        waiting: dict[str, list[tuple[int, Alert]]] = {}
        for number, sink, alert in self.database.rows("select number, sink, alert from queue order by sink, number"):
            if sink not in sinks:
                waiting.setdefault(sink, []).append((number, restored(alert)))
        return waiting


def create_queue(disk: sqlite3.Connection) -> None:
    for statement in SCHEMA:
        disk.execute(statement)


def readable_rows(disk: sqlite3.Connection) -> list[tuple[str, str]]:
    """The sink and the alert of every row that this version can still deliver, oldest first."""
    rows: list[tuple[str, str]] = []
    with suppress(sqlite3.Error):  # there is no such table, or it has other columns
        for sink, alert in disk.execute("select sink, alert from queue order by number"):
            if isinstance(sink, str) and _is_readable(alert):
                rows.append((sink, alert))
    return rows


def _is_readable(alert: object) -> bool:
    try:
        restored(alert)
    except ValueError:
        return False
    return True
