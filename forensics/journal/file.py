"""A path in, the bytes of a journal file with its header out.

The file is read, never mapped: a mapped file that is truncated, or whose disk fails, ends the process with SIGBUS. Reading costs
70 ms more for a million entries.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
import numpy.typing as npt

from forensics.errors import JournalPermissionError
from forensics.journal.damage import DamageLog
from forensics.journal.format import DATA_HEAD, DATA_HEAD_COMPACT, HEADER_MIN, HINT, Header, NotAJournal, parse_header

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
HEADER_BYTES = 272
FILE_LIMIT = 8 << 30  # a compact file ends at 4 GiB; a file is held in memory whole, so a sparse monster must not be
_thread = threading.local()


@dataclass(frozen=True, slots=True)
class JournalFile:
    """The bytes of one file, valid until the same thread opens the next one."""

    name: str
    header: Header
    growing: bool  # a writer has it open, or was killed while it had
    bytes: Bytes
    words: Words  # the same in units of 8
    entries_after: int  # the header's count of entries after the content was read
    damage: DamageLog

    @property
    def end(self) -> int:
        return len(self.bytes)

    @property
    def first_object(self) -> int:
        """Where objects can begin."""
        return self.header.header_size if HEADER_MIN <= self.header.header_size <= self.end else HEADER_MIN

    @property
    def payload(self) -> int:
        """Bytes of a DATA object before its payload: a compact file's has two more tail fields."""
        return DATA_HEAD_COMPACT if self.header.compact else DATA_HEAD

    @property
    def item_size(self) -> int:
        """Bytes of one item of an entry: an offset, with a hash in regular files."""
        return 4 if self.header.compact else 16


def header(path: Path) -> Header:
    """The header of a journal file."""
    with _opened(path) as stream:
        return _header(stream, path)


def read_journal(path: Path) -> JournalFile:
    """Header first, content second: an entry that the header counts is then whole in the content, also while journald writes."""
    with _opened(path) as stream:
        head = _header(stream, path)
        stream.seek(0)
        content = _content(stream, head.size)
        stream.seek(0)
        after = _header(stream, path).n_entries
    damage = DamageLog(str(path))
    if not HEADER_MIN <= head.header_size <= head.size or head.header_size % 8:
        damage.add(88, "the header's size is damaged")
    elif head.header_size + head.arena_size > head.size:
        missing = head.header_size + head.arena_size - head.size
        damage.add(head.size, f"the file is cut off: {missing} bytes are missing at its end")
    if not head.state.isalpha():
        damage.add(16, "the file's state is damaged")
    content = content[: len(content) & ~7]
    return JournalFile(str(path), head, head.state == "online", content, content.view(np.uint64), after, damage)


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except PermissionError as error:
        raise JournalPermissionError(f"{path} may not be read by this user; the group systemd-journal may.") from error
    except OSError as error:
        raise NotAJournal(f"{path} cannot be opened: {error.strerror}.") from error


def _header(stream: BufferedReader, path: Path) -> Header:
    try:
        size = os.fstat(stream.fileno()).st_size
        head = stream.read(HEADER_BYTES)
    except OSError as error:
        raise NotAJournal(f"{path} cannot be read: {error.strerror}.") from error
    if size > FILE_LIMIT:
        raise NotAJournal(f"{path} is bigger than {FILE_LIMIT >> 30} GiB; {HINT.format(name=path)}.")
    return parse_header(head, size, str(path))


def _content(stream: BufferedReader, size: int) -> Bytes:
    """The first `size` bytes, or as many as can be read; what cannot shows as a file that is cut off."""
    content = _buffer(size)
    target = memoryview(content.data)
    got = 0
    try:
        while got < size and (count := stream.readinto(target[got:])):
            got += count
    except OSError:  # a bad block: the rest of the file is out of reach, what came before it is not
        pass
    return content[:got]


def _buffer(size: int) -> Bytes:
    """A buffer that the thread keeps: fresh pages for every file of 100 MB cost more than reading it (30 ms against 19)."""
    kept: Bytes | None = getattr(_thread, "buffer", None)
    if kept is None or len(kept) < size:
        kept = _thread.buffer = np.empty(size, np.uint8)
    return kept[:size]
