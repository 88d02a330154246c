"""A SQLite file with a copy in memory that answers, so that a full or broken disk delays nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.files import open_private

Change = tuple[str, Sequence[tuple[Any, ...]]]  # a statement and the rows to execute it with


@dataclass(slots=True)
class MirroredDatabase:
    """Usable from any thread. say: is called when writing to disk starts to fail, and when it works again."""

    file: Path
    say: Callable[[str], object] = lambda _: None
    _memory: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:", check_same_thread=False))
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _disk_is_outdated: bool = False

    @classmethod
    def open(
        cls, file: Path, prepare: Callable[[sqlite3.Connection], object], say: Callable[[str], object] = lambda _: None
    ) -> MirroredDatabase:
        """Load `file` into memory after `prepare` created its tables in one transaction. Raises sqlite3.Error."""
        open_private(file, "ab").close()  # sqlite gives the files beside it the same mode
        database = cls(file, say)
        with closing(database._connect()) as disk:
            with disk:
                disk.execute("begin immediate")  # sqlite3 would commit every `create table` and `drop table` by itself
                prepare(disk)
            disk.backup(database._memory)
        return database

    def close(self) -> None:
        """Free the memory; the file stays."""
        self._memory.close()

    def rows(self, query: str, *values: str) -> list[Any]:
        with self._turn:
            return self._memory.execute(query, values).fetchall()

    def write(self, *changes: Change) -> None:
        """Apply all changes in one transaction, in memory and then on disk; an outdated file gets a full copy."""
        with self._turn:
            _apply(self._memory, changes)
            try:
                with closing(self._connect()) as disk:
                    if self._disk_is_outdated:
                        self._memory.backup(disk)
                    else:
                        _apply(disk, changes)
            except sqlite3.Error as error:
                if not self._disk_is_outdated:
                    self.say(f"{self.file} cannot be written ({error}): keeping the state in memory until it can.")
                self._disk_is_outdated = True
            else:
                if self._disk_is_outdated:
                    self.say(f"{self.file} can be written again; nothing is lost.")
                self._disk_is_outdated = False

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, timeout=10)
        connection.execute("pragma locking_mode = exclusive")  # one process has it: no 32 KB of shared memory are written with each commit
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        return connection


def _apply(database: sqlite3.Connection, changes: Iterable[Change]) -> None:
    with database:
        for statement, rows in changes:
            database.executemany(statement, rows)
