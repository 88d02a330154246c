"""Show quoted entries as whole events, with the lines of the same attempt around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.incidents.inputs import Inputs
from forensics.model.values import Bin, Evidence, Phase
from forensics.sanitize import key_blocks

AFTER = 3  # lines
BEFORE = 12  # lines: the last three are shown; those before them show which of these is a secret, as "Your API key is:" does
BLOCK = 100  # entries before an event in which a private key may begin that goes on in the lines before it
MOST_LINES = 60  # of an event
MOST_CHARACTERS = 24_600  # of a line: as many as are searched for secrets, so that none is cut in half where it is shown
MOST_PIECES = 2_000  # of evidence, 0.3 ms each; further pieces are quoted without what is around them
MOST_IN_ALL = 8_000_000  # characters of a whole report; evidence after that is quoted without what is around it
NEAR = 2_000  # entries of the journal before and after in which lines are looked for
_HEAD, _TAIL, _BESIDE = 15, 15, 10  # lines that are kept of a longer event: the first, the last, and those beside the deciding one

Tree = TypeVar("Tree")


class Event(NamedTuple):
    """The event that an entry decides. since, until: times of its first and last line."""

    attempt: int
    text: str
    root: str | None
    rows: int
    since: int
    until: int


def with_context(tree: Tree, inputs: Inputs) -> Tree:
    """Complete every piece of evidence in a tree of dataclasses, tuples and mappings."""
    rows = list(dict.fromkeys(evidence.row for evidence in _evidence_in(tree) if evidence.row is not None))[:MOST_PIECES]
    if not rows:
        return tree
    journal = _Journal(inputs.entries, inputs.attempts, _events(inputs.events, rows))
    left, quoted = MOST_IN_ALL, {}
    for row in rows:
        around = journal.around(row)
        left -= sum(map(len, (*around.before, *around.event, *around.after)))
        if left < 0:
            break
        quoted[row] = around
    return _mapped(tree, quoted)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class _Around:
    before: tuple[str, ...] = ()
    event: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    decides: int = 0


def _events(events: pl.DataFrame, rows: Sequence[int]) -> dict[int, Event]:
    chosen = events.filter(pl.col("row").is_in(rows)).unique("row", keep="first", maintain_order=True)
    times = pl.col("time", "until").dt.timestamp("us")
    return {row: Event(*values) for row, *values in chosen.select("row", "attempt", "text", "root", "rows", times).iter_rows()}


class Line(NamedTuple):
    """An entry near a quoted one."""

    row: int
    invocation: str | None
    pid: int | None
    stream: str | None
    time: int
    message: str | None


@dataclass(frozen=True)
class _Journal:
    """The entries and attempts in which lines are looked for, and the events of the quoted entries by row."""

    entries: pl.DataFrame
    attempts: pl.DataFrame
    events: Mapping[int, Event]

    def around(self, row: int) -> _Around:
        """Find the whole event of an entry, and the lines of its attempt around it."""
        event = self.events.get(row)
        near = self._same_attempt(row, event)
        own = next(line for line in near if line.row == row)
        members = [line.row for line in near if _is_member(line, own, event)]
        message = own.message or ""
        lines, decides = _whole(message, event)
        before = [line.message or "" for line in near if line.row < members[0]][-BLOCK:]
        after = [line.message or "" for line in near if line.row > members[-1]][:BLOCK]
        whole = [line.message or "" for line in near if members[0] <= line.row <= members[-1]]
        return _Around(
            before=() if _in_key(before) else _lines(before[-BEFORE:])[-BEFORE:],
            event=lines if len(lines) > 1 or lines[0] != message else (),
            after=_lines(_behind_key(after) if _in_key([*before, *whole]) else after)[:AFTER],
            decides=decides,
        )

    @cached_property
    def _columns(self) -> list[pl.Series]:
        """Unit, manager and boot, as the numbers of these categories."""
        return [self.entries[name].to_physical() for name in ("unit", "manager", "boot")]

    @cached_property
    def _fields(self) -> pl.DataFrame:
        return self.entries.select("invocation", "pid", "stream", pl.col("time").to_physical(), "message")

    def _same_attempt(self, row: int, event: Event | None) -> list[Line]:
        """List the entries near this one that are about the same unit and invocation, itself among them."""
        low = max(0, row - NEAR)
        same = np.all([_equal(column.slice(low, row - low + NEAR + 1), column[row]) for column in self._columns], axis=0)
        near = np.flatnonzero(same) + low
        at, most = int(np.searchsorted(near, row)), BLOCK + (1 if event is None else event.rows)
        near = near[max(0, at - most) : at + most + 1]
        lines = [Line(*line) for line in zip(near.tolist(), *(column.to_list() for column in self._fields[near]), strict=True)]
        own = next(line for line in lines if line.row == row)
        if self._columns[0][row] is None or (own.invocation is None and event is None):
            return [own]
        if event is not None and own.invocation is None:
            first, last = self.attempts["first_row"][event.attempt], self.attempts["last_row"][event.attempt]
            return [line for line in lines if first <= line.row <= last or line.row == row]
        return [line for line in lines if line.invocation == own.invocation]


def _is_member(line: Line, own: Line, event: Event | None) -> bool:
    """Whether an event was reassembled from this entry too."""
    if event is None or event.rows <= 1:
        return line.row == own.row
    return line.row == own.row or (line[2:4] == own[2:4] and event.since <= line.time <= event.until)


def _in_key(messages: Sequence[str]) -> bool:
    """Whether a private key that is logged line by line goes on after these messages: nothing else gives its lines away."""
    begun = False
    for message in messages:
        begun = (begun and not key_blocks.ends(message)) or key_blocks.begins(message) is not None
    return begun


def _behind_key(messages: Sequence[str]) -> Sequence[str]:
    """Leave out the rest of a private key."""
    end = next((k for k, message in enumerate(messages) if key_blocks.ends(message)), len(messages))
    return messages[end + 1 :]


def _lines(messages: Sequence[str]) -> tuple[str, ...]:
    return tuple(line[:MOST_CHARACTERS] for text in messages for line in text.split("\n") if line.strip())


def _equal(column: pl.Series, own: int | None) -> npt.NDArray[np.bool_]:
    """Whether each number of a column is this one; null equals null."""
    numbers = column.to_numpy()  # with NaN for null, where there is one
    return np.isnan(numbers) if own is None else np.asarray(numbers == own)


def _whole(message: str, event: Event | None) -> tuple[tuple[str, ...], int]:
    """Return the lines of an event, of a long one those that matter, and which of them is the deciding one."""
    text = message if event is None or not event.text else event.text
    lines = [line[:MOST_CHARACTERS] for line in text.rstrip("\n").split("\n")]
    decides = _deciding(lines, message, event) if len(lines) > 1 else 0
    if len(lines) <= MOST_LINES:
        return tuple(lines), decides
    kept = [k for k in range(len(lines)) if k < _HEAD or k >= len(lines) - _TAIL or abs(k - decides) <= _BESIDE]
    shown: list[str] = []
    at = previous = 0
    for k in kept:
        if k > previous + 1:
            shown.append(f"… {k - previous - 1:,} more lines …")
        at = len(shown) if k == decides else at
        shown.append(lines[k])
        previous = k
    return tuple(shown), at


def _deciding(lines: Sequence[str], message: str, event: Event | None) -> int:
    """Find the entry's line in a reassembled event; in an entry of several lines the exception's."""
    wanted = [message.split("\n", maxsplit=1)[0].strip()] if event is not None and event.rows > 1 else []
    wanted += [event.root[:500]] if event is not None and event.root else []
    for text in filter(None, wanted):
        if (found := next((k for k, line in enumerate(lines) if text in line), None)) is not None:
            return found
    return 0


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Name the fields of a dataclass that may hold evidence; none of any other type."""
    return () if kind in (Bin, Phase) or not is_dataclass(kind) else tuple(item.name for item in fields(kind))


def _evidence_in(value: Any) -> Iterator[Evidence]:
    if isinstance(value, Evidence):
        yield value
    elif names := _names(value.__class__):
        for name in names:
            yield from _evidence_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _evidence_in(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _evidence_in(item)


def _mapped(value: Any, quoted: Mapping[int, _Around]) -> Any:
    """Complete the evidence; parts without any stay the same object."""
    if isinstance(value, Evidence):
        around = quoted.get(-1 if value.row is None else value.row)
        if around is None:
            return value
        return replace(value, before=around.before, event=around.event, after=around.after, decides=around.decides)
    if names := _names(value.__class__):
        changed = {name: new for name in names if (new := _mapped(old := getattr(value, name), quoted)) is not old}
        return replace(value, **changed) if changed else value
    if isinstance(value, tuple):
        items = tuple(_mapped(item, quoted) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if isinstance(value, Mapping):
        mapped = {key: _mapped(item, quoted) for key, item in value.items()}
        return value if all(mapped[key] is value[key] for key in mapped) else mapped
    return value
