"""Explain a pasted log by turning it into journal entries and labelling their attempts as `report` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from json import dumps

import polars as pl

from forensics.assembly import Assembly, assemble
from forensics.classes.overrides import Overrides, apply_overrides
from forensics.errors import ForensicsError
from forensics.explain.as_journal import KERNEL
from forensics.explain.no_failure import Problem, find_problem
from forensics.explain.paste import read_paste
from forensics.explain.records import JournalRecord
from forensics.journal.stream import read_stream
from forensics.model.bounds import bounded_entries
from forensics.model.frames import ENTRIES
from forensics.model.values import Signature
from forensics.signatures import Labelled, label
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.nonfatal import WHY
from forensics.signatures.pattern import Pattern
from forensics.signatures.root_cause import EXIT_RESULT, LAST_LINE, RULES

NO_OVERRIDES = Overrides()
# For an attempt whose end is only assumed, neither of these proves a failure.
_NO_PROOF = (EXIT_RESULT, RULES[LAST_LINE])


@dataclass(frozen=True, slots=True)
class Explanation:
    """What failed. signature is null when nothing did; line is 1-based, null when no line shows it."""

    signature: Signature | None = None
    line: int | None = None
    text: str = ""
    why: str = ""
    captures: dict[str, str] = field(default_factory=dict)
    secondary: tuple[str, ...] = ()
    pattern: Pattern | None = None
    key_text: str = ""  # of an unknown failure: the text that is compared with known ones


@dataclass(frozen=True, slots=True)
class LabelledText:
    """The failures of a text, and the line of each of its entries."""

    entries: pl.DataFrame
    lines: Sequence[int]
    assembly: Assembly
    labelled: Labelled
    failures: pl.DataFrame  # LABELS with `unit` and `invocation`, of attempts that failed


def explain(content: bytes, catalogue: Catalogue, overrides: Overrides = NO_OVERRIDES) -> Explanation:
    """Explain the failure class of most failed attempts, the latest of several; a bare exit result only if there is nothing else."""
    text = _label_text(content, catalogue, overrides)
    if not text.failures.is_empty():
        return _explain_failure(text, catalogue)
    problem = find_problem(text.entries, text.assembly.events, catalogue)
    return Explanation() if problem is None else _explain_problem(text, problem, catalogue)


def _label_text(content: bytes, catalogue: Catalogue, overrides: Overrides) -> LabelledText:
    pasted = read_paste(content)
    entries = _entries(pasted.records)
    assembly = assemble(entries)
    labelled = apply_overrides(label(assembly.events, assembly.attempts, catalogue), overrides)
    assumed = pl.col("invocation").is_in(list(pasted.assumed))
    # The kernel logs ERROR for much that makes nothing fail.
    kernel_only = (pl.col("unit") == KERNEL) & ~pl.col("why").str.starts_with("catalogue")
    proven = ~(assumed & (pl.col("why").is_in(_NO_PROOF) | kernel_only))
    failures = labelled.labels.join(assembly.attempts.select("attempt", "unit", "invocation"), on="attempt").filter("failed", proven)
    return LabelledText(entries, [record.line for record in pasted.records], assembly, labelled, failures)


def _entries(records: Sequence[JournalRecord]) -> pl.DataFrame:
    stream = BytesIO("\n".join(dumps(record.fields) for record in records).encode())
    try:
        batches = [pl.from_arrow(batch.table) for batch in read_stream(stream, "pasted text")] if records else []
    except ForensicsError:  # fields of journal entries, but none with a time
        batches = []
    frames = [
        frame.select(pl.col(name).cast(kind) for name, kind in ENTRIES.items()) for frame in batches if isinstance(frame, pl.DataFrame)
    ]
    return bounded_entries(pl.concat(frames)) if frames else ENTRIES.to_frame()


def _explain_failure(text: LabelledText, catalogue: Catalogue) -> Explanation:
    bare_exit = pl.col("signature").str.starts_with("exit:")
    size = pl.len().over("signature")
    chosen = text.failures.sort(bare_exit, size, "row", descending=[False, True, True]).row(0, named=True)
    signature = text.labelled.signatures[chosen["signature"]]
    events = text.assembly.events.filter(pl.col("event").eq_missing(pl.lit(chosen["event"], pl.UInt32)))
    message = (events["text"].item() if events.height else text.entries["message"][chosen["row"]]) or ""
    pattern = catalogue.pattern(signature.id)
    line, quote = _quote(text, chosen["row"], message)
    return Explanation(
        signature=signature,
        line=line,
        text=quote,
        why=_why(chosen["why"], pattern, message),
        captures=_captures(text.labelled.events, chosen["event"], signature.id),
        secondary=_secondary(text.failures, chosen["attempt"], signature.id),
        pattern=pattern,
        key_text=events["root"].item() or message if events.height else "",
    )


def _explain_problem(text: LabelledText, problem: Problem, catalogue: Catalogue) -> Explanation:
    pattern = catalogue.pattern(problem.signature.id)
    line, quote = _quote(text, problem.row, problem.text)
    return Explanation(
        signature=problem.signature,
        line=line,
        text=quote,
        why=_why(WHY[problem.rule], pattern, problem.text),
        captures=problem.captures,
        pattern=pattern,
        key_text="" if pattern else problem.key_text,
    )


def _quote(text: LabelledText, row: int, message: str) -> tuple[int | None, str]:
    """(1-based line, message) of an entry: of a multi-line entry, the first line's number."""
    number = text.entries["offset"][row] if row < text.entries.height else None
    line = text.lines[number] if number is not None else 0
    return (line, text.entries["message"][row] or message) if line else (None, "")


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
    return {capture["name"]: capture["value"] for capture in (rows[0] if rows else [])}


def _secondary(failures: pl.DataFrame, attempt: int, signature: str) -> tuple[str, ...]:
    """The other problems of the explained attempt, then the classes of the other attempts."""
    of_attempt = failures.filter(pl.col("attempt") == attempt)["secondary"].to_list()
    ids = [problem["signature"] for problem in (of_attempt[0] if of_attempt else [])]
    return tuple(id_ for id_ in dict.fromkeys([*ids, *sorted(set(failures["signature"]))]) if id_ != signature)
