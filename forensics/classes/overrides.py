"""The user's overrides of failure classes: merged ids, kept names, own titles, in `classes.toml`.

[[merge]] into, ids · [[pin]] id, name, kind, text, root, last · [[rename]] id, title. A pin keeps a line of its class, so that a later
version with other masks, and so another id, still finds it. New tables are appended, undone ones cut out; the rest of the file, comments
included, is not touched.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from forensics.classes import toml_edit
from forensics.errors import UsageError
from forensics.files import write_atomically
from forensics.model.signature import Signature
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

    @property
    def ids(self) -> frozenset[str]:
        """All ids that the user has decided about."""
        return frozenset([*self.aliases, *self.aliases.values(), *self.titles, *self.pinned])

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
    others = [id_ for id_ in dict.fromkeys(ids) if id_ != into]
    if not others:
        raise UsageError("Name at least one other class to merge.")
    with _edited(file) as edit:
        if read_overrides(file).shown_as(into) in others:
            raise UsageError(f"'{into}' is already shown as one of these; split it first.")
        edit.tables("merge", lambda _: False)  # raises for those that are not written as [[merge]]
        edit.text = toml_edit.appended(edit.text, "merge", {"into": into, "ids": others})


def split(file: Path, id_: str) -> int:
    """Undo the merges that `id_` is part of, on either side; return how many."""
    with _edited(file) as edit:
        tables = edit.tables("merge", lambda table: table["into"] == id_ or id_ in table["ids"])
        edit.text = toml_edit.changed_tables(edit.text, tables, toml_edit.removed)
    return len(tables)


def pin(file: Path, id_: str, name: str, example: Mapping[str, str | None]) -> None:
    """Keep `id_` under `name`; `example` is the kind, text, root and last of one of its events."""
    _set(file, "pin", {"id": id_, "name": name, **{key: example.get(key) for key in ("kind", "text", "root", "last")}})


def rename(file: Path, id_: str, title: str) -> None:
    """Give `id_` a new title."""
    _set(file, "rename", {"id": id_, "title": title})


def _set(file: Path, name: str, values: Mapping[str, str | None]) -> None:
    """Change the tables of that name and id where they are, or append one."""
    with _edited(file) as edit:
        tables = edit.tables(name, lambda table: table["id"] == values["id"])
        if tables:
            edit.text = toml_edit.changed_tables(edit.text, tables, partial(toml_edit.changed, values=values))
        else:
            edit.text = toml_edit.appended(edit.text, name, {key: value for key, value in values.items() if value is not None})


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


@dataclass(slots=True)
class _Edit:
    """The text of the file while it is changed."""

    file: Path
    text: str

    def tables(self, name: str, wanted: Callable[[Row], bool]) -> list[toml_edit.TableText]:
        """Find the wanted tables of that name. Raises UsageError for tables that are not written as [[tables]]."""
        rows = _tables(self.file, self.text)[name]
        if not rows:
            return []
        texts = [table for table in toml_edit.table_texts(self.text) or () if table.name == name]
        if len(texts) != len(rows):
            raise UsageError(
                f"{self.file} cannot be changed without losing something of it: write its tables as [[{name}]], or edit it by hand."
            )
        return [table for table, row in zip(texts, rows, strict=True) if wanted(row)]


@contextmanager
def _edited(file: Path) -> Iterator[_Edit]:
    """Change the file, one process at a time; it keeps its mode and its owner."""
    target = file.resolve()  # a symbolic link stays one
    target.parent.mkdir(parents=True, exist_ok=True)
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        before = _text(file)
        edit = _Edit(file, before)
        yield edit
        if edit.text != before:
            _tables(file, edit.text)  # raises rather than write what could not be read again
            _replace(target, edit.text)
    finally:
        os.close(directory)


def _replace(target: Path, text: str) -> None:
    before = target.stat() if target.exists() else None
    write_atomically(target, text, mode=0o600)
    if before is not None:
        with suppress(PermissionError):  # only root may give a file to its owner
            os.chown(target, before.st_uid, before.st_gid)
        target.chmod(stat.S_IMODE(before.st_mode))
