"""A compressed log is unpacked, and what is no text is refused in one sentence."""

import bz2
import gzip
import io
import lzma
import random
import zipfile

import pyarrow as pa
import pytest

from forensics.cli.explaining import _read_log, explain_log
from forensics.errors import NothingRecordedError, UsageError
from forensics.explain import unpack

LOG = b"Jan 04 10:00:00 box app[7]: broken\n" * 50


def framed(codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(LOG)
    return sink.getvalue().to_pybytes()


def zipped(**files: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for name, content in files.items():
            written.writestr(name, content)
    return archive.getvalue()


COMPRESSED = {
    "gzip": gzip.compress(LOG),
    "two gzip members": gzip.compress(LOG[:35]) + gzip.compress(LOG[35:]),
    "xz": lzma.compress(LOG),
    "two xz streams": lzma.compress(LOG[:35]) + lzma.compress(LOG[35:]),
    "bzip2": bz2.compress(LOG),
    "zstd": framed("zstd"),
    "lz4": framed("lz4"),
    "zip": zipped(log=LOG),
}


@pytest.mark.parametrize("content", COMPRESSED.values(), ids=COMPRESSED)
def test_a_compressed_log_is_unpacked(tmp_path, content):
    file = tmp_path / "app.log"
    file.write_bytes(content)
    assert _read_log(file) == LOG


@pytest.mark.parametrize("name", [name for name in COMPRESSED if not name.startswith("two")])
def test_every_cut_is_refused(name):
    content = COMPRESSED[name]
    for end in (len(content) - 1, len(content) // 2):
        with pytest.raises(UsageError, match=r"cannot be unpacked|is a zip archive|is binary data"):
            unpack.unpacked(content[:end], "x")


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress])
def test_what_unpacks_to_too_much_is_refused(monkeypatch, compress):
    monkeypatch.setattr(unpack, "MOST", 100_000)
    assert len(unpack.unpacked(compress(b"a" * 100_000), "x")) == 100_000
    with pytest.raises(UsageError, match="unpacks to more than"):
        unpack.unpacked(compress(b"a" * 100_001), "x")


BINARY = {
    "an ELF program": b"\x7fELF\x02\x01\x01" + bytes(50),
    "a PNG image": b"\x89PNG\r\n\x1a\n" + b"text",
    "a PDF": b"%PDF-1.7\ntext\n",
    "SQLite": b"SQLite format 3\x00" + bytes(10),
    "NUL bytes alone": bytes(1000),
    "a NUL byte in a line": b"hello\x00world\n",
    "random bytes": random.Random(7).randbytes(5000),  # noqa: S311
    "control characters": b"a\x01b\x02c\x03" * 20,
    "a tar archive": bytes(257) + b"ustar\x0000" + bytes(240),
    "a zip archive of two files": zipped(a=LOG, b=LOG),
    "a journal, compressed": gzip.compress(b"LPKSHHRH" + bytes(100)),
    "a program, compressed": gzip.compress(b"\x7fELF" + bytes(100)),
}


@pytest.mark.parametrize("content", BINARY.values(), ids=BINARY)
def test_what_is_no_text_is_refused(content):
    with pytest.raises(UsageError, match=r"^'x' is .*, not a log"):
        unpack.unpacked(content, "x")


TEXTS = {
    "UTF-8": "Gerät — kaputt\n".encode(),
    "Windows-1252": "Gerät – kaputt\n".encode("cp1252"),
    "UTF-16": "Gerät kaputt\n".encode("utf-16"),
    "UTF-16 without its mark": "Geraet kaputt\n".encode("utf-16-le"),
    "colours": b"\x1b[31mbroken\x1b[0m\n",
    "what a power cut leaves": LOG + bytes(4096) + LOG,
    "the journal's export format": b"__REALTIME_TIMESTAMP=1\nMESSAGE\n\x03\x00\x00\x00\x00\x00\x00\x00a\x00b\n\n",
}


@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
def test_a_text_is_not_refused(content):
    assert unpack.unpacked(content, "x") == content


def test_an_empty_log_in_a_compressed_file_is_none(tmp_path):
    file = tmp_path / "app.log.gz"
    file.write_bytes(gzip.compress(b" \n"))
    with pytest.raises(NothingRecordedError):
        _read_log(file)


def test_a_binary_journal_has_a_sentence_of_its_own(tmp_path):
    file = tmp_path / "system.journal"
    file.write_bytes(b"LPKSHHRH" + bytes(100))
    with pytest.raises(UsageError, match="report --file"):
        _read_log(file)


def test_a_text_that_is_too_long_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MOST", 1000)
    log = tmp_path / "app.log"
    log.write_text("ERROR: no such thing\n" * 100)
    with pytest.raises(UsageError, match="is longer than"):
        explain_log(log)
