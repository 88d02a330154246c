"""Parse journal records as `journalctl -o json`, `-o json-pretty`, `-o export` and `-o verbose` print them."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

TIME = "__REALTIME_TIMESTAMP"
Fields = dict[str, object]

_VERBOSE = re.compile(rb"(?m)^[^\s\[\]]{1,40} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^\n\[]{0,40} \[s=[0-9a-f]+;i=")
_OBJECTS = re.compile(
    rb"(?m)^(?:data: ?|\x1e|\[)?\s{0,20}\{\s{0,20}\"(?:__|_[A-Z]|[A-Z][A-Z_]{2})"
)  # json, json-pretty, json-sse, json-seq, an array
_HEAD = re.compile(r"[^\s\[\]]{1,40} \d{4}-\d\d-\d\d \d\d:\d\d")
_BEGINS = {b"__CURSOR", b"__REALTIME_TIMESTAMP"}
_EXPORT = re.compile(rb"(?m)^__(?:CURSOR|REALTIME_TIMESTAMP)=")
_NAME = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}")
# What stands before each line of a copy: quote marks, or the same indentation.
_MARKED = re.compile(
    rb"(?m)^(?P<mark>(?:> ?){1,8}|[ \t]{1,16})(?:__(?:CURSOR|REALTIME_TIMESTAMP)=|\{\s{0,20}(?:>[> \t]{0,20})?\"_"
    rb"|[^\s\[\]]{1,40} \d{4}-\d\d-\d\d [^\n\[]{1,60} \[s=)"
)
_CUT_FIELD = re.compile(r'"([A-Z_][A-Z0-9_]{0,63})"\s{0,20}:\s{0,20}"((?:[^"\\]|\\.){0,20000})')
LONGEST_CUT = 65_536  # characters of a record without an end
_FIELD = re.compile(r" {4}([A-Z_][A-Z0-9_]*)=(.*)")
_REALTIME = re.compile(r";t=([0-9a-f]+);")
_BYTES_SHOWN = re.compile(r"\[\d+(?:\.\d+)?[BKMG]? blob data\]")


class JournalRecord(NamedTuple):
    """One journal record. line: of its message in the text, 1-based; 0 for an entry that is not in the text."""

    line: int
    fields: Fields


class PastedLine(NamedTuple):
    """A line, as a record without its other fields. time: µs; shared: the fields that it has in common with the lines of its process."""

    line: int
    time: int
    message: str
    shared: Fields

    @property
    def fields(self) -> Fields:
        """All fields of the record."""
        time = str(self.time)
        return {TIME: time, "__MONOTONIC_TIMESTAMP": time, "MESSAGE": self.message, **self.shared}


def journal_records(content: bytes) -> list[JournalRecord] | None:
    """Parse a text in one of these formats; null when it has another one."""
    if content.lstrip()[:1] in {b"{", b"\x1e"} or _OBJECTS.search(content[:65_536]):
        records = list(_json(content))
        return records if records and {TIME, "MESSAGE"} & records[0].fields.keys() else None
    if _VERBOSE.search(content[:65_536]):
        return list(_verbose(content.decode(errors="backslashreplace")))
    return list(_export(content)) if _EXPORT.search(content[:65_536]) else None


def without_marks(content: bytes) -> bytes:
    """Remove the marks of a quoted or indented copy of journal fields; the lines stay where they are."""
    found = _MARKED.search(content[:65_536])
    if found is None:
        return b""
    mark = found["mark"]
    return b"\n".join(line.removeprefix(mark) if line.startswith(mark) else line.lstrip(b"> \t") for line in content.split(b"\n"))


def _json(content: bytes) -> Iterator[JournalRecord]:
    text = content.decode(errors="backslashreplace")
    begins = [0, *(newline.end() for newline in re.finditer("\n", text))]
    decoder = json.JSONDecoder()
    at = 0
    while (start := text.find("{", at)) >= 0:
        try:
            fields, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            at = text.find("\n", start)
            following = text.find("{", max(at, start + 1))
            fields = {} if following >= 0 else _cut_object(text[start : start + LONGEST_CUT])
            if fields:
                yield JournalRecord(bisect_right(begins, start), fields)
            if at < 0 or following < 0:
                return
            continue
        if isinstance(fields, dict):
            message = text.find('"MESSAGE"', start, at)
            yield JournalRecord(bisect_right(begins, start if message < 0 else message), fields)


def _cut_object(text: str) -> Fields:
    """The fields of an object that is cut; of the last one there may be only the beginning."""
    return {name: value.replace('\\"', '"') for name, value in _CUT_FIELD.findall(text)}


def _export(content: bytes) -> Iterator[JournalRecord]:
    fields: Fields = {}
    line = number = 1
    at = 0
    while at < len(content):
        end = content.find(b"\n", at)
        end = len(content) if end < 0 else end
        name, equals, value = content[at:end].rstrip(b"\r").partition(b"=")
        after = end + 1
        if not name and not equals:
            if fields:
                yield JournalRecord(line, fields)
            fields, line = {}, number + 1
        elif not _NAME.fullmatch(name):  # what a person wrote around it, or the rest of a field that is cut
            name = b""
        elif not equals:  # NAME, 8 bytes of length, the bytes
            size = int.from_bytes(content[end + 1 : end + 9], "little")
            value, after = content[end + 9 : end + 9 + size], min(end + 9 + size + 1, len(content))
        if name in _BEGINS and name.decode() in fields and "MESSAGE" in fields:  # the empty line between was lost
            yield JournalRecord(line, fields)
            fields = {}
        if name:
            key = name.decode(errors="backslashreplace")
            fields.setdefault(key, value.decode(errors="backslashreplace"))
            line = number if key == "MESSAGE" else line
        number += content.count(b"\n", at, after)
        at = max(after, at + 1)
    if fields:
        yield JournalRecord(line, fields)


def _verbose(text: str) -> Iterator[JournalRecord]:
    fields: Fields = {}
    line, name = 0, ""
    for number, shown in enumerate(text.split("\n"), 1):
        row = shown.rstrip("\r")
        if "[s=" in row and _HEAD.match(row):
            if fields:
                yield JournalRecord(line, fields)
            clock = _REALTIME.search(row)
            fields, line, name = {TIME: str(int(clock[1], 16))} if clock else {}, number, ""
        elif field := _FIELD.fullmatch(row):
            name = field[1]
            fields.setdefault(name, field[2])
            line = number if name == "MESSAGE" else line
        elif name and row.strip():
            fields[name] = f"{fields[name]}\n{row.strip()}"
    if fields:
        yield JournalRecord(line, fields)
