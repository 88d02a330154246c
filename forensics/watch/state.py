"""Keep what `watch` needs across restarts in one SQLite file: journal position, tracker, reported invocations, queued alerts.

One transaction per batch: an entry either counts and its alerts are queued, or it will be read again.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from forensics.alerting.alert import Alert
from forensics.alerting.database import MirroredDatabase
from forensics.alerting.queue import ADD, AlertQueue, create_queue, readable_rows
from forensics.errors import ForensicsError
from forensics.files import make_private_directory
from forensics.wording import plural

VERSION = 2  # of the tables and the JSON in them; of a file of another version only the queued alerts are kept
SCHEMA = (
    "create table if not exists state (name text primary key, value text not null)",
    "create table if not exists reported (invocation text primary key, at real not null)",
)


@dataclass(frozen=True, slots=True)
class Position:
    """Journal cursors. done: of the last entry that counted; replay: where to read again, for attempts still running."""

    done: str | None = None
    replay: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Usable from any thread; held by one process at a time."""

    queue: AlertQueue
    _database: MirroredDatabase
    _lock: int

    @classmethod
    def open(cls, directory: Path, say: Callable[[str], object] = lambda _: None) -> State:
        """Open the state in a directory.

        Raises ForensicsError when the directory is in use, cannot be written or holds a file that is not a state.
        """
        file = directory / "watch.sqlite"
        try:
            make_private_directory(directory)
            lock = os.open(directory / "watch.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            database = MirroredDatabase.open(file, partial(_prepare, file, say), say)
        except BlockingIOError:
            raise ForensicsError(f"Another `watch` uses the state in '{directory}': stop it, or choose another with --state.") from None
        except (OSError, sqlite3.Error) as error:
            raise ForensicsError(f"The state of `watch` in '{directory}' cannot be used: {error}.") from error
        return cls(AlertQueue(database), database, lock)

    def close(self) -> None:
        """Let another process use it; what is on disk stays there."""
        self._database.close()
        os.close(self._lock)

    def position(self) -> Position:
        stored = self._value("position")
        return Position() if stored is None else Position(**json.loads(stored))

    def tracker(self) -> str | None:
        return self._value("tracker")

    def reported_invocations(self) -> list[str]:
        """List the attempts that counted, oldest first."""
        return [invocation for (invocation,) in self._database.rows("select invocation from reported order by at, invocation")]

    def commit(
        self,
        position: Position,
        tracker: str,
        alerts: Iterable[Alert],
        sinks: Sequence[str],
        reported: Mapping[str, float],
        keep_from: float,
    ) -> list[str]:
        """Write a whole batch or nothing; return the sinks, once per alert that their full queue left out.

        reported: attempts that count from now on, with when by a monotonic clock; those before `keep_from` are forgotten.
        """
        cursors = json.dumps({"done": position.done, "replay": position.replay})
        queued, left_out = self.queue.addition(alerts, sinks)
        self._database.write(
            ("insert or replace into state values (?, ?)", [("position", cursors), ("tracker", tracker)]),
            ("insert or replace into reported values (?, ?)", list(reported.items())),
            ("delete from reported where at < ?", [(keep_from,)]),
            queued,
        )
        return left_out

    def _value(self, name: str) -> str | None:
        rows = self._database.rows("select value from state where name = ?", name)
        return str(rows[0][0]) if rows else None


def _prepare(file: Path, say: Callable[[str], object], disk: sqlite3.Connection) -> None:
    """Create the tables; replace those of another version, but keep the alerts that were queued."""
    (version,) = disk.execute("pragma user_version").fetchone()
    tables = [name for (name,) in disk.execute("select name from sqlite_master where type = 'table'")]
    kept: list[tuple[str, str]] = []
    if tables and version != VERSION:
        kept = readable_rows(disk)
        say(f"{file} has an incompatible version; starting fresh, {plural(len(kept), 'queued alert')} kept.")
        for name in tables:
            disk.execute(f'drop table "{name}"')
    for statement in SCHEMA:
        disk.execute(statement)
    create_queue(disk)
    disk.executemany(ADD, kept)
    disk.execute(f"pragma user_version = {VERSION}")
