"""Name and describe the signatures that no pattern has: unknown failures and bare exit results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

import polars as pl

from forensics.model import systemd
from forensics.model.frames import EVENTS
from forensics.model.signature import Signature
from forensics.model.text_memory import FEW, LONGEST, MOST, TextMemory
from forensics.sanitize import redacted
from forensics.sanitize.suspects import suspects
from forensics.signatures import exit_words, mask
from forensics.signatures.pattern import Catalogue
from forensics.signatures.traceback import Outline, outline

# Results of systemd's service.c.
_RESULTS = {
    "exit-code": "Exited with status {status}",
    "signal": "Killed by {signal}",
    "core-dump": "Dumped core on {signal}",
    "oom-kill": "Killed by the out-of-memory killer",
    "watchdog": "Killed by the watchdog",
    "timeout": "Timed out",
    "protocol": "Did not follow the protocol of its service type",
    "resources": "Could not be started for lack of a resource",
    "start-limit-hit": "Hit its start limit",
    "exec-condition": "Skipped by its condition",
    "dependency": "Not started, because a unit it needs did not start",
    "success": "Exited without an error",
    "unknown": "How it ended is not recorded",
}
_TEXTS = ("text", "root", "last")
_KIND_AND_TEXTS = ("kind", *_TEXTS)
Row = tuple[str | None, ...]  # _KIND_AND_TEXTS
Name = tuple[str, str, str]  # signature, title, site
_NAMES: dict[Row, Name] = {}
MINED = pl.Schema({"event": EVENTS["event"], "signature": pl.String(), "title": pl.String(), "site": pl.String()})


def mined(events: pl.DataFrame) -> pl.DataFrame:
    """Name unknown events (columns event, kind, text, root, last): MINED.

    site: equal for tracebacks that differ in their message alone; empty for a line. Secrets are replaced before all else: masks would
    leave their letters, and one failure with two secrets would be two classes.
    """
    rows = events.select(_KIND_AND_TEXTS).rows()
    names = _names_of(list(dict.fromkeys(rows)))
    return pl.DataFrame([(event, *names[row]) for event, row in zip(events["event"], rows, strict=True)], schema=MINED, orient="row")


def _names_of(rows: Sequence[Row]) -> Mapping[Row, Name]:
    """Name distinct events; the names of few and short ones are remembered, as those of a restart loop come again and again."""
    if len(rows) > FEW:
        return dict(zip(rows, _names(rows), strict=True))
    if len(_NAMES) > MOST - FEW:
        _NAMES.clear()
    missing = [row for row in rows if row not in _NAMES]
    new = dict(zip(missing, _names(missing), strict=True))
    known = {row: _NAMES[row] for row in rows if row in _NAMES}
    _NAMES.update({row: name for row, name in new.items() if sum(len(text or "") for text in row) <= LONGEST})
    return known | new


def _names(rows: Sequence[Row]) -> list[Name]:
    if not rows:  # most failures are known ones
        return []
    distinct = pl.DataFrame(rows, schema=dict.fromkeys(_KIND_AND_TEXTS, pl.String), orient="row")
    # One traceback costs about 40 µs to outline, a suspect 0.1 ms to redact; the distinct ones of an incident are few.
    may_hold = reduce(or_, (_SUSPECTED(distinct[name].fill_null(""))["suspected"] for name in _TEXTS))
    named = [
        row | redacted({name: row[name] for name in _TEXTS if row[name]}) if is_suspect else row
        for row, is_suspect in zip(distinct.iter_rows(named=True), may_hold, strict=True)
    ]
    outlines = [outline(row["text"], row["root"], row["last"]) if row["kind"] == "traceback" else None for row in named]
    messages = pl.Series([row["text"] if o is None else o.message for row, o in zip(named, outlines, strict=True)], dtype=pl.String)
    masked = mask.keys(messages)
    ids = [mask.mined_id(key if o is None else o.key(key)) for key, o in zip(masked, outlines, strict=True)]
    plain = pl.Series([key if o is None else _traceback_title(o, key) for key, o in zip(masked, outlines, strict=True)], dtype=pl.String)
    sites = ["" if o is None else mask.mined_id(o.key("")) for o in outlines]
    return list(zip(ids, mask.titles(plain), sites, strict=True))


_SUSPECTED = TextMemory(lambda texts: pl.DataFrame({"suspected": suspects(texts)}))


def _traceback_title(stack: Outline, masked_message: str) -> str:
    root = f"{stack.root}: {masked_message}" if stack.root and masked_message else stack.root or masked_message
    return root if stack.last in {"", stack.root} else f"{root} (then {stack.last})"


def mined_signature(id_: str, title: str) -> Signature:
    """Describe an unknown failure."""
    return Signature(id=id_, title=title or "An error without a message", severity="high", restart_helps=None)


def exit_signature(id_: str, catalogue: Catalogue) -> Signature:
    """Describe an end that no log line explains, by its `exit:` id, in the words of the pattern of that fault where there is one."""
    result, _, status = id_.removeprefix("exit:").partition("/")
    title = _RESULTS.get(result, f"Ended with result {result}").format(status=_status_name(status), signal=_signal_name(status))
    ordinary = Signature(id=id_, title=title, severity="info" if result == "success" else "high")
    if result == "success":
        return ordinary
    known = exit_words.described(result, status, catalogue)
    named = replace(ordinary, title=title if result in {"unknown", "dependency"} else f"{title}, no log output before the exit")
    if known is None:
        return replace(named, cause=exit_words.SILENT)
    return replace(
        named,
        restart_helps=known.restart_helps,
        restart_helps_when=known.restart_helps_when,
        cause=f"{exit_words.SILENT} {known.cause}".rstrip(),
        remedy=known.remedy,
        references=known.references,
    )


def _status_name(status: str) -> str:
    """An exit status, with the signal that a shell reports as 128 + number."""
    number = int(status) if status.isdigit() else 0
    if 128 < number <= 128 + 64 and (name := systemd.signal_name(number - 128)):
        return f"{status} ({name} of a child)"
    return status


def _signal_name(status: str) -> str:
    name = systemd.signal_name(int(status)) if status.isdigit() else ""
    return f"signal {status} ({name})" if name else f"signal {status}"
