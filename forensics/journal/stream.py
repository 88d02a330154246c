"""Read a stream of `journalctl -o export` or `-o json` in batches, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from forensics.errors import UsageError
from forensics.journal.columns import SCHEMA, Batch
from forensics.journal.damage import DamageLog
from forensics.journal.export_format import read_export
from forensics.journal.format import SIGNATURE
from forensics.journal.json_lines import read_json
from forensics.journal.unpack import BrokenCompressionError

PIECE = 1 << 22  # bytes read at a time
JOURNAL = "is a binary journal file: pass its path, not its content"


def read_stream(stream: BinaryIO, name: str, *, batch_entries: int = 50_000) -> Iterator[Batch]:
    """Yield batches of at most `batch_entries`, the last one with the damage of the whole stream.

    Column `file` is `name`, `offset` counts entries from 0; a damage record's offset counts bytes. Raises UsageError for a stream
    that holds something, but no entry.
    """
    log = DamageLog(name)
    first = stream.read(PIECE)
    if first.startswith(SIGNATURE):
        raise UsageError(f"{name} {JOURNAL}.")
    pieces = _pieces(first, stream, log)
    if first.partition(b"\n")[0].endswith(b"\r"):
        pieces = _unix_lines(pieces)
    read = read_json if first.lstrip(b" \t\r\n\x1e")[:1] == b"{" else read_export
    number = 0
    for table in read(pieces, name, log):
        for start in range(0, len(table), batch_entries):
            part = table.slice(start, batch_entries)
            number += len(part)
            yield Batch(part, (), None)
    damage = log.records()
    if damage and not number:
        raise UsageError(f"{name} contains no entries in the format of `journalctl -o export` or `-o json` ({damage[0].reason}).")
    if damage:
        yield Batch(SCHEMA.empty_table(), damage, None)


def _pieces(first: bytes, stream: BinaryIO, log: DamageLog) -> Iterator[bytes]:
    piece = first
    while piece:
        yield piece
        try:
            piece = stream.read(PIECE)
        except BrokenCompressionError:
            log.add(None, "the compressed or archived data is cut off or damaged: what follows cannot be read")
            return


def _unix_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Undo what a terminal does to every line break, as with `ssh -t`: also those inside of binary values."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        rest = b"\r" if text.endswith(b"\r") else b""
        yield text.removesuffix(rest).replace(b"\r\n", b"\n")
    if rest:
        yield rest
