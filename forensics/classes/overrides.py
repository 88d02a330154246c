"""What the user decided about failure classes: `classes.toml` in, labels with merged ids, kept names and own titles out.

The file has one table a decision: [[merge]] into, ids · [[pin]] id, name, kind, text, root, last · [[rename]] id, title. A pin keeps a line
of its class, so that a later version that masks otherwise, and would name the class otherwise, still finds it. New tables are appended and
undone ones cut out: what else stands in the file, comments included, stays as it is.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from forensics.errors import UsageError
from forensics.files import write_atomically
from forensics.model.values import Signature
from forensics.signatures import Labelled, naming

Table = dict[str, Any]
KEYS: dict[str, dict[str, type]] = {
    "merge": {"into": str, "ids": list},
    "pin": {"id": str, "name": str, "kind": str, "text": str, "root": str, "last": str},
    "rename": {"id": str, "title": str},
}
OPTIONAL = {"root", "last"}
HEAD = """\
# What you decided about failure classes; written by `tabby-forensics classes merge|split|pin|rename`, read by report, explain and classes.
# [[merge]] shows the classes `ids` as the class `into`. [[pin]] keeps an id and gives it a name; `text` is a line of it, by which it is
# found again when a later version names it otherwise. [[rename]] gives a title. You may edit this file; comments stay.
"""


@dataclass(frozen=True, slots=True)
class Decisions:
    """aliases: id → the id it is shown as. titles: id → the user's words. pinned: the ids that the user knows."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()

    def shown_as(self, signature: str) -> str:
        seen = {signature}
        while (target := self.aliases.get(signature)) is not None and target not in seen:
            seen.add(target)
            signature = target
        return signature


def read_decisions(file: Path) -> Decisions:
    """The decisions in `file`, none when it is not there. Raises UsageError with every mistake in it."""
    tables = _tables(file, _text(file))
    aliases = {id_: table["into"] for table in tables["merge"] for id_ in table["ids"]}
    pins = tables["pin"]
    aliases |= {now: pin["id"] for pin, now in zip(pins, _ids_now(pins), strict=True) if now != pin["id"] and now not in aliases}
    titles = {pin["id"]: pin["name"] for pin in pins} | {table["id"]: table["title"] for table in tables["rename"]}
    return Decisions(aliases, titles, frozenset(pin["id"] for pin in pins))


def applied(labelled: Labelled, decisions: Decisions) -> Labelled:
    """The same labels under the names that the user decided."""
    if not decisions.aliases and not decisions.titles:
        return labelled
    used = sorted(set(labelled.signatures) | set(labelled.labels["signature"]))
    shown = {id_: decisions.shown_as(id_) for id_ in used}
    moved = {id_: target for id_, target in shown.items() if id_ != target}
    labels, events = labelled.labels, labelled.events
    if moved:
        of_secondary = pl.element().struct.with_fields(pl.field("signature").replace(moved))
        labels = labels.with_columns(pl.col("signature").replace(moved), pl.col("secondary").list.eval(of_secondary))
        events = events.with_columns(pl.col("signature").replace(moved))
    words: dict[str, Signature] = {}
    for id_ in used:
        known = labelled.signatures.get(shown[id_]) or labelled.signatures.get(id_)
        if known is not None:
            title = decisions.titles.get(shown[id_], known.title)
            words[shown[id_]] = replace(known, id=shown[id_], title=title)
    return replace(labelled, labels=labels, events=events, signatures=dict(sorted(words.items())))


def merge(file: Path, into: str, ids: tuple[str, ...]) -> None:
    """Show `ids` as `into` from now on."""
    others = tuple(id_ for id_ in dict.fromkeys(ids) if id_ != into)
    if not others:
        raise UsageError("Name at least one other class to merge.")
    if read_decisions(file).shown_as(into) in others:
        raise UsageError(f"'{into}' is already shown as one of these; split it first.")
    _write(file, _text(file) + _block("merge", {"into": into, "ids": list(others)}))


def split(file: Path, id_: str) -> int:
    """Undo the merges that `id_` is in, as one of many or as what they are shown as; how many those were."""
    return _cut(file, "merge", lambda table: table["into"] == id_ or id_ in table["ids"])


def pin(file: Path, id_: str, name: str, example: Mapping[str, str | None]) -> None:
    """Keep `id_` under `name`; example: kind, text, root and last of an event of it."""
    _cut(file, "pin", lambda table: table["id"] == id_)
    kept = {key: value for key in ("kind", "text", "root", "last") if (value := example.get(key)) is not None}
    _write(file, _text(file) + _block("pin", {"id": id_, "name": name, **kept}))


def rename(file: Path, id_: str, title: str) -> None:
    """Give `id_` a title of the user's own."""
    _cut(file, "rename", lambda table: table["id"] == id_)
    _write(file, _text(file) + _block("rename", {"id": id_, "title": title}))


def _ids_now(pins: list[Table]) -> list[str]:
    """The ids that this version gives to the lines of the pins."""
    if not pins:
        return []
    columns = {name: pl.Series([pin.get(name) for pin in pins], dtype=pl.String) for name in ("kind", "text", "root", "last")}
    events = pl.DataFrame(columns).with_row_index("event")
    return naming.mined(events).sort("event")["signature"].to_list()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return HEAD
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: is not UTF-8 at byte {error.start}.") from None


def _tables(file: Path, text: str) -> dict[str, list[Table]]:
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file}: is not TOML: {error}.") from None
    mistakes = [f"{name}: is not a decision; there are {', '.join(KEYS)}" for name in read if name not in KEYS]
    found: dict[str, list[Table]] = {}
    for name, keys in KEYS.items():
        rows = read.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            mistakes.append(f"{name}: must be written as [[{name}]]")
            rows = []
        mistakes += [f"{name}[{n}].{wrong}" for n, row in enumerate(rows) for wrong in _mistakes(row, keys)]
        found[name] = rows
    if mistakes:
        raise UsageError(f"{len(mistakes)} {'mistake' if len(mistakes) == 1 else 'mistakes'} in {file}:\n  " + "\n  ".join(mistakes))
    return found


def _mistakes(row: Mapping[str, object], keys: Mapping[str, type]) -> list[str]:
    wrong = [f"{key}: is not a key; known here: {', '.join(keys)}" for key in row if key not in keys]
    wrong += [f"{key}: is missing" for key in keys if key not in row and key not in OPTIONAL]
    for key, kind in keys.items():
        value = row.get(key)
        if value is not None and not (
            isinstance(value, kind) and (not isinstance(value, list) or all(isinstance(one, str) for one in value))
        ):
            wrong.append(f"{key}: must be a {'list of strings' if kind is list else 'string'}")
    return wrong


def _block(name: str, table: Mapping[str, object]) -> str:
    lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
    return f"\n[[{name}]]\n" + "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A JSON string is a TOML string but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _cut(file: Path, name: str, unwanted: Callable[[Table], bool]) -> int:
    """Cut out the tables of that name for which `unwanted` holds, each from its heading to its last key."""
    text = _text(file)
    tables = _tables(file, text)[name]
    wanted = [not unwanted(table) for table in tables]
    if all(wanted):
        return 0
    number, keep, kept = -1, True, []
    for line in text.splitlines(keepends=True):
        if heading := re.match(r"\s*\[\[\s*(\w+)\s*\]\]", line):
            number += heading[1] == name
            keep = heading[1] != name or wanted[number]
        elif line.lstrip().startswith("#"):
            keep = True
        if keep:
            kept.append(line)
    _write(file, "".join(kept))
    return wanted.count(False)


def _write(file: Path, text: str) -> None:
    """Atomically, and only what can be read again."""
    _tables(file, text)
    file.resolve().parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text, mode=0o600)
