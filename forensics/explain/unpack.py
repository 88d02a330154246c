# ruff: noqa: PLC0415 - each module is imported for the few files that need it
"""Unpack a compressed log and refuse what is no text: the bytes of a file → the bytes of a log, or one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

from forensics.errors import UsageError

MOST = 256 << 20  # bytes that a log may unpack to: ten times a log of 200,000 lines
MEMORY = 512 << 20  # bytes that an xz stream may ask for (xz -9 needs 65 MiB)

# Leading bytes of the files that people have beside their logs (file(1)).
_KINDS = (
    (b"LPKSHHRH", "a binary journal file"),
    (b"\x7fELF", "an ELF program or library"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\xca\xfe\xba\xbe", "a Java class or a Mach-O program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Microsoft Office document"),
    (b"RIFF", "a RIFF file"),
    (b"OggS", "an Ogg file"),
    (b"wOF", "a font"),
    (b"!<arch>\n", "an archive of ar(1)"),
    (b"\xed\xab\xee\xdb", "an RPM package"),
    (b"GGUF", "a GGUF model"),
    (b"\x00asm", "a WebAssembly module"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\xd4\xc3\xb2\xa1", "a capture of network packets"),
)
_TAR = (257, b"ustar")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_EXPORT = re.compile(rb"(?m)^__(?:CURSOR|REALTIME_TIMESTAMP)=")  # its values may be binary
_PADDING = re.compile(rb"\x00{16,}")  # what some file systems leave in a log after a power cut
_CONTROL = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\x08\x07\x1b\x1e"))
SAMPLE = 65_536
MOST_CONTROL = 0.02  # share of control characters in a text


def unpacked(content: bytes, name: str) -> bytes:
    """Return the log, unpacked where it is compressed. Raises UsageError for what is no log; name: how to call the file."""
    unpack = next((unpack for magic, unpack in _COMPRESSIONS.items() if content.startswith(magic)), None)
    if unpack is not None:
        try:
            content = unpack(content)
        except _of_damage():
            raise UsageError(f"'{name}' cannot be unpacked: it is damaged, cut or encrypted.") from None
        if len(content) > MOST:
            raise UsageError(f"'{name}' unpacks to more than {MOST >> 20} MiB: unpack it and name the part to explain.")
    kind = _kind_of(content)
    if kind is not None:
        raise UsageError(f"'{name}' is {kind}, not a log: only text can be explained.")
    return content


def _of_damage() -> tuple[type[Exception], ...]:
    """The errors of the modules below, which few runs need: each imports them where it unpacks."""
    from lzma import LZMAError
    from zipfile import BadZipFile
    from zlib import error

    return EOFError, OSError, ValueError, LZMAError, error, BadZipFile, NotImplementedError, RuntimeError


def _kind_of(content: bytes) -> str | None:
    """What a file is that holds no text; null for text."""
    kind = next((kind for magic, kind in _KINDS if content.startswith(magic)), None)
    if kind is None and content[_TAR[0] : _TAR[0] + len(_TAR[1])] == _TAR[1]:
        kind = "a tar archive"
    return "binary data" if kind is None and _is_binary(content[:SAMPLE]) else kind


def _is_binary(sample: bytes) -> bool:
    """Whether bytes are no text: control characters that no log has. UTF-16 and the journal's export format may have NUL bytes."""
    if sample.startswith(_UTF16) or is_utf16(sample) or _EXPORT.search(sample):
        return False
    text = _PADDING.sub(b"", sample)
    if b"\x00" in text or not text:
        return bool(sample)
    return len(text) - len(text.translate(None, _CONTROL)) > MOST_CONTROL * len(text)


def is_utf16(sample: bytes) -> bool:
    """Whether bytes without a mark are UTF-16: of nearly every pair of bytes one and the same is NUL."""
    pairs = len(sample) // 2
    zeros = sample[: 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    return pairs > 4 and max(zeros) > 0.9 * pairs and min(zeros) < 0.1 * pairs


def _of_gzip(content: bytes) -> bytes:
    import gzip

    with gzip.open(BytesIO(content)) as stream:
        return stream.read(MOST + 1)


def _of_bz2(content: bytes) -> bytes:
    import bz2

    with bz2.open(BytesIO(content)) as stream:
        return stream.read(MOST + 1)


def _of_xz(content: bytes) -> bytes:
    import lzma

    parts: list[bytes] = []
    rest = content
    while rest and sum(map(len, parts)) <= MOST:
        stream = lzma.LZMADecompressor(memlimit=MEMORY)
        parts.append(stream.decompress(rest, MOST + 1))
        if not stream.eof and len(parts[-1]) <= MOST:
            raise EOFError
        rest = stream.unused_data.lstrip(b"\x00")
    return b"".join(parts)


def _of_arrow(compression: str) -> Callable[[bytes], bytes]:
    def unpack(content: bytes) -> bytes:
        import pyarrow as pa

        with pa.input_stream(pa.BufferReader(content), compression=compression) as stream:
            return bytes(stream.read(MOST + 1))

    return unpack


def _of_zip(content: bytes) -> bytes:
    """Unpack a zip archive of one file; another one stays as it is, which is no text."""
    import zipfile

    with zipfile.ZipFile(BytesIO(content)) as archive:
        files = [member for member in archive.infolist() if not member.is_dir() and not member.filename.startswith("__MACOSX/")]
        if len(files) != 1:
            return content
        with archive.open(files[0]) as stream:
            return stream.read(MOST + 1)


_COMPRESSIONS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": _of_gzip,
    b"BZh": _of_bz2,
    b"\xfd7zXZ\x00": _of_xz,
    b"\x28\xb5\x2f\xfd": _of_arrow("zstd"),
    b"\x04\x22\x4d\x18": _of_arrow("lz4"),
    b"PK\x03\x04": _of_zip,
}
