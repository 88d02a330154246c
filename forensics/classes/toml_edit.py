"""Change single [[tables]] of a TOML text and keep every other character, comments included.

tomlkit would move tables of one name together and drop comments with the table before them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from forensics.toml_file import COMMENT, STRING

_SPACE = re.compile(rf"(?:\s|{COMMENT})*")
_HEADING = re.compile(r"""\[\[[ \t]*["']?(\w+)["']?[ \t]*\]\]""")
_KEY = re.compile(r"""["']?(\w+)["']?[ \t]*=[ \t]*""")
_STRING = re.compile(STRING, re.DOTALL)
_IN_ARRAY = re.compile(rf"(?:[^\[\]\"'#]|{STRING}|{COMMENT})+", re.DOTALL)
_STRING_OR_COMMENT = re.compile(rf"{STRING}|({COMMENT})", re.DOTALL)

Value = str | list[str]


@dataclass(frozen=True, slots=True)
class Key:
    """Where a key and its value are in the text."""

    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class TableText:
    """Where a [[table]] is in the text, from its heading to its last value."""

    name: str
    start: int
    end: int
    keys: dict[str, Key] = field(default_factory=dict)


def table_texts(text: str) -> list[TableText] | None:
    """Find the tables of a text that consists of [[tables]] of strings and lists of strings; None for any other TOML."""
    tables: list[TableText] = []
    at = _skip(text, 0)
    while at < len(text):
        if heading := _HEADING.match(text, at):
            tables.append(TableText(heading[1], at, heading.end()))
            at = heading.end()
        elif (key := _KEY.match(text, at)) and tables and (end := _value_end(text, key.end())):
            keys = {**tables[-1].keys, key[1]: Key(at, key.end(), end)}
            tables[-1] = TableText(tables[-1].name, tables[-1].start, end, keys)
            at = end
        else:
            return None
        at = _skip(text, at)
    return tables


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _value_end(text: str, at: int) -> int | None:
    """Find the end of a string or of a list of strings."""
    if value := _STRING.match(text, at):
        return value.end()
    if text[at : at + 1] != "[":
        return None
    inside = _IN_ARRAY.match(text, at + 1)
    end = inside.end() if inside else at + 1
    return end + 1 if text[end : end + 1] == "]" else None


def appended(text: str, name: str, values: Mapping[str, Value]) -> str:
    """Add a table at the end."""
    lines = [f"[[{name}]]", *(f"{key} = {toml_value(value)}" for key, value in values.items())]
    newline = "\r\n" if "\r\n" in text else "\n"
    before = text if not text or text.endswith("\n") else text + newline
    return before + newline + "".join(line + newline for line in lines)


def removed(text: str, table: TableText) -> str:
    """Cut a table out; its comments stay, each on a line of its own."""
    newline = "\r\n" if "\r\n" in text else "\n"
    comments = [token[1] for token in _STRING_OR_COMMENT.finditer(text, table.start, table.end) if token[1]]
    before, after = text[: table.start], text[table.end :].lstrip(" \t")
    kept = "".join(comment.rstrip() + newline for comment in comments)
    if not after.startswith("#"):
        after = after.removeprefix("\r").removeprefix("\n")
        if not kept and before.endswith(newline * 2):
            before = before.removesuffix(newline)
    return before + kept + after


def changed(text: str, table: TableText, values: Mapping[str, str | None]) -> str:
    """Set the values of a table where they are; None removes a key. What follows a value on its line stays."""
    missing = [name for name, value in values.items() if value is not None and name not in table.keys]
    for name, key in sorted(table.keys.items(), key=lambda item: -item[1].start):
        if name not in values:
            continue
        value = values[name]
        text = _without_key(text, key) if value is None else text[: key.value] + toml_value(value) + text[key.end :]
    first = min(key.start for key in table.keys.values())
    newline = "\r\n" if "\r\n" in text else "\n"
    return text[:first] + "".join(f"{name} = {toml_value(values[name] or '')}{newline}" for name in missing) + text[first:]


def _without_key(text: str, key: Key) -> str:
    before, after = text[: key.start], text[key.end :].lstrip(" \t")
    return before + (after if after.startswith("#") else after.removeprefix("\r").removeprefix("\n"))


def changed_tables(text: str, tables: list[TableText], change: Callable[[str, TableText], str]) -> str:
    """Apply a change to several tables, the last one first, so that the others stay where they are."""
    for table in sorted(tables, key=lambda table: -table.start):
        text = change(text, table)
    return text


def toml_value(value: object) -> str:
    """Write a TOML value: JSON strings are TOML strings, except that TOML escapes DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
