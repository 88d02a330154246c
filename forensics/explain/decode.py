"""Decode the bytes of a pasted log: UTF-8, UTF-16, and single bytes of Windows-1252 where the text is no UTF-8."""

from __future__ import annotations

import codecs
import re

from forensics.explain.unpack import SAMPLE, is_utf16
from forensics.sanitize.lazy_pattern import LazyPattern

_UTF8_MARK = "\ufeff"
_NO_UTF8 = LazyPattern("[\udc80-\udcff]{1,4096}")  # what "surrogateescape" makes of such bytes


def decoded(content: bytes) -> str:
    """Decode bytes to text; no byte is an error."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if is_utf16(content[:SAMPLE]):
        return content.decode("utf-16-le" if content[0] else "utf-16-be", errors="replace")
    try:
        return content.decode().removeprefix(_UTF8_MARK)
    except UnicodeDecodeError:
        return _NO_UTF8.sub(_of_windows_1252, content.decode(errors="surrogateescape")).removeprefix(_UTF8_MARK)


def _of_windows_1252(escaped: re.Match[str]) -> str:
    return escaped[0].encode(errors="surrogateescape").decode("cp1252", errors="backslashreplace")
