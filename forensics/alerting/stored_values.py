"""Turn JSON values back into the dataclasses and tuples they were made of, and refuse what does not fit them."""

from __future__ import annotations

import types
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

MOST_DEEP = 32  # the deepest of ours is five
LARGEST = 1e18  # of a number: µs since 1970 have 16 digits
_NUMBERS = {float: (int, float), int: (int,)}


def rebuilt(kind: Any, value: Any, deep: int = 0) -> Any:
    """Return `value` as a `kind`: a scalar, list, dict, union, NamedTuple or dataclass. Raises ValueError.

    Of a dataclass, fields that are missing get their default, and unknown ones are left out: another version wrote them.
    """
    if deep > MOST_DEEP:
        raise ValueError("nested too deeply")
    origin, inner = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _any_of(inner, value, deep)
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        return _dataclass(kind, value, deep)
    if isinstance(value, list):
        return _sequence(kind, value, deep + 1)
    if origin is dict and isinstance(value, dict):
        return {key: rebuilt(inner[1], part, deep + 1) for key, part in value.items()}
    if not _is_scalar(kind, value):
        raise _unexpected(kind, value)
    return value


def _sequence(kind: Any, values: list[Any], deep: int) -> Any:
    inner = get_args(kind)
    if get_origin(kind) is list:
        return [rebuilt(inner[0], value, deep) for value in values]
    is_named = hasattr(kind, "_fields")
    hints = tuple(_hints(kind).values()) if is_named else inner
    if len(hints) != len(values) or not (is_named or get_origin(kind) is tuple):
        raise _unexpected(kind, values)
    parts = [rebuilt(hint, value, deep) for hint, value in zip(hints, values, strict=True)]
    return kind(*parts) if is_named else tuple(parts)


def _is_scalar(kind: Any, value: Any) -> bool:
    if kind in _NUMBERS:
        return isinstance(value, _NUMBERS[kind]) and not isinstance(value, bool) and abs(value) < LARGEST
    return value is None if kind in {None, types.NoneType} else kind in {str, bool} and isinstance(value, kind)


def _unexpected(kind: Any, value: Any) -> ValueError:
    return ValueError(f"{type(value).__name__} where {getattr(kind, '__name__', kind)} is expected")


def _any_of(kinds: tuple[Any, ...], value: Any, deep: int) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    (kind,) = (kind for kind in kinds if kind is not types.NoneType)
    return rebuilt(kind, value, deep)


def _dataclass(kind: type, values: dict[str, Any], deep: int) -> Any:
    hints = _hints(kind)
    made = {}
    for field in _init_fields(kind):
        if field.name in values:
            made[field.name] = rebuilt(hints[field.name], values[field.name], deep + 1)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{kind.__name__} without '{field.name}'")
    return kind(**made)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _init_fields(kind: type) -> tuple[Field[Any], ...]:
    return tuple(field for field in fields(kind) if field.init)
