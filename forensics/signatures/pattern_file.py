"""Read one pattern file, or name every mistake in it with its key and line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import regex  # type: ignore[import-untyped]

from forensics.model.signature import Signature
from forensics.signatures.pattern import COLUMNS, ENGINES, REGEX, RUST, SEVERITIES, Example, Pattern, Value
from forensics.signatures.prefilter import required
from forensics.signatures.slow_expression import slowness
from forensics.toml_file import Mistake, Table, UnreadableError, read_toml

_KEYS = (
    "id",
    "title",
    "severity",
    "restart_helps",
    "restart_helps_when",
    "cause",
    "remedy",
    "references",
    "explains",
    "engine",
    "general",
    "match",
    "example",
    "counterexample",
)
GENERALITIES = (0, 1, 2, 3)
_ID_PART = re.compile(r"[a-z0-9][a-z0-9-]*")


def read_pattern(file: Path, directory: Path, *, compiles: bool = False) -> tuple[Pattern | None, list[Mistake]]:
    """Read the pattern of `file`, whose id is its path below `directory`; None with the mistakes of the file.

    compiles: its expressions are known to, which saves the time to try.
    """
    try:
        table = read_toml(file)
    except UnreadableError as error:
        return None, [error.mistake]
    pattern = _pattern(table, id_of_path(file, directory), compiles=compiles)
    return (None if table.mistakes else pattern), table.mistakes


def id_of_path(file: Path, directory: Path) -> str:
    """torch/abi-mismatch.toml → torch.abi-mismatch"""
    return ".".join(file.relative_to(directory).with_suffix("").parts)


def compile_problem(expression: str, engine: str) -> str | None:
    """Why the engine refuses an expression, in one line; None when it compiles."""
    try:
        if engine == REGEX:
            regex.compile(expression)
        else:
            pl.Series([""]).str.contains(expression)
    except regex.error as error:
        return str(error)
    except pl.exceptions.ComputeError as error:
        reasons = re.findall(r"^error: (.+)$", str(error), re.MULTILINE) or str(error).splitlines()
        return f'{reasons[0]} (Rust regex syntax; look-around needs engine = "regex")'
    return None


def _all_compile(expressions: Sequence[str], engine: str) -> bool:
    """Whether the Rust engine takes all of them, at half the cost of asking for each."""
    if engine == REGEX:
        return False
    try:
        pl.select(pl.lit("").str.contains(expression).alias(str(number)) for number, expression in enumerate(expressions))
    except pl.exceptions.ComputeError:
        return False
    return True


def _pattern(table: Table, path_id: str, *, compiles: bool) -> Pattern:
    table.refuse_unknown_keys(_KEYS)
    if not all(_ID_PART.fullmatch(part) for part in path_id.split(".")):
        table.refuse("id", f"the path gives {path_id!r}; use lower-case words with hyphens")
    if (id_ := table.string("id")) not in {"", path_id}:
        table.refuse("id", f"is {id_!r}, but the file's path gives {path_id!r}")
    engine = table.choice("engine", ENGINES, RUST)
    messages, columns = _match(table, None if compiles else engine)
    return Pattern(
        signature=_signature(table, path_id),
        file=table.file,
        messages=messages,
        columns=columns,
        engine=engine,
        explains=table.strings("explains", (), or_string=True),
        general=_generality(table),
        examples=_examples(table, "example"),
        counterexamples=_examples(table, "counterexample"),
        literals=tuple(required(message) for message in messages),
    )


def _generality(table: Table) -> int:
    value = table.values.get("general", 0)
    if value not in GENERALITIES or isinstance(value, bool):
        table.refuse("general", f"must be one of {', '.join(map(str, GENERALITIES))}")
        return 0
    return int(value)


def _signature(table: Table, path_id: str) -> Signature:
    helps, when = table.boolean("restart_helps"), table.string("restart_helps_when", "").strip()
    if when and not helps:
        table.refuse("restart_helps_when", "needs restart_helps = true")
    return Signature(
        id=path_id,
        title=table.string("title"),
        severity=table.choice("severity", SEVERITIES),
        restart_helps=helps,
        restart_helps_when=when,
        cause=table.string("cause").strip(),
        remedy=table.string("remedy").strip(),
        references=table.strings("references", (), or_string=True),
    )


def _match(table: Table, engine: str | None) -> tuple[tuple[str, ...], dict[str, tuple[Value, ...]]]:
    """Read what an event must have. engine: compiles the expressions, null when they are known to compile."""
    match = table.table("match")
    if not match.values:
        if isinstance(table.values.get("match", {}), dict):
            table.refuse("match", "must be a table with at least one key")
        return (), {}
    match.refuse_unknown_keys(("message", *COLUMNS))
    messages = match.strings("message", or_string=True) if "message" in match.values else ()
    if engine is not None and not _all_compile(messages, engine):
        for message in messages:
            if problem := compile_problem(message, engine):
                match.refuse("message", f"{message!r} does not compile: {problem}")
    if engine is not None:
        for message in messages:
            if compile_problem(message, engine) is None and (problem := slowness(message, engine)):
                match.refuse("message", f"{message!r} is too slow: {problem}")
    return messages, {name: _column(match, name) for name in COLUMNS if name in match.values}


def _column(table: Table, name: str) -> tuple[Value, ...]:
    """Read the values that an event may have in a column."""
    value, dtype = table.values[name], COLUMNS[name]
    values = value if isinstance(value, list) else [value]
    expected = int if dtype.is_integer() else str
    if not values or not all(type(part) is expected for part in values):
        table.refuse(name, f"must be a {'number' if expected is int else 'string'} or a list of them")
        return ()
    if isinstance(dtype, pl.Enum) and not set(values) <= set(dtype.categories):
        table.refuse(name, f"must be one of {', '.join(dtype.categories)}")
    return tuple(values)


def _examples(table: Table, kind: str) -> tuple[Example, ...]:
    rows = table.tables(kind)
    if not rows and table.values.get(kind, []) == []:
        table.refuse(kind, f"at least one [[{kind}]] is needed")
    return tuple(_example(row, kind) for row in rows)


def _example(row: Table, kind: str) -> Example:
    extra = "captures" if kind == "example" else "why"
    row.refuse_unknown_keys(("message", extra, *COLUMNS))
    columns: dict[str, Value] = {}
    for name in COLUMNS:
        if name in row.values and len(values := _column(row, name)) == 1:
            columns[name] = values[0]
    why = row.string("why") if kind == "counterexample" else None
    return Example(row.string("message"), columns, _captures(row), why)


def _captures(row: Table) -> Mapping[str, Any]:
    captures: Mapping[str, Any] = row.values.get("captures", {})
    if isinstance(captures, dict) and all(isinstance(value, str) for value in captures.values()):
        return captures
    row.refuse("captures", "must be a table of strings")
    return {}
