"""A compressed stream is read by what it holds; one that is damaged is read up to the damage."""

import bz2
import gzip
import io
import lzma

import pyarrow as pa
import pytest

from forensics.errors import ForensicsError
from forensics.journal.stream import read_stream
from forensics.journal.unpack import BrokenCompressionError, unpacked

TEXT = b"".join(b"__REALTIME_TIMESTAMP=%d\nMESSAGE=line %d\n\n" % (1_700_000_000_000_000 + n, n * n) for n in range(60_000))


def arrow(codec, text):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(text)
    return sink.getvalue().to_pybytes()


PACKED = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": lambda text: arrow("zstd", text),
    "lz4": lambda text: arrow("lz4", text),
}


class Pipe:
    """A stream that hands out what it has, a few bytes at a time where less is asked for than it could give."""

    def __init__(self, content):
        self.stream = io.BytesIO(content)

    def read(self, size=-1):
        return self.stream.read(size)


@pytest.mark.parametrize("name", PACKED)
def test_a_compressed_stream_is_unpacked(name):
    stream = unpacked(Pipe(PACKED[name](TEXT)), "x")
    assert stream.format_name == name
    assert stream.peek(10) == TEXT[:10]
    assert stream.read(7) + stream.read() == TEXT


@pytest.mark.parametrize("name", PACKED)
def test_two_compressed_streams_in_a_row_are_one(name):
    assert unpacked(Pipe(PACKED[name](TEXT) + PACKED[name](b"end")), "x").read() == TEXT + b"end"


def test_a_stream_that_is_compressed_twice_is_unpacked_twice():
    assert unpacked(Pipe(gzip.compress(lzma.compress(TEXT))), "x").read() == TEXT


def test_a_stream_that_is_compressed_without_end_is_refused():
    with pytest.raises(ForensicsError, match="x is compressed more than 3 times over"):
        unpacked(Pipe(gzip.compress(gzip.compress(gzip.compress(gzip.compress(TEXT))))), "x")


def test_any_other_stream_stays_as_it_is():
    stream = unpacked(Pipe(TEXT), "x")
    assert (stream.format_name, stream.peek(3), stream.read()) == ("", TEXT[:3], TEXT)
    assert unpacked(Pipe(b""), "x").read() == b""


@pytest.mark.parametrize(
    ("magic", "sentence"), [(b"PK\x03\x04rest", "x is a zip archive"), (b"7z\xbc\xaf\x27\x1crest", "x is a 7z archive")]
)
def test_a_format_that_cannot_be_unpacked_is_named(magic, sentence):
    with pytest.raises(ForensicsError, match=sentence):
        unpacked(Pipe(magic), "x")


@pytest.mark.parametrize("name", PACKED)
def test_of_a_stream_that_is_cut_off_the_entries_before_the_cut_are_read(name):
    packed = PACKED[name](TEXT)
    batches = list(read_stream(unpacked(Pipe(packed[: len(packed) * 3 // 4]), "x"), "x"))
    assert sum(len(batch.table) for batch in batches) > 0
    reasons = [record.reason for batch in batches for record in batch.damage]
    assert "the compressed or archived data is cut off or damaged: what follows cannot be read" in reasons


@pytest.mark.parametrize("name", PACKED)
def test_a_stream_of_which_nothing_can_be_unpacked_is_refused(name):
    with pytest.raises(BrokenCompressionError, match=f"x is damaged: the {name} data cannot be read any further"):
        unpacked(Pipe(PACKED[name](b"short")[:12]), "x").read()
