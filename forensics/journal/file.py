"""Read the bytes and the header of a journal file.

The file is read, never mapped: if a mapped file is truncated, or its disk fails, the process gets SIGBUS. Reading costs 70 ms more
for a million entries.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from errno import ENXIO
from io import FileIO
from pathlib import Path
from stat import S_ISREG

import numpy as np
import numpy.typing as npt

from forensics.errors import JournalPermissionError
from forensics.journal.damage import DamageLog
from forensics.journal.format import DATA_HEAD, DATA_HEAD_COMPACT, HEADER_MIN, HINT, Header, JournalGone, NotAJournal, parse_header

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
HEADER_BYTES = 272
FILE_LIMIT = 8 << 30  # a compact file ends at 4 GiB; the whole file is held in memory, so a huge sparse one is refused
KEPT_BUFFER = 256 << 20
BUFFER_STEP = 32 << 20  # rotated files differ by some kB; only pages that are written to take memory
READ_AT_ONCE = 1 << 30  # the kernel reads at most 2 GiB
_thread = threading.local()


@dataclass(frozen=True, slots=True)
class JournalFile:
    """The content of one file, valid until the same thread reads the next one."""

    name: str
    header: Header
    growing: bool  # a writer has it open, or was killed while it had
    bytes: Bytes
    words: Words  # the same in units of 8 bytes
    entries_after: int  # the header's count of entries after the content was read
    damage: DamageLog

    @property
    def end(self) -> int:
        return len(self.bytes)

    @property
    def first_object(self) -> int:
        """The offset from which on objects can lie."""
        return self.header.header_size if self.header.has_sound_size else HEADER_MIN

    @property
    def payload(self) -> int:
        """Bytes of a DATA object before its payload; in a compact file it has two more fields."""
        return DATA_HEAD_COMPACT if self.header.compact else DATA_HEAD

    @property
    def item_size(self) -> int:
        """Bytes of one item of an ENTRY object: an offset, and a hash in regular files."""
        return 4 if self.header.compact else 16


def header(path: Path) -> Header:
    """Read the header of a journal file."""
    with _opened(path) as stream:
        return _header(stream, path)


def read_journal(path: Path) -> JournalFile:
    """Read the header first: the entries that it counts are then complete in the content, also while journald writes.

    journald changes a file's state, size and count at any time, so the header is read again after the content: only what both
    readings show counts as damage. Raises NotAJournal, also for a format that this program does not know.
    """
    with _opened(path) as stream:
        head = _header(stream, path)
        if head.unknown_flags:
            raise NotAJournal(f"{path} has a journal format that this program does not know (flags {head.unknown_flags:#x}).")
        content = _content(stream, head.size)
        stream.seek(0)
        after = _header(stream, path)
    damage = DamageLog(str(path))
    if not head.has_sound_size:
        damage.add(88, "the header's size is damaged")
    else:
        missing = min(reading.header_size + reading.arena_size - reading.size for reading in (head, after))
        if missing > 0:
            damage.add(head.size, f"the file is cut off: {missing} bytes are missing at its end")
    if len(content) < min(head.size, after.size):
        damage.add(len(content), "the rest of the file cannot be read")
    if not head.state.isalpha():
        damage.add(16, "the file's state is damaged")
    growing = "online" in (head.state, after.state) or after.n_entries > head.n_entries
    content = content[: len(content) & ~7]
    return JournalFile(str(path), head, growing, content, content.view(np.uint64), after.n_entries, damage)


def _opened(path: Path) -> FileIO:
    try:
        if not S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
            raise NotAJournal(f"{path} is not a journal file: not a regular file.")
        return path.open("rb", buffering=0)  # the header is read twice, never from a buffer
    except PermissionError as error:
        raise JournalPermissionError(f"{path} may not be read by this user; members of the group systemd-journal may read it.") from error
    except OSError as error:
        kind = JournalGone if isinstance(error, FileNotFoundError) else NotAJournal
        raise kind(f"{path} cannot be opened: {error.strerror}.") from error


def _header(stream: FileIO, path: Path) -> Header:
    try:
        size = os.fstat(stream.fileno()).st_size
        head = stream.read(HEADER_BYTES)
    except OSError as error:
        raise NotAJournal(f"{path} cannot be read: {error.strerror}.") from error
    if size > FILE_LIMIT:
        raise NotAJournal(f"{path} is bigger than {FILE_LIMIT >> 30} GiB; {HINT.format(name=path)}.")
    return parse_header(head, size, str(path))


def _content(stream: FileIO, size: int) -> Bytes:
    """Read the first `size` bytes, or as many as possible."""
    content, descriptor = _buffer(size), stream.fileno()
    target, got = memoryview(content.data), 0
    try:
        while got < size:
            start, stop = (got, size) if size <= KEPT_BUFFER else _data(descriptor, got, size)
            count = os.preadv(descriptor, [target[start : min(stop, start + READ_AT_ONCE)]], start)
            if not count and start < size:
                break
            got = start + count
    except OSError:  # a bad block: keep what came before it
        pass
    return content[:got]


def _data(descriptor: int, start: int, size: int) -> tuple[int, int]:
    """Find the next stretch that is not a hole: a sparse file of gigabytes may hold next to nothing."""
    try:
        start = os.lseek(descriptor, start, os.SEEK_DATA)
        return min(start, size), min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
    except OSError as error:
        if error.errno != ENXIO:
            raise
        return size, size  # nothing but a hole


def _buffer(size: int) -> Bytes:
    """Return a buffer that the thread keeps: fresh pages for every file of 100 MB cost more than reading it (30 ms against 19).

    journald's files have 128 MB at most by default. Bigger ones get zeroed memory, whose pages cost nothing until written to.
    """
    if size > KEPT_BUFFER:
        return np.zeros(size, np.uint8)
    kept: Bytes | None = getattr(_thread, "buffer", None)
    if kept is None or len(kept) < size:
        kept = _thread.buffer = np.empty(-(-size // BUFFER_STEP) * BUFFER_STEP, np.uint8)
    return kept[:size]
