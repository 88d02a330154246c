"""Pieces of a `journalctl -o export` stream in, tables of the entries that are whole out.

The format (systemd's docs/JOURNAL_EXPORT_FORMATS.md): an entry is lines NAME=value and ends with an empty line; a value with line
breaks is a line NAME, 8 bytes of little-endian length, the bytes, a line break. All lines of a piece are found at once; only the
lines without `=`, a few in a hundred, are looked at one by one.
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

VALUE_LIMIT = 1 << 24  # bytes of one value that are held; no log line is near it, a core dump that was stored in the journal is skipped
LENGTH_LIMIT = 768 << 20  # DATA_SIZE_MAX in systemd's journal-importer.h: a longer one is damage
ENTRY_LIMIT, LINE_LIMIT = 1 << 25, 1 << 20  # bytes and lines without the end of an entry
LINES_AT_ONCE = 1 << 19  # more or less: the positions of a line take 70 bytes
CURSOR = b"__CURSOR"  # the first line of each entry
NAME = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}")  # journal_field_valid in systemd's journal-file.c
NEWLINE, EQUALS = 10, 61
NO_FIELD = "a line that is no journal field"
NO_LENGTH = "a length that cannot be; the entry is left out"
RUN_TOGETHER = "the empty line between two entries is missing"
PADDING = bytes(64)  # so that a window of a name's or a view's length fits behind the last byte


def read_export(pieces: Iterator[bytes], name: str, log: DamageLog) -> Iterator[pa.Table]:
    """Tables in the stream's order; what is no entry goes to `log`, with the byte in the stream where it stands."""
    rest, base, number, longest = b"", 0, 0, LENGTH_LIMIT
    pieces = _of_few_lines(pieces)
    while piece := next(pieces, b""):
        rest += piece
        lines = framed(rest, last=False, longest=longest)
        end = _last_end(lines)
        if end:
            table, number = exported_table(lines, base, name, number, log)
            yield table
        size, opened = len(rest) - end, lines.open_value
        too_long = size > ENTRY_LIMIT or len(lines.start) - int(np.searchsorted(lines.start, end)) > LINE_LIMIT
        if opened is not None and (too_long or opened[1] - opened[0] > VALUE_LIMIT):
            _record(lines, base, end, log)
            behind, pieces = _behind(opened[1] - len(rest), pieces)
            if behind is None:  # the stream ends before the value does: the length is damaged, and entries may follow
                longest = VALUE_LIMIT
            else:
                log.add(base + opened[0], f"a value of {opened[1] - opened[0]} bytes is left out")
                rest, base = rest[: opened[0]] + behind, base + opened[1] - opened[0]
        elif too_long and opened is None:
            _record(lines, base, len(rest), log)
            log.add(base + end, f"more than {ENTRY_LIMIT >> 20} MiB or {LINE_LIMIT} lines without the end of an entry")
            end = len(rest)
        else:
            _record(lines, base, end, log)
        base, rest = base + end, rest[end:]
    if rest.strip(b"\n"):
        lines = framed(rest, last=True, longest=longest)
        table, number = exported_table(lines, base, name, number, log)
        _record(lines, base, len(rest), log)
        end = _last_end(lines)
        if rest[end:].strip(b"\n"):
            log.add(base + end, "the stream ends inside an entry, which is left out")
        yield table


def _of_few_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same stream: pieces of lines that are hardly any longer than their end are cut small."""
    for piece in pieces:
        size = -(-len(piece) // (piece.count(b"\n") // LINES_AT_ONCE + 1))
        yield from (piece[at : at + size] for at in range(0, len(piece), size))


def _record(lines: Lines, base: int, end: int, log: DamageLog) -> None:
    """The faults up to `end`; what follows is looked at again with the next piece."""
    for reason, places in sorted(lines.faults.items()):
        log.add_all(sorted(base + at for at in places if at < end), reason)


def framed(content: bytes, *, last: bool, longest: int = LENGTH_LIMIT) -> Lines:
    """All whole lines of `content`. `last` says that nothing follows, so that a value longer than the rest is damage, as is one of
    more than `longest` bytes.
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
    begins_well = BEGINS_A_NAME[data[start]]
    _resolve(lines, np.flatnonzero(~blank & ~named & begins_well), len(content), longest, last=last)
    garbage = np.flatnonzero(lines.kept & ~blank & ~begins_well)
    lines.kept[garbage] = False
    lines.faults[NO_FIELD] += start[garbage].tolist()
    _part_what_runs_together(lines)
    return lines


def _part_what_runs_together(lines: Lines) -> None:
    """An entry begins with its cursor: a second one without an empty line between them begins another."""
    kept = np.flatnonzero(lines.kept)
    entry = np.cumsum(lines.blank[kept])
    at = np.flatnonzero(lines.name_end[kept] - lines.start[kept] == len(CURSOR))
    windows = np.ndarray((len(lines.buffer) - len(CURSOR),), f"S{len(CURSOR)}", lines.buffer, strides=(1,))
    at = at[windows[lines.start[kept[at]]] == CURSOR]
    second = kept[at[1:][entry[at[1:]] == entry[at[:-1]]]]
    lines.opens[second] = True
    lines.faults[RUN_TOGETHER] += lines.start[second].tolist()


def _resolve(lines: Lines, odd: Positions, size: int, longest: int, *, last: bool) -> None:
    """Look at the lines that may be no more than a name, in order: the value by its length that each opens takes all lines inside along.

    Where each would end is worked out for all at once. The loop costs 0.6 µs a line, and there is one an entry where journald records
    `_SELINUX_CONTEXT`, which ends with a line break.
    """
    start, end = lines.start[odd], lines.value_end[odd]
    length, stop = _lengths(lines.buffer, end, size)
    closed = lines.data[np.minimum(stop, size)] == NEWLINE
    good, done = [], 0
    is_name: dict[bytes, bool] = {}
    each = zip(start.tolist(), end.tolist(), length.tolist(), stop.tolist(), closed.tolist(), strict=True)
    for number, (at, name_end, bytes_long, behind, is_closed) in enumerate(each):
        if at < done:
            continue
        name = lines.buffer[at:name_end]
        if name not in is_name:
            is_name[name] = NAME.fullmatch(name) is not None
        if not is_name[name]:
            lines.kept[odd[number]] = False
            lines.faults[NO_FIELD].append(at)
        elif behind >= size and not last and bytes_long <= longest:  # the next piece tells
            lines.kept[odd[number] :] = False
            lines.open_value = (at, behind + 1) if name_end + 9 <= size else None
            break
        elif behind >= size or not is_closed or bytes_long > longest:
            lines.faults[NO_LENGTH].append(at)
            done = _skip_entry(lines, int(odd[number]))
        else:
            good.append(number)
            done = behind + 1
    _take_along(lines, odd[good], stop[good])


def _lengths(buffer: bytes, end: Positions, size: int) -> tuple[Positions, Positions]:
    """The length that follows each name, 0 where it is not whole; and where the value would end."""
    words = np.ndarray((len(buffer) - 8,), "V8", buffer, strides=(1,))[end + 1].view(np.uint64)
    length = np.where(end + 9 <= size, np.minimum(words, np.uint64(1 << 62)), np.uint64(0)).astype(np.int64)
    return length, end + 9 + length


def _take_along(lines: Lines, opening: Positions, stop: Positions) -> None:
    """The values that begin behind the lines `opening` and end at `stop`: the lines within are part of them."""
    name_end = lines.value_end[opening]
    lines.name_end[opening], lines.value_start[opening], lines.value_end[opening] = name_end, name_end + 9, stop
    inside = np.zeros(len(lines.start) + 1, np.int32)
    inside[opening + 1] += 1
    inside[np.searchsorted(lines.start, stop + 1)] -= 1  # values follow one another: no two begin, or end, at the same line
    lines.kept[np.cumsum(inside[:-1]) > 0] = False


def _skip_entry(lines: Lines, line: int) -> int:
    """Leave out from a spoilt line to the next empty one; where that is."""
    at = int(np.searchsorted(lines.empty, line))
    after = int(lines.empty[at]) if at < len(lines.empty) else len(lines.start)
    lines.kept[line + 1 : after] = False
    lines.spoilt[line] = True
    return int(lines.start[after]) if after < len(lines.start) else len(lines.buffer)


def _last_end(lines: Lines) -> int:
    """Where the last whole entry ends."""
    blank = np.flatnonzero(lines.blank & lines.kept)
    return int(lines.value_end[blank[-1]]) + 1 if len(blank) else 0


def _behind(left: int, pieces: Iterator[bytes]) -> tuple[bytes | None, Iterator[bytes]]:
    """What follows in the stream after `left` more bytes; when it ends before, null and the same pieces once more."""
    passed = TemporaryFile()  # noqa: SIM115 — it lives as long as the pieces that are read from it
    while left > 0 and (piece := next(pieces, b"")):
        passed.write(piece)
        left -= len(piece)
    if left > 0:
        passed.seek(0)
        return None, _again(passed)
    passed.close()
    return piece[len(piece) + left :], pieces


def _again(passed: IO[bytes]) -> Iterator[bytes]:
    with passed:
        while piece := passed.read(VALUE_LIMIT):
            yield piece
