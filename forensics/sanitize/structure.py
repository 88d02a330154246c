"""Report → the same Report with every string inert and, unless asked otherwise, without secrets. All formats start from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from forensics.model.values import Report
from forensics.report.options import Options
from forensics.sanitize.redact import redactor
from forensics.sanitize.text import LONGEST, cut, shown, without_controls

# Words of the catalogue and names of files: never from a log line, so placeholders in them stay readable.
_NOT_FROM_LOGS = frozenset({"signature", "primary", "cause", "remedy", "references", "file", "version", "timezone", "id"})


# Only the start of a text is searched for secrets, for only its start is shown; the rest of an endless line costs nothing.
_SEARCHED = 2 * LONGEST


def presentable(report: Report, options: Options) -> Report:
    """Controls go first, so that none can split a secret; then secrets; hidden characters and length last."""
    plain = _mapped(report, lambda _, text: without_controls(text))
    searched = (text[:_SEARCHED] for name, text in _strings(plain, "") if name not in _NOT_FROM_LOGS)
    hide = redactor(searched) if options.redact else str

    def presented(name: str, text: str) -> str:
        start, rest = text[:_SEARCHED], text[_SEARCHED:]
        return cut(shown(start if name in _NOT_FROM_LOGS else hide(start)), more=len(rest.encode(errors="replace")))

    return _mapped(plain, presented)  # type: ignore[no-any-return]


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass; none for every other type."""
    return tuple(item.name for item in fields(kind)) if is_dataclass(kind) else ()


def _strings(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every (field name, string), in the order of the fields."""
    if isinstance(value, str):
        yield name, value
    elif names := _names(value.__class__):
        for each in names:
            yield from _strings(getattr(value, each), each)
    elif isinstance(value, Mapping):
        for key in value:
            yield from _strings(value[key], name)
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item, name)


def _mapped(value: Any, change: Callable[[str, str], str], name: str = "") -> Any:
    if isinstance(value, str):
        return change(name, value)
    if names := _names(value.__class__):
        changed = {each: new for each in names if (new := _mapped(old := getattr(value, each), change, each)) is not old}
        return replace(value, **changed) if changed else value
    if isinstance(value, Mapping):
        return {change("signature", key): _mapped(each, change, name) for key, each in value.items()}
    if isinstance(value, tuple):
        items = tuple(_mapped(each, change, name) for each in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value
