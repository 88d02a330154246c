"""Read a stream of `journalctl -o export` or `-o json` in batches, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from forensics.errors import ForensicsError
from forensics.journal.columns import SCHEMA, Batch
from forensics.journal.damage import DamageLog
from forensics.journal.export_format import read_export
from forensics.journal.json_lines import read_json

PIECE = 1 << 22  # bytes read at a time
OTHER_FORMATS = {
    b"LPKSHHRH": "is a binary journal file: pass its path, not its content",
    b"\x28\xb5\x2f\xfd": "is compressed (zstd): decompress it first, as in `zstd -dc FILE | …`",
    b"\x1f\x8b": "is compressed (gzip): decompress it first, as in `gzip -dc FILE | …`",
    b"\xfd7zXZ": "is compressed (xz): decompress it first, as in `xz -dc FILE | …`",
}


def read_stream(stream: BinaryIO, name: str, *, batch_entries: int = 50_000) -> Iterator[Batch]:
    """Yield batches of at most `batch_entries`, the last one with the damage of the whole stream.

    Column `file` is `name`, `offset` counts entries from 0; a damage record's offset counts bytes. Raises ForensicsError for a stream
    that holds something, but no entry.
    """
    log = DamageLog(name)
    first = stream.read(PIECE)
    for magic, sentence in OTHER_FORMATS.items():
        if first.startswith(magic):
            raise ForensicsError(f"{name} {sentence}.")
    read = read_json if first.lstrip(b" \t\r\n\x1e")[:1] == b"{" else read_export
    number = 0
    for table in read(_pieces(first, stream), name, log):
        for start in range(0, len(table), batch_entries):
            part = table.slice(start, batch_entries)
            number += len(part)
            yield Batch(part, (), None)
    damage = log.records()
    if damage and not number:
        raise ForensicsError(f"{name} contains no entries in the format of `journalctl -o export` or `-o json` ({damage[0].reason}).")
    if damage:
        yield Batch(SCHEMA.empty_table(), damage, None)


def _pieces(first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while first:
        yield first
        first = stream.read(PIECE)
