"""Parse the export format (`journalctl -o export`) into tables of complete entries.

The format (systemd's docs/JOURNAL_EXPORT_FORMATS.md): an entry is lines NAME=value and ends with an empty line; a value with line
breaks is a line NAME, 8 bytes of little-endian length, the bytes, a line break. All lines of a piece are found at once; only the
lines without `=`, a few percent, are parsed one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import pyarrow as pa

from forensics.journal.damage import DamageLog
from forensics.journal.data_objects import BEGINS_A_NAME
from forensics.journal.export_columns import exported_table
from forensics.journal.export_lines import Lines, Positions

VALUE_LIMIT = 1 << 24  # bytes of one value that are held; log lines are far smaller, a core dump stored in the journal is skipped
LENGTH_LIMIT = 768 << 20  # DATA_SIZE_MAX in systemd's journal-importer.h: a longer one is damage
ENTRY_LIMIT, LINE_LIMIT = 1 << 25, 1 << 20  # bytes and lines of one entry
LINES_AT_ONCE = 1 << 19  # roughly: the positions of a line take 70 bytes
CURSOR = b"__CURSOR"  # the first line of each entry
NAME = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}")  # journal_field_valid in systemd's journal-file.c
NEWLINE, EQUALS = 10, 61
NO_FIELD = "a line that is not a journal field"
NO_LENGTH = "an impossible length; the entry is left out"
RUN_TOGETHER = "the empty line between two entries is missing"
PADDING = bytes(64)  # so that a window of a name's or a view's length fits after the last byte


def read_export(pieces: Iterator[bytes], name: str, log: DamageLog) -> Iterator[pa.Table]:
    """Yield tables in the stream's order; damage goes to `log` with its byte offset in the stream."""
    rest, base, number, longest = b"", 0, 0, LENGTH_LIMIT
    pieces = _limit_lines(pieces)
    while piece := next(pieces, b""):
        rest += piece
        lines = find_lines(rest, last=False, longest=longest)
        end = _last_end(lines)
        if end:
            table, number = exported_table(lines, base, name, number, log)
            yield table
        size, opened = len(rest) - end, lines.open_value
        too_long = size > ENTRY_LIMIT or len(lines.start) - int(np.searchsorted(lines.start, end)) > LINE_LIMIT
        if opened is not None and (too_long or opened[1] - opened[0] > VALUE_LIMIT):
            _record(lines, base, end, log)
            following, pieces = _skip(opened[1] - len(rest), pieces)
            if following is None:  # the stream ends before the value does: the length is damaged, and entries may follow
                longest = VALUE_LIMIT
            else:
                log.add(base + opened[0], f"a value of {opened[1] - opened[0]} bytes is left out")
                rest, base = rest[: opened[0]] + following, base + opened[1] - opened[0]
        elif too_long and opened is None:
            _record(lines, base, len(rest), log)
            log.add(base + end, f"more than {ENTRY_LIMIT >> 20} MiB or {LINE_LIMIT} lines without an end of entry")
            end = len(rest)
        else:
            _record(lines, base, end, log)
        base, rest = base + end, rest[end:]
    if rest.strip(b"\n"):
        lines = find_lines(rest, last=True, longest=longest)
        table, number = exported_table(lines, base, name, number, log)
        _record(lines, base, len(rest), log)
        end = _last_end(lines)
        if rest[end:].strip(b"\n"):
            log.add(base + end, "the stream ends inside an entry, which is left out")
        yield table


def _limit_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut pieces that consist of very short lines, which take most memory, into smaller ones."""
    for piece in pieces:
        size = -(-len(piece) // (piece.count(b"\n") // LINES_AT_ONCE + 1))
        yield from (piece[at : at + size] for at in range(0, len(piece), size))


def _record(lines: Lines, base: int, end: int, log: DamageLog) -> None:
    """Log the faults up to `end`; the rest is parsed again with the next piece."""
    for reason, offsets in sorted(lines.faults.items()):
        log.add_all(sorted(base + at for at in offsets if at < end), reason)


def find_lines(content: bytes, *, last: bool, longest: int = LENGTH_LIMIT) -> Lines:
    """Find all complete lines of `content`.

    A value of more than `longest` bytes is damage, as is one longer than the rest when nothing follows (`last`).
    """
    buffer = content + PADDING
    data = np.frombuffer(buffer, np.uint8)[: len(content)]
    ends = np.flatnonzero(data == NEWLINE)
    start = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1] + 1])
    equals = np.append(np.flatnonzero(data == EQUALS), len(content))
    name_end = equals[np.searchsorted(equals, start)]
    blank, named = start == ends, name_end < ends
    none = np.zeros(len(ends), np.bool_)
    data = np.frombuffer(buffer, np.uint8)
    lines = Lines(buffer, data, start, name_end, name_end + 1, ends.copy(), ~none, blank, np.flatnonzero(blank), none.copy(), none)
    starts_a_name = BEGINS_A_NAME[data[start]]
    _resolve_lengths(lines, np.flatnonzero(~blank & ~named & starts_a_name), len(content), longest, last=last)
    garbage = np.flatnonzero(lines.kept & ~blank & ~starts_a_name)
    lines.kept[garbage] = False
    lines.faults[NO_FIELD] += start[garbage].tolist()
    _split_joined_entries(lines)
    return lines


def _split_joined_entries(lines: Lines) -> None:
    """Start an entry at a second cursor: each entry starts with its cursor, and the empty line may be missing."""
    kept = np.flatnonzero(lines.kept)
    entry = np.cumsum(lines.blank[kept])
    at = np.flatnonzero(lines.name_end[kept] - lines.start[kept] == len(CURSOR))
    windows = np.ndarray((len(lines.buffer) - len(CURSOR),), f"S{len(CURSOR)}", lines.buffer, strides=(1,))
    at = at[windows[lines.start[kept[at]]] == CURSOR]
    second = kept[at[1:][entry[at[1:]] == entry[at[:-1]]]]
    lines.opens[second] = True
    lines.faults[RUN_TOGETHER] += lines.start[second].tolist()


def _resolve_lengths(lines: Lines, odd: Positions, size: int, longest: int, *, last: bool) -> None:
    """Resolve the lines that hold only a name, in order: the length-prefixed value that each opens contains the lines inside it.

    The ends are computed for all at once. The loop costs 0.6 µs per line, and each entry has one such line where journald records
    `_SELINUX_CONTEXT`, which ends with a line break.
    """
    start, end = lines.start[odd], lines.value_end[odd]
    length, stop = _lengths(lines.buffer, end, size)
    closed = lines.data[np.minimum(stop, size)] == NEWLINE
    good, done = [], 0
    is_name: dict[bytes, bool] = {}
    openings = zip(start.tolist(), end.tolist(), length.tolist(), stop.tolist(), closed.tolist(), strict=True)
    for number, (at, name_end, value_size, value_end, is_closed) in enumerate(openings):
        if at < done:
            continue
        name = lines.buffer[at:name_end]
        if name not in is_name:
            is_name[name] = NAME.fullmatch(name) is not None
        if not is_name[name]:
            lines.kept[odd[number]] = False
            lines.faults[NO_FIELD].append(at)
        elif value_end >= size and not last and value_size <= longest:  # the next piece decides
            lines.kept[odd[number] :] = False
            lines.open_value = (at, value_end + 1) if name_end + 9 <= size else None
            break
        elif value_end >= size or not is_closed or value_size > longest:
            lines.faults[NO_LENGTH].append(at)
            done = _skip_entry(lines, int(odd[number]))
        else:
            good.append(number)
            done = value_end + 1
    _take_values(lines, odd[good], stop[good])


def _lengths(buffer: bytes, end: Positions, size: int) -> tuple[Positions, Positions]:
    """Return the length after each name, 0 where it is incomplete, and the end of the value."""
    words = np.ndarray((len(buffer) - 8,), "V8", buffer, strides=(1,))[end + 1].view(np.uint64)
    length = np.where(end + 9 <= size, np.minimum(words, np.uint64(1 << 62)), np.uint64(0)).astype(np.int64)
    return length, end + 9 + length


def _take_values(lines: Lines, opening: Positions, stop: Positions) -> None:
    """Extend the lines `opening` by their values, which end at `stop`, and drop the lines inside these."""
    name_end = lines.value_end[opening]
    lines.name_end[opening], lines.value_start[opening], lines.value_end[opening] = name_end, name_end + 9, stop
    inside = np.zeros(len(lines.start) + 1, np.int32)
    inside[opening + 1] += 1
    inside[np.searchsorted(lines.start, stop + 1)] -= 1  # values follow one another: no two start, or end, at the same line
    lines.kept[np.cumsum(inside[:-1]) > 0] = False


def _skip_entry(lines: Lines, line: int) -> int:
    """Drop the lines from a damaged one to the next empty one; return the offset of the latter."""
    at = int(np.searchsorted(lines.empty, line))
    after = int(lines.empty[at]) if at < len(lines.empty) else len(lines.start)
    lines.kept[line + 1 : after] = False
    lines.spoilt[line] = True
    return int(lines.start[after]) if after < len(lines.start) else len(lines.buffer)


def _last_end(lines: Lines) -> int:
    """The end of the last complete entry."""
    blank = np.flatnonzero(lines.blank & lines.kept)
    return int(lines.value_end[blank[-1]]) + 1 if len(blank) else 0


def _skip(left: int, pieces: Iterator[bytes]) -> tuple[bytes | None, Iterator[bytes]]:
    """Skip `left` bytes; return the rest of that piece and the pieces after it, or null and the same pieces where the stream ends first."""
    skipped = TemporaryFile()  # noqa: SIM115 — it lives as long as the pieces that are read from it
    while left > 0 and (piece := next(pieces, b"")):
        skipped.write(piece)
        left -= len(piece)
    if left > 0:
        skipped.seek(0)
        return None, _reread(skipped)
    skipped.close()
    return piece[len(piece) + left :], pieces


def _reread(skipped: IO[bytes]) -> Iterator[bytes]:
    with skipped:
        while piece := skipped.read(VALUE_LIMIT):
            yield piece
