"""Compressed values of journal files."""

import lzma
import struct

import pyarrow as pa

from forensics.journal.format import LZ4, XZ


def pack(how: int, plain: bytes) -> bytes:
    """Compress a value as compress_blob in systemd's compress.c does."""
    if how == XZ:
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
        return lzma.compress(plain, lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=filters)
    if how == LZ4:
        return struct.pack("<Q", len(plain)) + pa.Codec("lz4_raw").compress(plain, asbytes=True)
    return pa.Codec("zstd").compress(plain, asbytes=True)
