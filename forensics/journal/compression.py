"""Decompress the payloads of DATA objects within limits, so that a small file cannot use up all memory or time."""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from forensics.journal.format import LZ4, NAME_LIMIT, VALUE_LIMIT, XZ, ZSTD

BATCH_BYTES = 32 << 20  # decompressed at a time
KEPT_LIMIT, KEPT_RATIO = 64 << 20, 5  # bytes kept per file: a minimum, and times its size; single log lines compress 2 to 4 times
WORK_LIMIT, WORK_RATIO = 1 << 30, 16  # bytes decompressed, likewise; unwanted fields such as a core dump's maps compress 15 times
XZ_WORK = 4  # a byte of xz takes at least four times as long as one of zstd
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BROKEN = "a compressed value cannot be decompressed; its field is left out"
TOO_BIG = f"a compressed value is bigger than {VALUE_LIMIT >> 20} MiB; its field is left out"
TOO_MUCH = "the file's compressed values exceed the limits of this program; fields are left out"


class Packed(NamedTuple):
    """A compressed payload; a tuple, because there are many and a dataclass takes twice as long to make."""

    flag: int  # of its object: XZ, LZ4, ZSTD
    raw: bytes


def decompress(values: Sequence[Packed], file_size: int, keeps: Callable[[bytes], bool] = lambda _: True) -> Iterator[bytes | str]:
    """Yield each value's payload, or the reason why there is none; only `name=` where `keeps` rejects the field's name."""
    work, kept = max(WORK_LIMIT, WORK_RATIO * file_size), max(KEPT_LIMIT, KEPT_RATIO * file_size)
    sizes = [_declared_size(value) for value in values]
    start = 0
    while start < len(values):
        stop = _batch_end(values, sizes, start)
        batch, batch_sizes = values[start:stop], sizes[start:stop]
        # the limit is exceeded by one batch at most
        plains = _decompress_batch(batch, batch_sizes) if work > 0 else repeat(TOO_MUCH, stop - start)
        for value, size, plain in zip(batch, batch_sizes, plains, strict=True):
            work -= _work(value, size, plain)
            equals = plain.find(b"=", 0, NAME_LIMIT + 1) if isinstance(plain, bytes) else -1
            if isinstance(plain, str) or (equals >= 0 and not keeps(plain[:equals])):
                yield plain[: equals + 1] if equals >= 0 else plain
                continue
            yield plain if kept > 0 else TOO_MUCH
            kept -= len(plain)
        start = stop


def _work(value: Packed, size: int, plain: bytes | str) -> int:
    if value.flag == XZ:
        return XZ_WORK * (VALUE_LIMIT if plain == TOO_BIG else len(plain))
    return max(size * (size <= VALUE_LIMIT), len(plain))


def _batch_end(values: Sequence[Packed], sizes: Sequence[int], start: int) -> int:
    """The end of the zstd values from `start` that may be decompressed together, one value at least."""
    stop, batch = start + 1, sizes[start]
    if values[start].flag != ZSTD:
        return stop
    while stop < len(values) and values[stop].flag == ZSTD and batch + sizes[stop] <= BATCH_BYTES:
        batch += sizes[stop]
        stop += 1
    return stop


def _decompress_batch(values: Sequence[Packed], sizes: Sequence[int]) -> Iterator[bytes | str]:
    """Join zstd frames and decompress them in one call; one by one they cost 20 µs each, most of it for a context."""
    if len(values) > 1 and all(value.flag == ZSTD and 0 < size <= VALUE_LIMIT for value, size in zip(values, sizes, strict=True)):
        try:
            whole = pa.Codec("zstd").decompress(b"".join(value.raw for value in values), sum(sizes), asbytes=True)
        except (OSError, pa.ArrowException):
            pass  # one of them is broken: they are decompressed one by one below
        else:
            ends = np.cumsum(sizes).tolist()
            yield from (whole[end - size : end] for end, size in zip(ends, sizes, strict=True))
            return
    for value, size in zip(values, sizes, strict=True):
        yield _decompress_one(value, size)


def _decompress_one(value: Packed, size: int) -> bytes | str:
    if size > VALUE_LIMIT:
        return TOO_BIG
    try:
        if value.flag == XZ:
            return _decompress_xz(value.raw)
        if not size:
            return BROKEN
        codec, raw = ("lz4_raw", value.raw[8:]) if value.flag == LZ4 else ("zstd", value.raw)
        plain: bytes = pa.Codec(codec).decompress(raw, size, asbytes=True)
    except (OSError, MemoryError, lzma.LZMAError, pa.ArrowException):
        return BROKEN
    return plain


def _decompress_xz(raw: bytes) -> bytes | str:
    """Decompress xz with a limit on the output: it declares its size at the end of the stream, which may be damaged."""
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=VALUE_LIMIT * 2)
    plain = decompressor.decompress(raw, VALUE_LIMIT + 1)
    if len(plain) > VALUE_LIMIT:
        return TOO_BIG
    return plain if decompressor.eof else BROKEN


def _declared_size(value: Packed) -> int:
    """The decompressed size that the payload's header declares; 0 without one, as in xz."""
    raw = value.raw
    if value.flag == LZ4:
        return int.from_bytes(raw[:8], "little")  # compress_blob_lz4 in systemd's compress.c: a le64 before the block
    if value.flag == XZ:
        return 0
    return zstd_size(raw)


def zstd_size(raw: bytes) -> int:
    """The content size in the header of a zstd frame (RFC 8878 §3.1.1.1), which journald always writes; 0 without one."""
    if raw[:4] != ZSTD_MAGIC or len(raw) < 6:
        return 0
    descriptor = raw[4]
    single_segment = descriptor >> 5 & 1
    at = 5 + (1 - single_segment) + (0, 1, 2, 4)[descriptor & 3]
    width = (single_segment, 2, 4, 8)[descriptor >> 6]
    return int.from_bytes(raw[at : at + width], "little") + (256 if width == 2 else 0)
