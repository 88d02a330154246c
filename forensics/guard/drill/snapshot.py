"""Read the state of a running `watch` without touching it: a copy of its database, which nobody else writes to."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from forensics.alerting.alert import Alert, restored
from forensics.errors import ForensicsError

FILE = "watch.sqlite"
PARTS = ("", "-wal")
TRIES = 20  # `watch` may write while it is copied
MOST_BYTES = 256 << 20

Stamps = tuple[tuple[int, int], ...]  # when each part was written, in ns, and its size


class NoStateError(ForensicsError):
    """The state of `watch` cannot be read."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `watch` had decided. written: when, in seconds since 1970; queued: the sink and the alert that waits for it, oldest first."""

    written: float
    raised: tuple[Alert, ...]
    queued: tuple[tuple[str, Alert], ...]

    def about(self, unit: str) -> Alert | None:
        """Return the alert about the failure of a unit."""
        waiting = (alert for _, alert in self.queued)
        return next((alert for alert in (*waiting, *self.raised) if alert.unit == unit and alert.signature), None)

    def waits_for(self, sink: str, unit: str) -> bool:
        """Whether an alert about the unit is still queued for a sink."""
        return any(name == sink and alert.unit == unit for name, alert in self.queued)


@dataclass(slots=True)
class State:
    """The state in a directory, for any thread; it is read again only when `watch` has written it."""

    directory: Path
    _stamps: Stamps = ()
    _last: Snapshot | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def snapshot(self) -> Snapshot:
        """Return what is in the state now. Raises NoStateError."""
        with self._turn:
            stamps = _stamps(self.directory)
            if self._last is None or stamps != self._stamps:
                self._last, self._stamps = read_snapshot(self.directory), stamps
            return self._last


def read_snapshot(directory: Path) -> Snapshot:
    """Copy the database and read the copy; again while `watch` writes it. Raises NoStateError."""
    problem = "it changes all the time"
    for _ in range(TRIES):
        before = _stamps(directory)
        with TemporaryDirectory(prefix="tabby-forensics-") as folder:
            _copied(directory, Path(folder))
            if _stamps(directory) != before:
                continue
            try:
                return _read(Path(folder) / FILE, max(written for written, _ in before) / 1e9)
            except (sqlite3.Error, ValueError) as error:
                problem = str(error)
    raise NoStateError(f"The state of `watch` in '{directory}' cannot be read: {problem}.")


def _stamps(directory: Path) -> Stamps:
    """Return when the parts of the database were written. Raises NoStateError."""
    try:
        first = (directory / FILE).stat()
        if first.st_size > MOST_BYTES:
            raise NoStateError(f"The state of `watch` in '{directory}' has more than {MOST_BYTES >> 20} MB.")
        found = [(first.st_mtime_ns, first.st_size)]
    except FileNotFoundError:
        raise NoStateError(f"There is no state of `watch` in '{directory}'.") from None
    except OSError as error:
        raise NoStateError(f"The state of `watch` in '{directory}' cannot be read by this user: {error.strerror}.") from None
    with suppress(OSError):
        log = (directory / (FILE + PARTS[1])).stat()
        found.append((log.st_mtime_ns, log.st_size))
    return tuple(found)


def _copied(directory: Path, folder: Path) -> None:
    for part in PARTS:
        try:
            shutil.copyfile(directory / (FILE + part), folder / (FILE + part))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise NoStateError(f"The state of `watch` in '{directory}' cannot be read by this user: {error.strerror}.") from None


def _read(file: Path, written: float) -> Snapshot:
    with closing(sqlite3.connect(file)) as copy:
        waiting = copy.execute("select sink, alert from queue order by number").fetchall()
        raised = copy.execute("select value from tracked where kind = 'open'").fetchall()
    queued = tuple((sink, alert) for sink, text in waiting for alert in _alerts(text))
    return Snapshot(written, tuple(alert for (text,) in raised for alert in _alerts(text)), queued)


def _alerts(text: object) -> Iterator[Alert]:
    with suppress(ValueError):
        yield restored(text)
