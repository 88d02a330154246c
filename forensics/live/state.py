"""What `watch` remembers over its own death, in one SQLite file: its place in the journal, what it knows, the alerts still to deliver.

One transaction a batch: an entry either counts, with its alerts queued, or will be read again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import ForensicsError
from forensics.live.alert import Alert, restored

MOST_QUEUED = 10_000  # alerts a sink; the oldest are kept, they tell how it began
SCHEMA = """
create table if not exists known (name text primary key, value text not null);
create table if not exists queue (number integer primary key, sink text not null, alert text not null);
create table if not exists told (key text primary key, at real not null);
create index if not exists of_sink on queue (sink, number);
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Cursors. done: of the last entry that counted; replay: from where running attempts are read again."""

    done: str | None = None
    replay: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Usable from any thread: each call has its own connection."""

    file: Path

    @classmethod
    def open(cls, folder: Path) -> State:
        """Raises ForensicsError when the folder cannot be written or holds a file that is no state."""
        state = cls(folder / "watch.sqlite")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(state._connect()) as connection, connection:
                connection.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise ForensicsError(f"The state of `watch` in '{folder}' cannot be used: {error}.") from error
        return state

    def position(self) -> Position:
        found = self._value("position")
        if found is None:
            return Position()
        values = json.loads(found)
        return Position(values["done"], values["replay"])

    def told(self) -> dict[str, float]:
        """The attempts that counted, with when."""
        with closing(self._connect()) as connection:
            return dict(connection.execute("select key, at from told order by at, key").fetchall())

    def tracker(self) -> str | None:
        return self._value("tracker")

    def commit(
        self, position: Position, tracker: str, alerts: Iterable[Alert], sinks: Sequence[str], told: Mapping[str, float], keep_from: float
    ) -> list[str]:
        """All of a batch or nothing; the sinks, once for each alert, whose queue had no room.

        told: attempts that count from now on, with when; those before `keep_from` are forgotten.
        """
        place = json.dumps({"done": position.done, "replay": position.replay})
        full: list[str] = []
        with closing(self._connect()) as connection, connection:
            connection.executemany("insert or replace into known values (?, ?)", [("position", place), ("tracker", tracker)])
            connection.executemany("insert or replace into told values (?, ?)", told.items())
            connection.execute("delete from told where at < ?", (keep_from,))
            for alert in alerts:
                for sink in sinks:
                    if _queued(connection, sink) >= MOST_QUEUED:
                        full.append(sink)
                    else:
                        connection.execute("insert into queue (sink, alert) values (?, ?)", (sink, alert.stored()))
        return full

    def next(self, sink: str) -> tuple[int, Alert] | None:
        """The oldest alert that the sink has not had."""
        with closing(self._connect()) as connection:
            row = connection.execute("select number, alert from queue where sink = ? order by number limit 1", (sink,)).fetchone()
        return None if row is None else (row[0], restored(row[1]))

    def delivered(self, number: int) -> None:
        with closing(self._connect()) as connection, connection:
            connection.execute("delete from queue where number = ?", (number,))

    def queued(self, sink: str) -> int:
        with closing(self._connect()) as connection:
            return _queued(connection, sink)

    def _value(self, name: str) -> str | None:
        with closing(self._connect()) as connection:
            row = connection.execute("select value from known where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, timeout=10)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        return connection


def _queued(connection: sqlite3.Connection, sink: str) -> int:
    return int(connection.execute("select count(*) from queue where sink = ?", (sink,)).fetchone()[0])
