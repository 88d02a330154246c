"""A pasted log in, what failed in it out: the same entries, attempts and labels as `report` makes of a journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from json import dumps

import polars as pl

from forensics.attempts import Assembly, assemble
from forensics.classes.overrides import Decisions, applied
from forensics.explain import no_failure
from forensics.explain.as_journal import KERNEL, Pasted, as_journal
from forensics.explain.log_formats import records
from forensics.explain.records import Told, journal_records
from forensics.journal.stream import read_stream
from forensics.model.frames import ENTRIES
from forensics.model.values import Signature
from forensics.signatures import Labelled, label, nonfatal
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.pattern import Pattern

NONE = Decisions()
# Of a run whose end is only assumed, its last words alone prove no failure.
_NO_PROOF = ("exit result", "last line before the end")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What failed. signature is null when nothing did; line is 1-based, null when no line says it."""

    signature: Signature | None = None
    line: int | None = None
    text: str = ""
    why: str = ""
    captures: dict[str, str] = field(default_factory=dict)
    secondary: tuple[str, ...] = ()
    pattern: Pattern | None = None
    key_text: str = ""  # of an unknown failure: the words that its likeness is judged by


@dataclass(frozen=True, slots=True)
class Labels:
    """Every failure of a text, and where its entries stand in it."""

    entries: pl.DataFrame
    lines: Sequence[int]
    assembly: Assembly
    labelled: Labelled
    failures: pl.DataFrame  # LABELS with `unit`, of attempts that failed


def labels_of(content: bytes, catalogue: Catalogue, decisions: Decisions) -> Labels:
    """All attempts of a pasted text with their labels."""
    told = journal_records(content)
    pasted = as_journal(records(content.decode(errors="backslashreplace"))) if told is None else Pasted(tuple(told), frozenset())
    entries, lines = _entries(pasted.told)
    assembly = assemble(entries)
    labelled = applied(label(assembly.events, assembly.attempts, catalogue), decisions)
    known = assembly.attempts.select("attempt", "unit", "invocation")
    assumed = pl.col("invocation").is_in(list(pasted.assumed))
    hearsay = (pl.col("unit") == KERNEL) & ~pl.col("why").str.starts_with("catalogue")  # the kernel says ERROR of much that fails nobody
    proven = ~(assumed & (pl.col("why").is_in(_NO_PROOF) | hearsay))
    return Labels(entries, lines, assembly, labelled, labelled.labels.join(known, on="attempt").filter(pl.col("failed") & proven))


def explain(content: bytes, catalogue: Catalogue, decisions: Decisions = NONE) -> Explanation:
    """The failure class that most failed attempts of the text have, the last one of several; known words before a bare exit."""
    found = labels_of(content, catalogue, decisions)
    if found.failures.is_empty():
        return _of_unfailed(found, catalogue)
    wordless = pl.col("signature").str.starts_with("exit:")
    counts = pl.len().over("signature")
    chosen = found.failures.sort(wordless, counts, "row", descending=[False, True, True]).row(0, named=True)
    signature = found.labelled.signatures[chosen["signature"]]
    events = found.assembly.events.filter(pl.col("event").eq_missing(pl.lit(chosen["event"], pl.UInt32)))
    text = events["text"].item() if events.height else found.entries["message"][chosen["row"]]
    pattern = next((pattern for pattern in catalogue.patterns if pattern.id == signature.id), None)
    line, shown = _deciding(found, chosen["row"], text or "")
    return Explanation(
        signature=signature,
        line=line,
        text=shown,
        why=_why(chosen["why"], pattern, text or ""),
        captures=_captures(found.labelled.events, chosen["event"], signature.id),
        secondary=_secondary(found.failures, chosen["attempt"], signature.id),
        pattern=pattern,
        key_text=events["root"].item() or text or "" if events.height else "",
    )


def _of_unfailed(found: Labels, catalogue: Catalogue) -> Explanation:
    """Where no attempt failed, the text may still tell of a problem."""
    told = no_failure.find(found.entries, found.assembly.events, catalogue)
    if told is None:
        return Explanation()
    pattern = next((pattern for pattern in catalogue.patterns if pattern.id == told.signature.id), None)
    line, shown = _deciding(found, told.row, told.text)
    return Explanation(
        signature=told.signature,
        line=line,
        text=shown,
        why=_why(nonfatal.WHY[told.rule], pattern, told.text),
        captures=told.captures,
        pattern=pattern,
        key_text="" if pattern else told.key_text,
    )


def _entries(told: Sequence[Told]) -> tuple[pl.DataFrame, list[int]]:
    stream = BytesIO("\n".join(dumps(one.fields) for one in told).encode())
    batches = [pl.from_arrow(batch.table) for batch in read_stream(stream, "pasted text")] if told else []
    frames = [
        frame.select(pl.col(name).cast(kind) for name, kind in ENTRIES.items()) for frame in batches if isinstance(frame, pl.DataFrame)
    ]
    entries = pl.concat(frames) if frames else ENTRIES.to_frame()
    return entries, [one.line for one in told]


def _deciding(found: Labels, row: int, text: str) -> tuple[int | None, str]:
    """The 1-based line and its words. Of an entry of several lines the first one is named."""
    number = found.entries["offset"][row] if row < found.entries.height else None
    line = found.lines[number] if number is not None else 0
    message = found.entries["message"][row] or text
    return (line, message) if line else (None, "")


def _why(rule: str, pattern: Pattern | None, text: str) -> str:
    if pattern is None:
        return rule
    matched = (
        next((message for message in pattern.messages if pl.Series([text]).str.contains(message).item()), None)
        if pattern.engine == "rust"
        else None
    )
    return f"{rule}: {pattern.id} matches" + (f" /{matched}/" if matched else "")


def _captures(events: pl.DataFrame, event: int | None, signature: str) -> dict[str, str]:
    rows = events.filter((pl.col("event") == event) & (pl.col("signature") == signature))["captures"].to_list() if event is not None else []
    return {one["name"]: one["value"] for one in (rows[0] if rows else [])}


def _secondary(failures: pl.DataFrame, attempt: int, signature: str) -> tuple[str, ...]:
    """What else the deciding attempt shows, then what other attempts failed of."""
    beside = failures.filter(pl.col("attempt") == attempt)["secondary"].to_list()
    ids = [one["signature"] for one in (beside[0] if beside else [])]
    return tuple(each for each in dict.fromkeys([*ids, *sorted(set(failures["signature"]))]) if each != signature)
