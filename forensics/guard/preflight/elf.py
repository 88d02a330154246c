"""Read of an ELF file which loader it wants and which libraries it needs, without running anything.

Source: elf(5); only what 64-bit little-endian machines use (x86-64, aarch64, riscv64), others are read as None.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ = 0, 1, 5, 10
MOST_HEADERS, LONGEST_TABLE = 64, 64 << 20  # bytes: libtorch_cuda's strings are 20 MB
_IDENT = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_HEADER, _PROGRAM, _DYNAMIC = struct.Struct("<16xHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"), struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Elf:
    """interpreter: the loader that a program names, "" for a library; needed: DT_NEEDED; is_cut: its end is missing."""

    interpreter: str
    needed: tuple[str, ...]
    is_cut: bool = False


def read_elf(file: Path) -> Elf | None:
    """Read a file; None where it is none of ours, cannot be read or is broken."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        return _read(descriptor)
    except (OSError, struct.error, ValueError):
        return None
    finally:
        os.close(descriptor)


def excerpt(file: Path, words: bytes, length: int = 0) -> bytes | None:
    """Return what follows these bytes in a file, such as the name of a function that it has; None where it does not have them."""
    with suppress(OSError, ValueError), file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(words)
        if at >= 0:
            return content[at + len(words) : at + len(words) + length]
    return None


def _read(descriptor: int) -> Elf | None:
    header = os.pread(descriptor, _HEADER.size, 0)
    if not header.startswith(_IDENT):
        return None
    _, _, _, _, at, _, _, _, size, count, _, _, _ = _HEADER.unpack(header)
    table = os.pread(descriptor, size * min(count, MOST_HEADERS), at)
    segments = [_PROGRAM.unpack_from(table, start) for start in range(0, len(table), size)] if size >= _PROGRAM.size else []
    interpreter, needed = "", tuple[str, ...]()
    for kind, _, offset, _, _, length, _, _ in segments:
        if kind == PT_INTERP:
            interpreter = os.pread(descriptor, min(length, 4096), offset).rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif kind == PT_DYNAMIC:
            needed = _needed(descriptor, os.pread(descriptor, min(length, 1 << 16), offset), segments)
    end = max((offset + length for kind, _, offset, _, _, length, _, _ in segments if kind == PT_LOAD), default=0)
    return Elf(interpreter, needed, is_cut=os.fstat(descriptor).st_size < end)


def _needed(descriptor: int, dynamic: bytes, segments: list[tuple[int, ...]]) -> tuple[str, ...]:
    entries = list(_DYNAMIC.iter_unpack(dynamic[: len(dynamic) // _DYNAMIC.size * _DYNAMIC.size]))
    values = {tag: value for tag, value in entries if tag in {DT_STRTAB, DT_STRSZ}}
    names = [value for tag, value in entries if tag == DT_NEEDED]
    start = _offset(values.get(DT_STRTAB, 0), segments)
    if start is None or values.get(DT_STRSZ, 0) > LONGEST_TABLE:
        return ()
    return tuple(_string(descriptor, start + name) for name in names)


def _offset(address: int, segments: list[tuple[int, ...]]) -> int | None:
    """Turn an address in memory into an offset in the file."""
    for kind, _, offset, virtual, _, length, _, _ in segments:
        if kind == PT_LOAD and virtual <= address < virtual + length:
            return offset + address - virtual
    return None


def _string(descriptor: int, offset: int) -> str:
    return os.pread(descriptor, 512, offset).partition(b"\0")[0].decode("utf-8", "surrogateescape")
