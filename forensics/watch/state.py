"""What `watch` remembers over its own death, in one SQLite file: its place in the journal, what it knows, the alerts still to deliver.

One transaction a batch: an entry either counts, with its alerts queued, or will be read again. A copy in memory answers, so that a
disk that is full or broken delays no alert; as soon as it takes writes again, it gets all of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.alerting.alert import Alert, restored
from forensics.errors import ForensicsError

MOST_QUEUED = 10_000  # alerts a sink; the oldest are kept, they tell how it began
VERSION = 1  # of the tables and of what stands in them; a state of another one is left behind, and history is learned again
SCHEMA = """
create table if not exists known (name text primary key, value text not null);
create table if not exists queue (number integer primary key, sink text not null, alert text not null);
create table if not exists told (run text primary key, at real not null);
create index if not exists of_sink on queue (sink, number);
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Cursors. done: of the last entry that counted; replay: from where running attempts are read again."""

    done: str | None = None
    replay: str | None = None


@dataclass(slots=True)
class State:
    """Usable from any thread. say: where to tell of a disk that fails."""

    file: Path
    say: Callable[[str], object] = lambda _: None
    _memory: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:", check_same_thread=False))
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _lock: int = -1
    _behind: bool = False  # the disk lacks something that the memory has

    @classmethod
    def open(cls, folder: Path, say: Callable[[str], object] = lambda _: None) -> State:
        """Raises ForensicsError when the folder cannot be written, holds a file that is no state, or is in use."""
        state = cls(folder / "watch.sqlite", say)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            state._lock = os.open(folder / "watch.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(state._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with closing(state._connect()) as disk, disk:
                state._expect_version(disk)
                disk.executescript(SCHEMA)
                disk.backup(state._memory)
        except BlockingIOError:
            raise ForensicsError(f"Another `watch` uses the state in '{folder}': end it, or give this one its own with --state.") from None
        except (OSError, sqlite3.Error) as error:
            raise ForensicsError(f"The state of `watch` in '{folder}' cannot be used: {error}.") from error
        return state

    def _expect_version(self, disk: sqlite3.Connection) -> None:
        (found,) = disk.execute("pragma user_version").fetchone()
        tables = [name for (name,) in disk.execute("select name from sqlite_master where type = 'table'")]
        if tables and found != VERSION:
            self.say(f"{self.file} is of another version: it begins anew, and what waited for a sink is gone.")
            for name in tables:
                disk.execute(f'drop table "{name}"')
        disk.execute(f"pragma user_version = {VERSION}")

    def close(self) -> None:
        """What is on disk stays there."""
        self._memory.close()
        os.close(self._lock)

    def position(self) -> Position:
        found = self._value("position")
        if found is None:
            return Position()
        values = json.loads(found)
        return Position(values["done"], values["replay"])

    def told(self) -> list[str]:
        """The attempts that counted, oldest first."""
        return [run for (run,) in self._rows("select run from told order by at, run")]

    def tracker(self) -> str | None:
        return self._value("tracker")

    def commit(
        self, position: Position, tracker: str, alerts: Iterable[Alert], sinks: Sequence[str], told: Mapping[str, float], keep_from: float
    ) -> list[str]:
        """All of a batch or nothing; the sinks, once for each alert, whose queue had no room.

        told: attempts that count from now on, with when by a steady clock; those before `keep_from` are forgotten.
        """
        place = json.dumps({"done": position.done, "replay": position.replay})
        room = {sink: MOST_QUEUED - self.queued(sink) for sink in sinks}
        waiting = [(sink, alert.stored()) for alert in alerts for sink in sinks]
        taken: list[tuple[str, str]] = []
        for sink, stored in waiting:
            if room[sink] > 0:
                taken.append((sink, stored))
            room[sink] -= 1
        self._write(
            ("insert or replace into known values (?, ?)", [("position", place), ("tracker", tracker)]),
            ("insert or replace into told values (?, ?)", list(told.items())),
            ("delete from told where at < ?", [(keep_from,)]),
            ("insert into queue (sink, alert) values (?, ?)", taken),
        )
        return [sink for sink, left in room.items() for _ in range(-left)]

    def next(self, sink: str) -> tuple[int, Alert] | None:
        """The oldest alert that the sink has not had."""
        rows = self._rows("select number, alert from queue where sink = ? order by number limit 1", sink)
        return (rows[0][0], restored(rows[0][1])) if rows else None

    def delivered(self, number: int) -> None:
        self._write(("delete from queue where number = ?", [(number,)]))

    def queued(self, sink: str) -> int:
        return int(self._rows("select count(*) from queue where sink = ?", sink)[0][0])

    def _value(self, name: str) -> str | None:
        rows = self._rows("select value from known where name = ?", name)
        return str(rows[0][0]) if rows else None

    def _rows(self, query: str, *values: str) -> list[Any]:
        with self._turn:
            return self._memory.execute(query, values).fetchall()

    def _write(self, *changes: tuple[str, list[Any]]) -> None:
        """In one transaction in memory, then on disk; there all of it when the disk lacks something."""
        with self._turn:
            _change(self._memory, changes)
            try:
                with closing(self._connect()) as disk:
                    if self._behind:
                        self._memory.backup(disk)
                    else:
                        _change(disk, changes)
            except sqlite3.Error as error:
                if not self._behind:
                    self.say(f"{self.file} cannot be written ({error}): what is to be remembered is kept in memory until it can.")
                self._behind = True
            else:
                if self._behind:
                    self.say(f"{self.file} can be written again; nothing is lost.")
                self._behind = False

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, timeout=10)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        return connection


def _change(database: sqlite3.Connection, changes: Iterable[tuple[str, list[Any]]]) -> None:
    with database:
        for statement, rows in changes:
            database.executemany(statement, rows)
