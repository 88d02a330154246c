"""The numbers of the journal file format, and the parsing of its header.

Source: systemd's src/libsystemd/sd-journal/journal-def.h and docs/JOURNAL_FILE_FORMAT.md. Everything is little-endian; objects are
aligned to 8 bytes; the header has grown over the years, so only what `header_size` covers (208 bytes at least) is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from forensics.errors import UsageError

SIGNATURE = b"LPKSHHRH"
HEADER_MIN, HEADER_MAX = 208, 1024  # 272 bytes in systemd 254 and later; a header four times that size is damaged
DATA, FIELD, ENTRY, DATA_HASH_TABLE, FIELD_HASH_TABLE, ENTRY_ARRAY, TAG = range(1, 8)
XZ, LZ4, ZSTD = 1, 2, 4  # flags of a DATA object
PACKED = XZ | LZ4 | ZSTD
KEYED_HASH, COMPACT = 4, 16  # incompatible flags of the file; this reader never uses the hashes
KNOWN_FLAGS = 31  # XZ 1, LZ4 2, keyed hash 4, ZSTD 8, compact 16
ENTRY_HEAD = 64  # bytes of an ENTRY object before its items
ARRAY_HEAD = 24  # bytes of an ENTRY_ARRAY object before its items
DATA_HEAD, DATA_HEAD_COMPACT = 64, 72  # bytes of a DATA object before its payload
STATES = ("offline", "online", "archived")
ENTRY_LIMIT = 1 << 55  # µs; VALID_REALTIME and VALID_MONOTONIC in journal-file.c
NAME_LIMIT = 64  # bytes of a field's name; journal_field_valid in journal-file.c
VALUE_LIMIT = 64 << 20  # bytes of one value; no log line comes near systemd's own DATA_SIZE_MAX, 768 MiB
HINT = "on a machine with its systemd version, export it with `journalctl --file {name} -o export` and pass the result to `--file -`"


class NotAJournal(UsageError):  # noqa: N818 — what the file is
    """The file is not a journal, or one in a format that this reader does not know."""


class JournalGone(NotAJournal, FileNotFoundError):  # noqa: N818 — as above
    """The file does not exist, or no longer: journald renames and deletes what it rotates."""


@dataclass(frozen=True, slots=True)
class Header:
    """A journal file's header. Times are µs since 1970, 0 when the file has no entries."""

    file_id: str
    machine_id: str
    seqnum_id: str
    state: str  # offline, online, archived; anything else is damage
    flags: int  # incompatible flags
    size: int  # bytes of the file when the header was read
    n_entries: int
    head_seqnum: int
    tail_seqnum: int
    head_realtime: int
    tail_realtime: int
    header_size: int
    arena_size: int
    entry_array: int  # offset of the first ENTRY_ARRAY object
    entries_start: int  # where the hash tables end and entries can start

    @property
    def compact(self) -> bool:
        return bool(self.flags & COMPACT)

    @property
    def unknown_flags(self) -> int:
        return self.flags & ~KNOWN_FLAGS

    @property
    def has_sound_size(self) -> bool:
        return HEADER_MIN <= self.header_size <= min(HEADER_MAX, self.size) and self.header_size % 8 == 0


def parse_header(head: bytes, size: int, name: str) -> Header:
    """Parse the header of a file of `size` bytes that starts with `head`; in an unknown format too, as far as these numbers go."""
    if head[: len(SIGNATURE)] != SIGNATURE:
        raise NotAJournal(f"{name} is not a journal file.")
    if len(head) < HEADER_MIN:
        raise NotAJournal(f"{name} is not a journal file: it ends after {len(head)} bytes, inside its header.")
    flags, state = struct.unpack_from("<IB", head, 12)
    file_id, machine_id, seqnum_id = (head[at : at + 16].hex() for at in (24, 40, 72))
    header_size, arena_size, *tables = struct.unpack_from("<6Q", head, 88)
    n_entries, tail_seqnum, head_seqnum, entry_array, head_realtime, tail_realtime = struct.unpack_from("<6Q", head, 152)
    return Header(
        file_id=file_id,
        machine_id=machine_id,
        seqnum_id=seqnum_id,
        state=STATES[state] if state < len(STATES) else f"unknown ({state})",
        flags=flags,
        size=size,
        n_entries=n_entries,
        head_seqnum=head_seqnum,
        tail_seqnum=tail_seqnum,
        head_realtime=head_realtime,
        tail_realtime=tail_realtime,
        header_size=header_size,
        arena_size=arena_size,
        entry_array=entry_array,
        entries_start=max([HEADER_MIN, *(at + length for at, length in (tables[:2], tables[2:]) if at + length <= size)]),
    )
