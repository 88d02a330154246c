"""Follow a journal that is being written, in the order in which journald received its entries.

Follows unfiltered: with matches and no start, journal files of an unclean boot make sd-journal skip entries. libsystemd follows
rotation and a restart of journald by itself. Needs systemd-python (the extra `live`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from forensics.errors import ForensicsError
from forensics.journal.export_columns import CURSOR, MONOTONIC, TIME
from forensics.journal.json_lines import table_of
from forensics.model.text_length import END, LONGEST, START, bounded_text

NAME = "live"  # of the column `file`
NOTHING = table_of((), (), NAME, 0)
MOST_BYTES = 16 << 20  # of the entries of one batch
REOPENED_AFTER = 8_000  # entries: an open reader keeps what it has read mapped, up to half a gigabyte


@dataclass(slots=True)
class Follower:
    """A position in a journal; `open_follower` makes one.

    cursor: of the last entry taken, or of the one before the position; time: when that entry was written.
    torn: whether that entry no longer exists, so that later ones may be missing too.
    """

    directory: Path | None
    reader: Any
    cursor: str | None = None
    time: datetime | None = None
    torn: bool = False
    taken: int = 0
    _taken_before: int = 0  # by earlier readers

    def take(self, most: int, until: str | None = None) -> pa.Table:
        """Take up to `most` new entries, the last with the cursor `until`; columns as journal.columns.SCHEMA."""
        if self.taken - self._taken_before >= REOPENED_AFTER and self.cursor is not None:
            self.reader.close()
            self.reader = _open_reader(self.directory)
            self.torn |= not _seek_after(self.reader, self.cursor)
            self._taken_before = self.taken
        self.reader.wait(0)  # checks for new files
        entries: list[Mapping[str, Any]] = []
        sizes: list[int] = []
        left = MOST_BYTES
        while len(entries) < most and left > 0 and (entry := self.reader.get_next()):
            sizes.append(_size(entry))
            entries.append(_bounded(entry))
            left -= sizes[-1]
            if entry[CURSOR] == until:
                break
        if not entries:
            return NOTHING
        self.cursor = entries[-1][CURSOR]
        number, self.taken = self.taken, self.taken + len(entries)
        return table_of(entries, sizes, NAME, number)


def open_follower(directory: Path | None = None, *, after: str | None = None, since: datetime | None = None) -> Follower:
    """Follow from the entry after the cursor `after`, else from `since` on, else from the journal's end.

    directory: a journal directory, None for the host's own. Raises ForensicsError when systemd-python is not installed or there is
    no such directory.
    """
    reader = _open_reader(directory)
    follower = Follower(directory, reader)
    if after is not None:
        follower.torn = not _seek_after(reader, after)
        follower.cursor = after
        return follower
    if since is not None:
        reader.seek_realtime(since.timestamp())
    else:
        reader.seek_tail()
    before = reader.get_previous()
    if before:
        follower.cursor, follower.time = before[CURSOR], datetime.fromtimestamp(int(before[TIME]) / 1e6, UTC)
    else:
        reader.seek_head()
    return follower


def _open_reader(directory: Path | None) -> Any:
    try:
        from systemd import journal  # noqa: PLC0415 - an optional part
    except ImportError:
        raise ForensicsError("`watch` needs systemd-python: install tabby-forensics with the extra `live`.") from None
    try:
        reader = journal.Reader(path=str(directory)) if directory else journal.Reader()
    except OSError as error:
        name = f"in '{directory}'" if directory else "of this host"
        raise ForensicsError(f"The journal {name} cannot be opened: {error.strerror}.") from None
    reader.data_threshold = 0  # no field is cut
    reader.converters = {TIME: str, MONOTONIC: lambda stamp: str(stamp[0]), CURSOR: str}
    return reader


def _seek_after(reader: Any, cursor: str) -> bool:
    """Move to the position after an entry; return whether that entry still exists."""
    reader.seek_cursor(cursor)
    first = reader.get_next()
    if first and first[CURSOR] != cursor:  # that entry was vacuumed: this is the next one
        reader.seek_cursor(first[CURSOR])
    return bool(first) and first[CURSOR] == cursor


def _bounded(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Cut the message before it is decoded and copied."""
    message = entry.get("MESSAGE")
    if isinstance(message, bytes):
        return entry if len(message) <= 4 * LONGEST else {**entry, "MESSAGE": message[: 4 * START] + message[-4 * END :]}
    return {**entry, "MESSAGE": bounded_text(message)} if isinstance(message, str) and len(message) > LONGEST else entry


def _size(entry: Mapping[str, Any]) -> int:
    return sum(len(value) if isinstance(value, str | bytes) else 0 for value in entry.values())
