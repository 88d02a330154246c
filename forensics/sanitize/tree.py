"""Sanitize every string in a tree of dataclasses, tuples and mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from forensics.sanitize.texts import sanitizer

# Every field of model/values.py and model/controls.py with a string is in one of these. One that is in neither is redacted, and fails a
# test.
# Texts that have words of the log in them:
LOG_TEXT = frozenset(
    {
        "message", "title", "summary", "trigger_text", "verdict", "operator_action", "reason", "notes", "evidence", "before", "event",
        "after", "value",
    }
)  # fmt: skip
# Names, ids and words of this program, and the texts of the catalogue, where placeholders such as YOUR-TOKEN must stay readable:
NEVER_REDACTED = frozenset(
    {
        "host", "hosts", "machine", "manager", "unit", "units", "caused_by", "id", "signature", "primary", "kind", "outcome", "severity",
        "downtime_method", "name", "timezone", "version", "file", "cause", "remedy", "references", "restart_helps_when",
        "machines", "control", "source", "status", "link", "assumptions", "options", "directories", "files", "what",
        "classes", "port",
    }
)  # fmt: skip

Tree = TypeVar("Tree")


def sanitized(tree: Tree, *, redact: bool) -> Tree:
    """Return the tree with all strings safe to show; one secret has one pseudonym across the whole tree."""
    texts: list[str] = []
    names: list[str] = []
    for name, text in _strings(tree):
        (names if name in NEVER_REDACTED else texts).append(text)
    redacting = sanitizer(texts, redact=redact, kept=names)
    keeping = sanitizer((), redact=False)
    return _mapped(tree, lambda name, text: keeping(text) if name in NEVER_REDACTED else redacting(text))  # type: ignore[no-any-return]


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """Names of a dataclass's fields; empty for any other type."""
    return tuple(item.name for item in fields(kind)) if is_dataclass(kind) else ()


def _strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield (field name, string) in the order of the fields."""
    if isinstance(value, str):
        yield name, value
    elif names := _names(value.__class__):
        for field in names:
            yield from _strings(getattr(value, field), field)
    elif isinstance(value, Mapping):
        for key in value:
            yield from _strings(value[key], name)
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item, name)


def _mapped(value: Any, change: Callable[[str, str], str], name: str = "") -> Any:
    """Apply `change` to all strings; parts without a changed string stay the same object. Keys of mappings are ids."""
    if isinstance(value, str):
        return change(name, value)
    if names := _names(value.__class__):
        changed = {field: new for field in names if (new := _mapped(old := getattr(value, field), change, field)) is not old}
        return replace(value, **changed) if changed else value
    if isinstance(value, Mapping):
        return {change("id", key): _mapped(item, change, name) for key, item in value.items()}
    if isinstance(value, tuple):
        items = tuple(_mapped(item, change, name) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value
