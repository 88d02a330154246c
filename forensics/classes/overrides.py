"""The user's overrides of failure classes: merged ids, kept names, own titles, in `classes.toml`.

[[merge]] into, ids · [[pin]] id, name, kind, text, root, last · [[rename]] id, title. A pin keeps a line of its class, so that a later
version with other masks, and so another id, still finds it. New tables are appended, undone ones cut out; the rest of the file, comments
included, is not touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from forensics.errors import UsageError
from forensics.files import write_atomically
from forensics.model.values import Signature
from forensics.signatures import Labelled, naming
from forensics.toml_file import Table, parse_toml, read_utf8, refuse_mistakes

Row = dict[str, Any]
KEYS: dict[str, dict[str, type]] = {
    "merge": {"into": str, "ids": list},
    "pin": {"id": str, "name": str, "kind": str, "text": str, "root": str, "last": str},
    "rename": {"id": str, "title": str},
}
OPTIONAL = {"root", "last"}
HEAD = """\
# Your overrides of failure classes; written by `tabby-forensics classes merge|split|pin|rename`, read by report, explain and classes.
# [[merge]] shows the classes `ids` as the class `into`. [[pin]] keeps an id and gives it a name; `text` is one of its lines, so that a
# later version that computes another id still finds it. [[rename]] gives a title. You may edit this file; comments are kept.
"""


@dataclass(frozen=True, slots=True)
class Overrides:
    """aliases: id → the id it is shown as. titles: id → the user's title. pinned: ids that keep their name."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()

    def shown_as(self, signature: str) -> str:
        """Follow the merges of merges to the last id; a circle ends where it began to repeat."""
        visited = {signature}
        while (target := self.aliases.get(signature)) is not None and target not in visited:
            visited.add(target)
            signature = target
        return signature


def read_overrides(file: Path) -> Overrides:
    """Read the overrides in `file`, none when it does not exist. Raises UsageError with every mistake."""
    tables = _tables(file, _text(file))
    aliases = {id_: table["into"] for table in tables["merge"] for id_ in table["ids"]}
    pins = tables["pin"]
    aliases |= {now: pin["id"] for pin, now in zip(pins, _ids_now(pins), strict=True) if now != pin["id"] and now not in aliases}
    titles = {pin["id"]: pin["name"] for pin in pins} | {table["id"]: table["title"] for table in tables["rename"]}
    return Overrides(aliases, titles, frozenset(pin["id"] for pin in pins))


def apply_overrides(labelled: Labelled, overrides: Overrides) -> Labelled:
    """Replace merged and renamed ids and titles in all labels."""
    if not overrides.aliases and not overrides.titles:
        return labelled
    used = sorted(set(labelled.signatures) | set(labelled.labels["signature"]))
    shown = {id_: overrides.shown_as(id_) for id_ in used}
    moved = {id_: target for id_, target in shown.items() if id_ != target}
    labels, events = labelled.labels, labelled.events
    if moved:
        of_secondary = pl.element().struct.with_fields(pl.field("signature").replace(moved))
        labels = labels.with_columns(pl.col("signature").replace(moved), pl.col("secondary").list.eval(of_secondary))
        events = events.with_columns(pl.col("signature").replace(moved))
    signatures: dict[str, Signature] = {}
    for id_ in used:
        signature = labelled.signatures.get(shown[id_]) or labelled.signatures.get(id_)
        if signature is not None:
            title = overrides.titles.get(shown[id_], signature.title)
            signatures[shown[id_]] = replace(signature, id=shown[id_], title=title)
    return replace(labelled, labels=labels, events=events, signatures=dict(sorted(signatures.items())))


def merge(file: Path, into: str, ids: tuple[str, ...]) -> None:
    """Show `ids` as `into` from now on."""
    others = tuple(id_ for id_ in dict.fromkeys(ids) if id_ != into)
    if not others:
        raise UsageError("Name at least one other class to merge.")
    if read_overrides(file).shown_as(into) in others:
        raise UsageError(f"'{into}' is already shown as one of these; split it first.")
    _write(file, _text(file) + _block("merge", {"into": into, "ids": list(others)}))


def split(file: Path, id_: str) -> int:
    """Undo the merges that `id_` is part of, on either side; return how many."""
    return _cut(file, "merge", lambda table: table["into"] == id_ or id_ in table["ids"])


def pin(file: Path, id_: str, name: str, example: Mapping[str, str | None]) -> None:
    """Keep `id_` under `name`; `example` is the kind, text, root and last of one of its events."""
    _cut(file, "pin", lambda table: table["id"] == id_)
    kept = {key: value for key in ("kind", "text", "root", "last") if (value := example.get(key)) is not None}
    _write(file, _text(file) + _block("pin", {"id": id_, "name": name, **kept}))


def rename(file: Path, id_: str, title: str) -> None:
    """Give `id_` a new title."""
    _cut(file, "rename", lambda table: table["id"] == id_)
    _write(file, _text(file) + _block("rename", {"id": id_, "title": title}))


def _ids_now(pins: list[Row]) -> list[str]:
    """Compute the ids that this version gives to the lines of the pins."""
    if not pins:
        return []
    columns = {name: pl.Series([pin.get(name) for pin in pins], dtype=pl.String) for name in ("kind", "text", "root", "last")}
    events = pl.DataFrame(columns).with_row_index("event")
    return naming.mined(events).sort("event")["signature"].to_list()


def _text(file: Path) -> str:
    return read_utf8(file) if file.exists() else HEAD


def _tables(file: Path, text: str) -> dict[str, list[Row]]:
    """Parse the tables of a file, by their name. Raises UsageError with every mistake."""
    document = parse_toml(file, text)
    document.refuse_unknown_keys(KEYS)
    rows = {name: document.tables(name) for name in KEYS}
    for name, tables in rows.items():
        for table in tables:
            _check_row(table, KEYS[name])
    refuse_mistakes(document)
    return {name: [dict(table.values) for table in tables] for name, tables in rows.items()}


def _check_row(row: Table, keys: Mapping[str, type]) -> None:
    row.refuse_unknown_keys(keys)
    for key, kind in keys.items():
        if key in OPTIONAL and key not in row.values:
            continue
        if kind is list:
            row.strings(key)
        else:
            row.string(key, may_be_blank=True)


def _block(name: str, table: Mapping[str, object]) -> str:
    lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
    return f"\n[[{name}]]\n" + "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Write a TOML value: JSON strings are TOML strings, except that TOML escapes DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _cut(file: Path, name: str, unwanted: Callable[[Row], bool]) -> int:
    """Cut out the unwanted tables of that name, each from its heading to its last key; return how many."""
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
    """Write the file atomically, after checking that it can be read again."""
    _tables(file, text)
    file.resolve().parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text, mode=0o600)
