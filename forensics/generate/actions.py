"""Write action items into a TOML file that people edit; close those whose control an audit finds effective, and reopen the others.

Only the status of an item is ever changed in a file: every other character, comments included, is the user's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from forensics.classes.toml_edit import appended, toml_value
from forensics.errors import UsageError
from forensics.model.controls import EFFECTIVE, UNKNOWN, Control
from forensics.toml_file import COMMENT, STRING, Table, parse_toml, refuse_mistakes

OPEN, DONE, REOPENED = "open", "done", "reopened"
STATUSES = (OPEN, DONE, REOPENED)
PRIORITIES = ("P1", "P2", "P3")
TABLE = "action"
_STRING_OR_COMMENT = re.compile(rf"{STRING}|{COMMENT}", re.DOTALL)
_ITEM_HEADING = re.compile(rf"^[ \t]*\[\[[ \t]*{TABLE}[ \t]*\]\][^\n]*(?:\n|\Z)", re.MULTILINE)
_NEXT_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_STATUS = re.compile(r"^[ \t]*status[ \t]*=[ \t]*(?P<value>\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ActionItem:
    """Something to do so that a control of a unit becomes effective. control: its id in the audit; command: one that helps to do it."""

    id: str
    title: str
    priority: str
    control: str
    unit: str = ""
    status: str = OPEN
    owner: str = ""
    command: str = ""
    notes: str = ""


def write_actions(items: Iterable[ActionItem], head: str = "") -> str:
    """Write a file of action items; the head is made of comments."""
    text = head
    for item in items:
        text = appended(text, TABLE, _values(item))
    return text


def read_actions(text: str, file: Path = Path("actions.toml")) -> tuple[ActionItem, ...]:
    """Read the items of a file; keys that users add are allowed. Raises UsageError with every mistake."""
    table = parse_toml(file, text)
    items = tuple(_item(row) for row in table.tables(TABLE))
    refuse_mistakes(table)
    return items


def updated(items: Iterable[ActionItem], controls: Iterable[Control], unit: str = "") -> tuple[ActionItem, ...]:
    """Close the items of effective controls and reopen closed ones of others; what the audit could not check stays as it is.

    unit: the one that was audited; items of other units stay as they are.
    """
    statuses: dict[str, set[str]] = {}
    for control in controls:
        statuses.setdefault(control.id, set()).add(control.status)
    return tuple(
        replace(item, status=_status(item.status, statuses.get(item.control, {UNKNOWN}))) if item.unit in {"", unit} or not unit else item
        for item in items
    )


def merged(text: str, items: Iterable[ActionItem], file: Path = Path("actions.toml")) -> str:
    """Append the items that a file does not have; those it has stay as they are. Raises UsageError."""
    known = read_actions(text, file)
    ids = {item.id for item in known}
    return rewritten(text, (*known, *(item for item in items if item.id not in ids)), file)


def rewritten(text: str, items: Sequence[ActionItem], file: Path = Path("actions.toml")) -> str:
    """Set the statuses in the text of a file to those of its items, and append the items that it does not have.

    Raises UsageError where the file is written in a way that cannot be edited without touching more.
    """
    before = read_actions(text, file)
    known = {item.id for item in before}
    wanted = {item.id: item.status for item in items}
    changes = {number: wanted[item.id] for number, item in enumerate(before) if wanted.get(item.id, item.status) != item.status}
    changed = _with_statuses(text, changes, len(before), file)
    for item in items:
        if item.id not in known:
            changed = appended(changed, TABLE, _values(item))
    expected = [wanted.get(item.id, item.status) for item in before]
    if [item.status for item in read_actions(changed, file)][: len(before)] != expected:
        raise _cannot_be_edited(file)
    return changed


def _values(item: ActionItem) -> dict[str, str | list[str]]:
    return asdict(item)


def _item(table: Table) -> ActionItem:
    return ActionItem(
        id=table.string("id"),
        title=table.string("title", ""),
        priority=table.string("priority", "P3"),
        control=table.string("control"),
        unit=table.string("unit", ""),
        status=table.choice("status", STATUSES, OPEN),
        owner=table.string("owner", ""),
        command=table.string("command", ""),
        notes=table.string("notes", ""),
    )


def _status(now: str, found: set[str]) -> str:
    """Choose the status of an item whose control was found in these states; an open item of a missing control stays open."""
    if found == {EFFECTIVE}:
        return DONE
    return REOPENED if now == DONE and found - {EFFECTIVE, UNKNOWN} else now


def _with_statuses(text: str, changes: dict[int, str], count: int, file: Path) -> str:
    """Replace the status of the items with these numbers, the last one first, so that the others stay where they are."""
    plain = _STRING_OR_COMMENT.sub(lambda token: "_" * len(token[0]), text)
    headings = list(_ITEM_HEADING.finditer(plain))
    if len(headings) != count:
        raise _cannot_be_edited(file)
    for number, status in sorted(changes.items(), reverse=True):
        start = headings[number].end()
        following = _NEXT_TABLE.search(plain, start)
        written = _STATUS.search(plain, start, following.start() if following else len(plain))
        if written:
            text = text[: written.start("value")] + toml_value(status) + text[written.end("value") :]
        else:
            text = f"{text[:start]}status = {toml_value(status)}\n{text[start:]}"
    return text


def _cannot_be_edited(file: Path) -> UsageError:
    return UsageError(f"'{file}' cannot be edited: write each item as [[{TABLE}]] with status = \"{OPEN}\" on a line of its own.")
