"""Read a user's TOML file and collect every mistake in it with its line and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.files import NotReadableError, read_bounded

# Strings (a multi-line one may end in two quotes of its own) and comments, so that neither a `#` in a string nor a key in a multi-line
# string is mistaken for one.
# A string that never ends (there is none in valid TOML) is taken to its last character, so that no text is searched twice.
STRING = r'''(?:"""(?:\\.|[^\\])*?(?:"{3,5}|\\?\Z)|\'{3}.*?(?:\'{3,5}|\Z)|"(?:\\.|[^"\\\n])*+"?|\'[^\'\n]*+\'?)'''
COMMENT = r"#[^\n]*"
_TOKEN = re.compile(f"{STRING}|{COMMENT}", re.DOTALL)
_HEADING = re.compile(r"\s*(\[\[?)([^\[\]=]+)\]")
_KEY = re.compile(r"\s*+([^=\[\]{},\s]++(?:\s++[^=\[\]{},\s]++)*+)\s*+=")
_LAST_STEP = re.compile(r"\[\d+\]$|\.?[^.\[\]]+$|.$", re.DOTALL)
LONGEST_FILE = 1 << 20  # bytes
LONGEST_KEY = 100  # characters of a key in a message
MOST_SHOWN = 100  # mistakes
MOST_PARTS = 100  # of a dotted key: tomllib's cost grows with the square of its depth, and half a million parts fit into a file
_PART = r"""(?:[\w-]++|"[^"]*+"|'[^']*+')"""
_TOO_DEEP = re.compile(rf"""(?<![\w"'-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MOST_PARTS}}}""")


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong with a key of a file; line is None when the text does not show it."""

    file: Path
    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}" if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class UnreadableError(UsageError):
    """The file cannot be read, or not as TOML."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(f"{mistake}.")
        self.mistake = mistake


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a file. A getter that finds something else adds a mistake to the file's and returns an empty value.

    A key without a default is required. No mistake quotes a value: it may be a secret.
    """

    file: Path
    text: str
    values: Mapping[str, Any]
    mistakes: list[Mistake] = field(default_factory=list)  # shared by all tables of the file
    prefix: str = ""  # "", "match." or "example[1]."

    def refuse(self, key: str, text: str) -> None:
        """Add a mistake about a key of this table; about the table itself for an empty key."""
        path = f"{self.prefix}{key}".rstrip(".")
        line = _line_of(path, self.text) if len(path) <= LONGEST_KEY else None
        path = path if len(path) <= LONGEST_KEY else f"{path[:LONGEST_KEY]}…"
        self.mistakes.append(Mistake(self.file, line, path if path.isprintable() else ascii(path)[1:-1], text))

    def refuse_unknown_keys(self, allowed: Iterable[str]) -> None:
        expected = tuple(allowed)
        for key in self.values:
            if key not in expected:
                self.refuse(key, f"unknown key; expected {', '.join(expected)}")

    def string(self, key: str, default: str | None = None, *, may_be_blank: bool = False) -> str:
        value = self._value(key, default)
        if value is None or (isinstance(value, str) and (may_be_blank or value == default or value.strip())):
            return value or ""
        self.refuse(key, f"must be a {'' if may_be_blank else 'non-empty '}string")
        return ""

    def strings(self, key: str, default: Sequence[str] | None = None, *, or_string: bool = False) -> tuple[str, ...]:
        """Return a list of non-empty strings, itself empty only where there is a default; `or_string` takes a single one for a list."""
        value = self._value(key, default)
        if value is None or value is default:
            return tuple(value or ())
        values = [value] if or_string and isinstance(value, str) else value
        if isinstance(values, list) and (values or default is not None) and all(isinstance(part, str) and part for part in values):
            return tuple(values)
        self.refuse(key, f"must be a {'string or a ' if or_string else ''}list of strings, none of them empty")
        return ()

    def boolean(self, key: str, default: bool | None = None) -> bool:
        value = self._value(key, default)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse(key, "must be true or false")
        return False

    def choice(self, key: str, choices: Iterable[str], default: str | None = None) -> str:
        value, allowed = self._value(key, default), tuple(choices)
        if value is None or (isinstance(value, str) and value in allowed):
            return value or ""
        self.refuse(key, f"must be one of {', '.join(allowed)}")
        return ""

    def table(self, key: str) -> Table:
        """Return the table `key`, an empty one where the file has none."""
        value = self._value(key, {})
        if isinstance(value, dict):
            return self._below(key, value)
        self.refuse(key, f"must be a table: [{self.prefix}{key}]")
        return self._below(key, {})

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return the tables that are written as [[key]]."""
        value = self._value(key, [])
        if isinstance(value, list) and all(isinstance(row, dict) for row in value):
            return tuple(self._below(f"{key}[{number}]", row) for number, row in enumerate(value))
        self.refuse(key, f"must be written as [[{key}]]")
        return ()

    def _value(self, key: str, default: Any) -> Any:
        if key not in self.values and default is None:
            self.refuse(key, "is missing")
        return self.values.get(key, default)

    def _below(self, key: str, values: Mapping[str, Any]) -> Table:
        return Table(self.file, self.text, values, self.mistakes, f"{self.prefix}{key}.")


def read_toml(file: Path) -> Table:
    """Read a file's top-level table. Raises UnreadableError."""
    return parse_toml(file, read_utf8(file))


def read_utf8(file: Path) -> str:
    """Read a file as text. Raises UnreadableError."""
    try:
        return read_bounded(file, LONGEST_FILE).decode()
    except NotReadableError as error:
        raise UnreadableError(Mistake(file, None, "", str(error))) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UnreadableError(Mistake(file, line, "", f"is not UTF-8 at byte {error.start}")) from None


def parse_toml(file: Path, text: str) -> Table:
    """Parse the text of `file`. Raises UnreadableError."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") >= MOST_PARTS and _TOO_DEEP.search(line):
            raise UnreadableError(Mistake(file, number, "", f"has a key of more than {MOST_PARTS} parts"))
    try:
        return Table(file, text, tomllib.loads(text))
    except RecursionError:
        raise UnreadableError(Mistake(file, None, "", "is not TOML: its values are nested too deeply")) from None
    except ValueError as error:  # also a number of too many digits
        place = re.search(r"at line (\d+)", str(error))
        raise UnreadableError(Mistake(file, int(place[1]) if place else None, "", f"is not TOML: {error}")) from None


def format_mistakes(mistakes: Sequence[Mistake], where: str) -> str:
    """List all mistakes in one message for the user."""
    lines = "\n".join(f"  {mistake}" for mistake in mistakes[:MOST_SHOWN])
    lines += f"\n  … and {len(mistakes) - MOST_SHOWN} more" if len(mistakes) > MOST_SHOWN else ""
    return f"{len(mistakes)} {'mistake' if len(mistakes) == 1 else 'mistakes'} in {where}:\n{lines}"


def refuse_mistakes(table: Table) -> None:
    """Raise UsageError with every mistake in the file of `table`, if there is any."""
    if table.mistakes:
        raise UsageError(format_mistakes(table.mistakes, table.file.name))


def _line_of(key: str, text: str) -> int | None:
    """Find the line of `example[1].captures`, or of the nearest table around it."""
    lines = _key_lines(text)
    while key and key not in lines:
        key = _LAST_STEP.sub("", key, count=1)
    return lines.get(key)


@lru_cache(maxsize=4)  # asked again for each mistake
def _key_lines(text: str) -> dict[str, int]:
    """Map each heading and key of a TOML text to its line, counted from 1; tomllib keeps no positions."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(_TOKEN.sub(_without_content, text).split("\n"), start=1):
        if heading := _HEADING.match(line):
            table = _table_path(heading[2], counts, is_array=heading[1] == "[[")
            path = table.rstrip(".")
            lines.setdefault(path, number)
            lines.setdefault(re.sub(r"\[\d+\]$", "", path), number)  # the first of an array of tables represents all
        elif key := _KEY.match(line):
            lines.setdefault(table + ".".join(_names(key[1])), number)
    return lines


def _table_path(heading: str, counts: dict[str, int], *, is_array: bool) -> str:
    """Spell a heading with its array numbers: [example.captures] after the second [[example]] is example[1].captures."""
    path, names = "", _names(heading)
    for depth, name in enumerate(names, start=1):
        path += name
        if is_array and depth == len(names):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += f"[{counts[path]}]"
        path += "."
    return path


def _names(dotted: str) -> list[str]:
    return [name.strip().strip("\"'") for name in dotted.split(".")]


def _without_content(token: re.Match[str]) -> str:
    """Keep a string that may be a quoted key; of others, and of comments, only the line ends."""
    return token[0] if re.fullmatch(r"[\"'][\w.-]+[\"']", token[0]) else "\n" * token[0].count("\n")
