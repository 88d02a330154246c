"""One pattern file in, a Pattern out, or every mistake in the file with its key and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import regex  # type: ignore[import-untyped]

from forensics.model.values import Signature
from forensics.signatures.pattern import COLUMNS, ENGINES, REGEX, RUST, SEVERITIES, Example, Mistake, Pattern, Value

_TOP = (
    "id",
    "title",
    "severity",
    "restart_helps",
    "cause",
    "remedy",
    "references",
    "explains",
    "engine",
    "match",
    "example",
    "counterexample",
)
_ID_PART = re.compile(r"[a-z0-9][a-z0-9-]*")


def read_pattern(file: Path, folder: Path) -> tuple[Pattern | None, list[Mistake]]:
    """The pattern of `file`, whose id is its path below `folder`; null with the mistakes that stand against it."""
    try:
        text = file.read_bytes().decode()
        table = tomllib.loads(text)
    except OSError as error:
        return None, [Mistake(file, None, "", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return None, [Mistake(file, None, "", f"is not UTF-8 at byte {error.start}")]
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        return None, [Mistake(file, int(line[1]) if line else None, "", f"is not TOML: {error}")]
    reader = _Reader(file, text)
    pattern = reader.pattern(table, id_of_path(file, folder))
    return (None if reader.mistakes else pattern), reader.mistakes


def id_of_path(file: Path, folder: Path) -> str:
    """torch/abi-mismatch.toml → torch.abi-mismatch"""
    return ".".join(file.relative_to(folder).with_suffix("").parts)


class _Reader:
    """Reads the keys of one file and remembers what was wrong with them."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.lines = text.splitlines()
        self.mistakes: list[Mistake] = []

    def wrong(self, key: str, text: str) -> None:
        self.mistakes.append(Mistake(self.file, self._line(key), key, text))

    def _line(self, key: str) -> int | None:
        """Where a key stands: `title`, `match.message`, `example[1].captures`, as TOML is usually laid out."""
        table, _, rest = key.rpartition(".")
        start = 0
        if (name := re.fullmatch(r"(match|example|counterexample)(?:\[(\d+)\])?", table or key)) is not None:
            heads = [n for n, line in enumerate(self.lines) if re.match(rf"\s*\[+\s*{name[1]}\s*\]+", line)]
            number = int(name[2] or 0)
            if number >= len(heads):
                return None
            if not table:
                return heads[number] + 1
            start = heads[number]
        here = re.compile(rf"\s*[\"']?{re.escape(rest)}[\"']?\s*=")
        return next((n + 1 for n, line in enumerate(self.lines) if n >= start and here.match(line)), None)

    def pattern(self, table: Mapping[str, Any], path_id: str) -> Pattern:
        self._no_other_keys(table, _TOP, "")
        if not all(_ID_PART.fullmatch(part) for part in path_id.split(".")):
            self.wrong("id", f"the path gives {path_id!r}; use lower-case words with hyphens")
        if self._text(table, "id") not in {"", path_id}:
            self.wrong("id", f"is {table['id']!r}, but the file's path says {path_id!r}")
        engine = self._choice(table, "engine", ENGINES, RUST)
        messages, columns = self._match(table, engine)
        return Pattern(
            signature=self._signature(table, path_id),
            file=self.file,
            messages=messages,
            columns=columns,
            engine=engine,
            explains=self._texts(table, "explains"),
            examples=self._examples(table, "example"),
            counterexamples=self._examples(table, "counterexample"),
        )

    def _signature(self, table: Mapping[str, Any], path_id: str) -> Signature:
        restart_helps = table.get("restart_helps")
        if not isinstance(restart_helps, bool):
            self.wrong("restart_helps", "must be true or false")
            restart_helps = None
        return Signature(
            id=path_id,
            title=self._text(table, "title"),
            severity=self._choice(table, "severity", SEVERITIES),
            restart_helps=restart_helps,
            cause=self._text(table, "cause").strip(),
            remedy=self._text(table, "remedy").strip(),
            references=self._texts(table, "references"),
        )

    def _match(self, table: Mapping[str, Any], engine: str) -> tuple[tuple[str, ...], dict[str, tuple[Value, ...]]]:
        match = table.get("match")
        if not isinstance(match, dict) or not match:
            self.wrong("match", "must be a table with at least one key")
            return (), {}
        self._no_other_keys(match, ("message", *COLUMNS), "match.")
        messages = self._strings(match["message"], "match.message") if "message" in match else ()
        for message in messages:
            self._compiles(message, engine)
        return messages, {name: self._column(match[name], name, f"match.{name}") for name in COLUMNS if name in match}

    def _compiles(self, expression: str, engine: str) -> None:
        if problem := compile_problem(expression, engine):
            self.wrong("match.message", f"{expression!r} does not compile: {problem}")

    def _column(self, value: Any, name: str, key: str) -> tuple[Value, ...]:
        values = value if isinstance(value, list) else [value]
        wanted = int if COLUMNS[name].is_integer() else str
        if not values or not all(type(one) is wanted for one in values):
            self.wrong(key, f"must be a {'number' if wanted is int else 'string'} or a list of them")
            return ()
        dtype = COLUMNS[name]
        if isinstance(dtype, pl.Enum) and (unknown := [one for one in values if one not in dtype.categories]):
            self.wrong(key, f"{unknown[0]!r} is none of {', '.join(dtype.categories)}")
        return tuple(values)

    def _examples(self, table: Mapping[str, Any], kind: str) -> tuple[Example, ...]:
        rows = table.get(kind)
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            self.wrong(kind, f"at least one [[{kind}]] is needed")
            return ()
        return tuple(self._example(row, kind, f"{kind}[{number}].") for number, row in enumerate(rows))

    def _example(self, row: Mapping[str, Any], kind: str, prefix: str) -> Example:
        extra = "captures" if kind == "example" else "why"
        self._no_other_keys(row, ("message", extra, *COLUMNS), prefix)
        captures = row.get("captures", {})
        if not isinstance(captures, dict) or not all(isinstance(value, str) for value in captures.values()):
            self.wrong(f"{prefix}captures", "must be a table of strings")
            captures = {}
        columns: dict[str, Value] = {}
        for name in COLUMNS:
            if name in row and len(values := self._column(row[name], name, prefix + name)) == 1:
                columns[name] = values[0]
        why = self._text(row, "why", prefix) if kind == "counterexample" else None
        return Example(self._text(row, "message", prefix), columns, captures, why)

    def _no_other_keys(self, table: Mapping[str, Any], known: Sequence[str], prefix: str) -> None:
        for key in table:
            if key not in known:
                self.wrong(prefix + key, f"is not a key; known here: {', '.join(known)}")

    def _text(self, table: Mapping[str, Any], key: str, prefix: str = "") -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value.strip():
            self.wrong(prefix + key, "must be a text that is not empty")
            return ""
        return value

    def _texts(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        return self._strings(value, key) if value != [] else ()

    def _strings(self, value: Any, key: str) -> tuple[str, ...]:
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not values or not all(isinstance(one, str) and one for one in values):
            self.wrong(key, "must be a string or a list of strings, none of them empty")
            return ()
        return tuple(values)

    def _choice(self, table: Mapping[str, Any], key: str, choices: Sequence[str], default: str = "") -> str:
        value = table.get(key, default)
        if value not in choices:
            self.wrong(key, f"must be one of {', '.join(choices)}")
            return default
        return str(value)


def compile_problem(expression: str, engine: str) -> str | None:
    """Why the engine refuses an expression, in one line; null when it compiles."""
    try:
        if engine == REGEX:
            regex.compile(expression)
        else:
            pl.Series([""]).str.contains(expression)
    except regex.error as error:
        return str(error)
    except pl.exceptions.ComputeError as error:
        reasons = re.findall(r"^error: (.+)$", str(error), re.MULTILINE) or str(error).splitlines()
        return f'{reasons[0]} (the Rust dialect is meant; look-around needs engine = "regex")'
    return None
