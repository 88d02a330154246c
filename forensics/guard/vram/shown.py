"""Write what was found about GPU memory, for a terminal or as JSON; numbers that were not logged are called so, or null."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from forensics import wording
from forensics.guard.vram.advice import sentences
from forensics.guard.vram.configuration import described
from forensics.guard.vram.history import Failure, Held, OfUnit
from forensics.guard.vram.shortage import Shortage
from forensics.guard.vram.sizes import shown_size
from forensics.model.values import Evidence
from forensics.policy.limits import HELD_S
from forensics.sanitize import one_line

NOT_LOGGED = "not logged"
MOST_HELD, LONGEST = 5, 160
_WIDTH = 10


def as_text(found: Sequence[OfUnit]) -> str:
    """Write sections for a terminal; strings must be safe already."""
    return "\n".join("\n".join(_section(unit)) + "\n" for unit in found)


def as_json(found: Sequence[OfUnit]) -> str:
    """Write all failures; sizes are bytes, times UTC."""
    return json.dumps({"units": [_json_unit(unit) for unit in found]}, indent=2, ensure_ascii=False) + "\n"


def _section(unit: OfUnit) -> Iterator[str]:
    first, last = unit.failures[0], unit.failures[-1]
    short = last.shortage
    count = wording.plural(len(unit.failures), "shortage")
    yield f"{unit.unit} on {unit.host}: {count} of GPU memory, {wording.instant(first.time)} → {wording.instant(last.time)} UTC"
    yield _row("Asked for", _asked(unit))
    yield _row("Free", _free(short, last))
    yield _row("Held by", _holders(short))
    yield _row("Missing", _missing(short))
    yield _row("Loading", described(last.configuration) or NOT_LOGGED)
    yield _row("Evidence", _evidence(last.evidence))
    if not unit.held:
        yield _row("Held", f"no configuration was up for {wording.duration(HELD_S)} in this history, or none was logged")
    for number, held in enumerate(unit.held[:MOST_HELD]):
        yield _row("Held" if number == 0 else "", _held(held))
    for number, sentence in enumerate(sentences(unit)):
        yield _row("To do" if number == 0 else "", f"{sentence}.")


def _row(label: str, text: str) -> str:
    return f"  {label:<{_WIDTH}} {text}"


def _asked(unit: OfUnit) -> str:
    sizes = [failure.shortage.asked for failure in unit.failures if failure.shortage.asked is not None]
    last = unit.failures[-1].shortage
    gpu = f" on GPU {last.gpu}" if last.gpu is not None else ""
    if last.tokens is not None and last.asked is None:
        return f"a context of {last.tokens:,} tokens{gpu}"
    if not sizes:
        return NOT_LOGGED
    between = "" if min(sizes) == max(sizes) else f"; all: {shown_size(min(sizes))} to {shown_size(max(sizes))}"
    return f"{shown_size(last.asked)}{gpu}{between}"


def _free(short: Shortage, last: Failure) -> str:
    of = "" if short.total is None else f" of {shown_size(short.total)}"
    if short.free is not None:
        return f"{shown_size(short.free)}{of}"
    if short.tokens_that_fit is not None:
        return f"room for {short.tokens_that_fit:,} tokens"
    before = last.configuration.free_before
    return NOT_LOGGED if before is None else f"{NOT_LOGGED} then; {shown_size(before)} before loading"


def _holders(short: Shortage) -> str:
    parts = [] if short.own is None else [f"this process {shown_size(short.own)}{_of_torch(short)}"]
    parts += [f"process {pid} {shown_size(held)}" for pid, held in short.others]
    if short.unaccounted:
        parts.append(f"others {shown_size(short.unaccounted)}")
    return "; ".join(parts) or NOT_LOGGED


def _of_torch(short: Shortage) -> str:
    if short.allocated is None:
        return ""
    unused = "" if short.reserved is None else f", {shown_size(short.reserved)} kept unused"
    return f" ({shown_size(short.allocated)} by torch{unused})"


def _missing(short: Shortage) -> str:
    if short.missing is not None:
        return shown_size(short.missing) if short.missing > 0 else "nothing: more was free than was asked for"
    if short.tokens is not None and short.tokens_that_fit is not None:
        return f"room for {short.tokens - short.tokens_that_fit:,} tokens"
    return NOT_LOGGED


def _held(held: Held) -> str:
    times = wording.plural(held.times, "time")
    return f"{described(held.configuration)}: {times}, the longest {wording.duration(held.longest_s)}; {_evidence(held.evidence)}"


def _evidence(evidence: Evidence | None) -> str:
    if evidence is None:
        return NOT_LOGGED
    at = "" if evidence.offset is None else f" at {evidence.offset}"
    return f"{wording.instant(evidence.time)} UTC, {evidence.file}{at}: {one_line(evidence.message, LONGEST)}"


def _json_unit(unit: OfUnit) -> dict[str, Any]:
    return {
        "host": unit.host,
        "manager": unit.manager,
        "unit": unit.unit,
        "failures": [_json_failure(one) for one in unit.failures],
        "held": [{**asdict(one), "evidence": _json_evidence(one.evidence)} for one in unit.held],
        "advice": list(sentences(unit)),
    }


def _json_failure(one: Failure) -> dict[str, Any]:
    short = {**asdict(one.shortage), "others": [{"pid": pid, "bytes": held} for pid, held in one.shortage.others]}
    return {
        "time": one.time.isoformat(), **short, "missing": one.shortage.missing, "attempt_failed": one.ended,
        "configuration": asdict(one.configuration), "evidence": _json_evidence(one.evidence),
    }  # fmt: skip


def _json_evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    return None if evidence is None else {**asdict(evidence), "time": evidence.time.isoformat()}
