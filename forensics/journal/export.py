"""Pieces of a `journalctl -o export` stream in, tables of the entries that are whole out.

The format (systemd's docs/JOURNAL_EXPORT_FORMATS.md): an entry is lines NAME=value and ends with an empty line; a value with line
breaks is a line NAME, 8 bytes of little-endian length, the bytes, a line break. All lines of a piece are found at once; only the
lines without `=`, a few in a hundred, are looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from forensics.journal.damage import DamageLog
from forensics.journal.exported import exported_table
from forensics.journal.lines import Lines, Positions

VALUE_LIMIT = 1 << 26  # bytes of one value that are held; no log line is near it, a core dump that was stored in the journal is skipped
LENGTH_LIMIT = 768 << 20  # DATA_SIZE_MAX in systemd's journal-importer.h: a longer one is damage
ENTRY_LIMIT = 1 << 27  # bytes without an empty line
NAME = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}")  # journal_field_valid in systemd's journal-file.c
NEWLINE, EQUALS = 10, 61
NO_FIELD = "a line that is no journal field"
PADDING = bytes(64)  # so that a window of a name's or a view's length fits behind the last byte


def read_export(pieces: Iterator[bytes], name: str, log: DamageLog) -> Iterator[pa.Table]:
    """Tables in the stream's order; what is no entry goes to `log`, with the byte in the stream where it stands."""
    rest, base, number = b"", 0, 0
    for piece in pieces:
        rest += piece
        lines = framed(rest, last=False)
        end = _last_end(lines)
        if end:
            table, number = exported_table(lines, base, name, number, log)
            yield table
        _record(lines, base, end, log)
        if lines.huge is not None:
            rest, skipped = _without(rest, *lines.huge, pieces)
            log.add(base + lines.huge[0], f"a value of more than {VALUE_LIMIT >> 20} MiB is left out")
            base += skipped
        elif end == 0 and len(rest) > ENTRY_LIMIT:
            _record(lines, base, len(rest), log)
            log.add(base, f"more than {ENTRY_LIMIT >> 20} MiB without the end of an entry")
            end = len(rest)
        base, rest = base + end, rest[end:]
    if rest.strip(b"\n"):
        lines = framed(rest, last=True)
        table, number = exported_table(lines, base, name, number, log)
        _record(lines, base, len(rest), log)
        end = _last_end(lines)
        if rest[end:].strip(b"\n"):
            log.add(base + end, "the stream ends inside an entry, which is left out")
        yield table


def _record(lines: Lines, base: int, end: int, log: DamageLog) -> None:
    """The faults up to `end`; what follows is looked at again with the next piece."""
    for at, reason in sorted(lines.faults):
        if at < end:
            log.add(base + at, reason)


def framed(content: bytes, *, last: bool) -> Lines:
    """All whole lines of `content`. `last` says that nothing follows, so that a value longer than the rest is damage."""
    buffer = content + PADDING
    data = np.frombuffer(buffer, np.uint8)[: len(content)]
    ends = np.flatnonzero(data == NEWLINE)
    start = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1] + 1])
    equals = np.append(np.flatnonzero(data == EQUALS), len(content))
    name_end = equals[np.searchsorted(equals, start)]
    blank, named = start == ends, name_end < ends
    lines = Lines(buffer, start, name_end, name_end + 1, ends.copy(), np.ones(len(ends), np.bool_), blank, np.zeros(len(ends), np.bool_))
    _resolve(lines, np.flatnonzero(~blank & ~named), len(content), last=last)
    first = data[start]
    garbage = np.flatnonzero(lines.kept & named & ~((first >= ord("A")) & (first <= ord("Z")) | (first == ord("_"))))
    lines.kept[garbage] = False
    lines.faults += [(at, NO_FIELD) for at in start[garbage].tolist()]
    return lines


def _resolve(lines: Lines, odd: Positions, size: int, *, last: bool) -> None:
    """Look at the lines without `=`, in order: those that open a value by its length take all lines inside of it along.

    0.7 µs for each of them, and there are a few in a hundred entries.
    """
    done = 0
    for line in odd.tolist():
        start, end = int(lines.start[line]), int(lines.value_end[line])
        if start < done:
            continue
        if not NAME.fullmatch(lines.buffer, start, end):
            lines.kept[line] = False
            lines.faults.append((start, NO_FIELD))
            continue
        length = int.from_bytes(lines.buffer[end + 1 : end + 9], "little") if end + 9 <= size else 0
        stop = end + 9 + length
        if stop >= size and not last and length <= LENGTH_LIMIT:  # the next piece tells
            lines.kept[line:] = False
            lines.huge = (start, stop + 1) if length > VALUE_LIMIT else None
            return
        if stop >= size or lines.buffer[stop] != NEWLINE:
            lines.faults.append((start, f"a length of {length} bytes that cannot be; the entry is left out"))
            done = _skip_entry(lines, line)
            continue
        lines.name_end[line], lines.value_start[line], lines.value_end[line] = end, end + 9, stop
        after = int(np.searchsorted(lines.start, stop + 1))
        lines.kept[line + 1 : after] = False
        done = stop + 1


def _skip_entry(lines: Lines, line: int) -> int:
    """Leave out from a spoilt line to the next empty one; where that is."""
    blanks = np.flatnonzero(lines.blank[line:])
    after = line + int(blanks[0]) if len(blanks) else len(lines.start)
    lines.kept[line + 1 : after] = False
    lines.spoilt[line] = True
    return int(lines.start[after]) if after < len(lines.start) else len(lines.buffer)


def _last_end(lines: Lines) -> int:
    """Where the last whole entry ends."""
    blank = np.flatnonzero(lines.blank & lines.kept)
    return int(lines.value_end[blank[-1]]) + 1 if len(blank) else 0


def _without(content: bytes, start: int, stop: int, pieces: Iterator[bytes]) -> tuple[bytes, int]:
    """The content without the bytes from `start` to `stop`, most of which are still to come; how many those are."""
    left, after = stop - len(content), b""
    while left > 0 and (piece := next(pieces, b"")):
        after = piece[left:]
        left -= len(piece)
    return content[:start] + (after if stop > len(content) else content[stop:]), stop - start
