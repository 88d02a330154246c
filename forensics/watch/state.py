"""Keep what `watch` needs across restarts in one SQLite file: journal position, tracker, reported invocations, queued alerts.

One transaction per batch: an entry either counts and its alerts are queued, or it will be read again. Of the tracker only the rows
that changed are written. A file that is broken is set aside, and `watch` begins anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from forensics.alerting.alert import Alert
from forensics.alerting.database import Change, MirroredDatabase
from forensics.alerting.queue import ADD, AlertQueue, create_queue, readable_rows
from forensics.alerting.stored_values import rebuilt
from forensics.errors import ForensicsError, NotPermittedError
from forensics.files import make_private_directory
from forensics.watch.tracker import Tracker
from forensics.watch.tracker_rows import WrittenRows, restored_tracker, rows_of_version_2
from forensics.wording import plural

VERSION = 3  # of the tables and the JSON in them
SPLIT_SINCE = 3  # before, one row held the whole tracker
SCHEMA = (
    "create table if not exists state (name text primary key, value text not null)",
    "create table if not exists tracked (kind text not null, key text not null, value text not null, primary key (kind, key))",
    "create table if not exists reported (invocation text primary key, at real not null)",
)
TABLES = {"state", "tracked", "reported", "queue"}
PUT = "insert into tracked values (?, ?, ?) on conflict do update set value = excluded.value"  # keeps its place among the others
BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError)


class UnusableError(Exception):
    """What the file holds is no state of this version; its sentence gives the reason."""


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
    _rows: WrittenRows = field(default_factory=WrittenRows)

    @classmethod
    def open(cls, directory: Path, say: Callable[[str], object] = lambda _: None) -> State:
        """Open the state in a directory; one that is broken is set aside.

        Raises ForensicsError when the directory is in use or cannot be read or written.
        """
        file = directory / "watch.sqlite"
        try:
            make_private_directory(directory)
            lock = os.open(directory / "watch.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            state = cls._opened(file, lock, say)
        except BlockingIOError:
            raise ForensicsError(f"Another `watch` uses the state in '{directory}': stop it, or choose another with --state.") from None
        except PermissionError as error:
            raise NotPermittedError(
                f"The state of `watch` in '{directory}' may not be used by this user; choose another with --state."
            ) from error
        except (OSError, sqlite3.Error) as error:
            raise ForensicsError(f"The state of `watch` in '{directory}' cannot be used: {error}.") from error
        return state

    @classmethod
    def _opened(cls, file: Path, lock: int, say: Callable[[str], object]) -> State:
        kept: list[tuple[str, str]] = []
        try:
            return cls._loaded(file, lock, say)
        except UnusableError as error:
            why = str(error)
            kept = _queued(file)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in BROKEN:
                raise
            why = f"is broken ({error})"
            kept = _queued(file)
        aside = _set_aside(file)
        say(
            f"{file} {why}; starting fresh, {plural(len(kept), 'queued alert')} kept. "
            f"It was renamed to {aside.name}: delete it once nobody needs it."
        )
        state = cls._loaded(file, lock, say)
        state.queue.database.write((ADD, kept))
        return state

    @classmethod
    def _loaded(cls, file: Path, lock: int, say: Callable[[str], object]) -> State:
        """Load the file. Raises UnusableError and sqlite3.Error."""
        database = MirroredDatabase.open(file, _prepare, say)
        stored = {(kind, key) for kind, key in database.rows("select kind, key from tracked")}
        state = cls(AlertQueue(database), database, lock, WrittenRows(stored))
        try:
            state.position()
            state.tracker()
            state.reported_invocations()
            unreadable = state.queue.unreadable()
        except UNREADABLE as error:
            raise UnusableError(f"holds what `watch` did not write ({error})") from error
        except sqlite3.Error as error:
            raise UnusableError(f"is broken ({error})") from error
        if unreadable:
            raise UnusableError(f"holds {plural(unreadable, 'queued alert')} that cannot be read")
        return state

    def close(self) -> None:
        """Let another process use it; what is on disk stays there."""
        self._database.close()
        os.close(self._lock)

    def position(self) -> Position:
        stored = self._database.rows("select value from state where name = 'position'")
        position: Position = rebuilt(Position, json.loads(stored[0][0])) if stored else Position()
        return position

    @property
    def is_new(self) -> bool:
        """Whether nothing was committed yet, so that this is a first run."""
        return not self._database.rows("select 1 from tracked limit 1")

    def begin(self, position: Position) -> None:
        """Keep where a first run starts, before it has read history: one that is killed meanwhile starts there again."""
        self._database.write(self._put(position))

    @staticmethod
    def _put(position: Position) -> Change:
        return "insert or replace into state values ('position', ?)", [(json.dumps(asdict(position)),)]

    def tracker(self) -> Tracker | None:
        """Restore the tracker that was committed last; null before the first commit. Raises ValueError."""
        rows = self._database.rows("select kind, key, value from tracked order by rowid")
        return restored_tracker({(kind, key): value for kind, key, value in rows}) if rows else None

    def reported_invocations(self) -> list[str]:
        """List the attempts that counted, oldest first."""
        return [invocation for (invocation,) in self._database.rows("select invocation from reported order by at, invocation")]

    def commit(
        self,
        position: Position,
        tracker: Tracker,
        alerts: Iterable[Alert],
        sinks: Sequence[str],
        reported: Mapping[str, float],
        keep_from: float,
    ) -> list[str]:
        """Write a whole batch or nothing; return the sinks, once per alert that their full queue left out.

        reported: attempts that count from now on, with when by a monotonic clock; those before `keep_from` are forgotten.
        """
        queued, left_out = self.queue.addition(alerts, sinks)
        changed, gone = self._rows.changes(tracker)
        self._database.write(
            self._put(position),
            (PUT, [(*row, value) for row, value in changed.items()]),
            ("delete from tracked where kind = ? and key = ?", gone),
            ("insert or replace into reported values (?, ?)", list(reported.items())),
            ("delete from reported where at < ?", [(keep_from,)]),
            queued,
        )
        return left_out


def _prepare(disk: sqlite3.Connection) -> None:
    """Create the tables, or those that version 2 had not. Raises UnusableError for any other version."""
    (version,) = disk.execute("pragma user_version").fetchone()
    tables = [name for (name,) in disk.execute("select name from sqlite_master where type = 'table'")]
    if tables and version not in {2, VERSION}:
        raise UnusableError("has an incompatible version")
    if tables and version == VERSION and TABLES - set(tables):
        raise UnusableError("lacks a table")
    try:
        for statement in SCHEMA:
            disk.execute(statement)
        create_queue(disk)
        if tables and version < SPLIT_SINCE:
            _split_tracker(disk)
    except sqlite3.OperationalError as error:
        raise UnusableError(f"has other tables than `watch` makes ({error})") from error
    disk.execute(f"pragma user_version = {VERSION}")


def _split_tracker(disk: sqlite3.Connection) -> None:
    rows = disk.execute("select value from state where name = 'tracker'").fetchall()
    try:
        split = rows_of_version_2(rows[0][0]) if rows else {}
    except UNREADABLE as error:
        raise UnusableError(f"holds what `watch` did not write ({error})") from error
    disk.executemany(PUT, [(*row, value) for row, value in split.items()])
    disk.execute("delete from state where name = 'tracker'")


def _queued(file: Path) -> list[tuple[str, str]]:
    """Read the queued alerts that can be read, of a file that is otherwise unusable."""
    try:
        disk = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return []
    try:
        return readable_rows(disk)
    finally:
        disk.close()


def _set_aside(file: Path) -> Path:
    """Rename a database and the files that belong to it; return its new name."""
    number = 1
    while (aside := file.with_name(f"{file.name}.broken-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        part = file.with_name(file.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
