"""Write an inventory as JSON, and read it back: the same audit of it gives the same result anywhere."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from forensics.errors import UsageError
from forensics.files import NotReadableError, read_bounded

LONGEST = 64 << 20  # bytes
VERSION = 1

Value = TypeVar("Value")


class _MismatchError(Exception):
    """Where a tree is not what its type asks for."""


def as_json(value: Any) -> str:
    """Write a value of dataclasses as JSON, with the version of this form."""
    return json.dumps({"inventory_version": VERSION, **as_tree(value)}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(file: Path, kind: type[Value]) -> Value:
    """Read a value that was written by `as_json`. Raises UsageError."""
    try:
        tree = json.loads(read_bounded(file, LONGEST))
    except NotReadableError as error:
        raise UsageError(f"'{file}' {error}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"'{file}' is not JSON; give a file that --dump wrote.") from None
    version = tree.pop("inventory_version", None) if isinstance(tree, dict) else None
    if version != VERSION:
        raise UsageError(f"'{file}' is not an inventory of version {VERSION}; give a file that --dump of this version wrote.")
    try:
        return typing.cast(Value, as_value(kind, tree, ""))
    except _MismatchError as error:
        raise UsageError(f"'{file}' is not an inventory: {error}.") from None


def as_tree(value: Any) -> Any:
    """Turn dataclasses into dicts, tuples into lists and times into text; null parts are left out."""
    if is_dataclass(value):
        parts = ((part.name, getattr(value, part.name)) for part in fields(value))
        return {name: as_tree(part) for name, part in parts if part is not None}
    if isinstance(value, Mapping):
        return {name: as_tree(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [as_tree(part) for part in value]
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def as_value(kind: Any, tree: Any, path: str) -> Any:
    """Turn a tree back into a value of a type. Raises _MismatchError with the place."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return None if tree is None else as_value(next(each for each in arguments if each is not type(None)), tree, path)
    if is_dataclass(kind):
        return _as_dataclass(kind, tree, path)
    if origin is tuple:
        return _as_tuple(arguments, tree, path)
    if origin is Mapping:
        return {name: as_value(arguments[1], part, f"{path}.{name}") for name, part in _required(tree, dict, path).items()}
    if kind is datetime:
        return _as_time(tree, path)
    return _required(float(tree) if kind is float and type(tree) is int else tree, kind, path)


def _as_dataclass(kind: Any, tree: Any, path: str) -> Any:
    given, hints = _required(tree, dict, path), _hints(kind)
    values = {name: as_value(hint, given[name], f"{path}.{name}".lstrip(".")) for name, hint in hints.items() if name in given}
    empty = {name: None for name, hint in hints.items() if name not in given and type(None) in typing.get_args(hint)}
    try:
        return kind(**empty, **values)
    except TypeError:
        raise _MismatchError(f"{path or 'it'} lacks something") from None


def _as_tuple(arguments: tuple[Any, ...], tree: Any, path: str) -> tuple[Any, ...]:
    given = _required(tree, list, path)
    kinds = [arguments[0]] * len(given) if arguments[-1] is ... else list(arguments)
    if len(kinds) != len(given):
        raise _MismatchError(f"{path} has {len(given)} parts")
    return tuple(as_value(each, part, f"{path}[{number}]") for number, (each, part) in enumerate(zip(kinds, given, strict=True)))


def _as_time(tree: Any, path: str) -> datetime:
    try:
        time = datetime.fromisoformat(_required(tree, str, path))
    except ValueError:
        raise _MismatchError(f"{path} is not a time") from None
    if time.tzinfo is None:
        raise _MismatchError(f"{path} has no time zone")
    return time


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _required(tree: Any, kind: Any, path: str) -> Any:
    if not isinstance(tree, kind) or (kind is int and isinstance(tree, bool)):
        raise _MismatchError(f"{path or 'it'} is not what it should be")
    return tree
