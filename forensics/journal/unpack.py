"""Decompress a stream by its first bytes, whatever it is called."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from forensics.errors import ForensicsError

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined]

PIECE = 1 << 16  # bytes decompressed at a time: what comes before damage is kept
MOST_LAYERS = 4  # a .tar.gz in a .tar.zst has three
REFUSED = {
    b"PK\x03\x04": "is a zip archive",
    b"7z\xbc\xaf\x27\x1c": "is a 7z archive",
    b"LZIP": "is compressed with lzip",
    b"\x1f\x9d": "is compressed with compress",
    b"Rar!": "is a rar archive",
}


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class BrokenCompressionError(ForensicsError):
    """The compressed stream is cut off or damaged."""


class Stream(io.RawIOBase):
    """A stream whose first bytes can be inspected before they are read; what cannot be decompressed ends it."""

    def __init__(self, stream: Readable, name: str, format_name: str = "") -> None:
        self._stream, self._name = stream, name
        self.format_name = format_name  # "" when nothing had to be decompressed
        self._ahead = b""
        self._error: Exception | None = None

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, or what there is, without consuming them."""
        if len(self._ahead) < size:
            self._ahead += self._next(size - len(self._ahead), after=self._ahead)
        return self._ahead[:size]

    def read(self, size: int = -1, /) -> bytes:
        """Read `size` bytes, fewer only at the end or before damage. Raises BrokenCompressionError at the damage."""
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        return ahead + self._next(size - len(ahead), after=ahead)

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        content = self.read(len(view))
        view[: len(content)] = content
        return len(content)

    def _next(self, size: int, after: bytes = b"") -> bytes:
        if not self.format_name:
            return self._stream.read(size) if size else b""
        pieces: list[bytes] = []
        try:
            while size > 0 and self._error is None and (piece := self._stream.read(min(size, PIECE))):
                pieces.append(piece)
                size -= len(piece)
        except Exception as error:  # noqa: BLE001 - each decompressor has errors of its own: OSError, EOFError, LZMAError, zlib.error
            self._error = error
        if self._error is not None and not pieces and not after:
            raise BrokenCompressionError(f"{self._name} is damaged: the {self.format_name} data cannot be read any further.")
        return b"".join(pieces)


def unpacked(stream: Readable, name: str) -> Stream:
    """Decompress gzip, xz, bzip2, zstd and lz4, also one in another; any other stream stays as it is.

    Raises ForensicsError for a format that is not supported.
    """
    content = Stream(stream, name)
    for _ in range(MOST_LAYERS):
        head = content.peek(8)
        for magic, sentence in REFUSED.items():
            if head.startswith(magic):
                raise ForensicsError(f"{name} {sentence}, which this program cannot unpack: unpack it first.")
        layer = next(((opened, format_name) for magic, opened, format_name in FORMATS if head.startswith(magic)), None)
        if layer is None:
            return content
        opened, format_name = layer
        content = Stream(opened(content), name, format_name)
    raise ForensicsError(f"{name} is compressed more than {MOST_LAYERS - 1} times over.")


def _gzip(stream: Stream) -> Readable:
    import gzip  # noqa: PLC0415 - most streams need none of these

    return gzip.GzipFile(fileobj=stream)


def _xz(stream: Stream) -> Readable:
    import lzma  # noqa: PLC0415

    return lzma.LZMAFile(stream)  # type: ignore[arg-type]


def _bzip2(stream: Stream) -> Readable:
    import bz2  # noqa: PLC0415

    return bz2.BZ2File(stream)


def _arrow(codec: str) -> Callable[[Stream], Readable]:
    def opened(stream: Stream) -> Readable:
        import pyarrow as pa  # noqa: PLC0415

        decompressed: Any = pa.input_stream(pa.PythonFile(stream, "r"), compression=codec)
        return decompressed  # type: ignore[no-any-return]

    return opened


FORMATS: tuple[tuple[bytes, Callable[[Stream], Readable], str], ...] = (
    (b"\x1f\x8b", _gzip, "gzip"),
    (b"\xfd7zXZ\x00", _xz, "xz"),
    (b"BZh", _bzip2, "bzip2"),
    (b"\x28\xb5\x2f\xfd", _arrow("zstd"), "zstd"),
    (b"\x04\x22\x4d\x18", _arrow("lz4"), "lz4"),
)
