"""Explain a pasted log by turning it into journal entries and labelling their attempts as `report` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from forensics.assembly import Assembly, assemble
from forensics.classes.overrides import Overrides, apply_overrides
from forensics.explain.as_journal import KERNEL, PastedJournal
from forensics.explain.entries import entries_of
from forensics.explain.format import UNRECOGNISED, Format
from forensics.explain.no_failure import Problem, find_problem
from forensics.explain.paste import as_lines, read_paste
from forensics.explain.proof import unproven
from forensics.model.signature import Signature
from forensics.signatures import Labelled, label
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.nonfatal import WHY
from forensics.signatures.pattern import Pattern
from forensics.signatures.root_cause import EVIDENCE, EXIT_RESULT, best, reasons, strength

NO_OVERRIDES = Overrides()
MOST_CANDIDATES = 5  # shown


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that may explain the failure. signature: of the catalogue, else null; line is 1-based, null without one."""

    signature: str | None
    line: int | None
    text: str
    evidence: str
    points: int
    reasons: tuple[str, ...]


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
    candidates: tuple[Candidate, ...] = ()  # the events that may explain the failure, the best first
    understood: Format = UNRECOGNISED  # what the text is
    unit: str = ""  # that failed, where the text names it


@dataclass(frozen=True, slots=True)
class LabelledText:
    """The failures of a text, and the line of each of its entries."""

    entries: pl.DataFrame
    lines: Sequence[int]
    assembly: Assembly
    labelled: Labelled
    failures: pl.DataFrame  # LABELS with `unit`, `invocation` and `strength`, of attempts that failed
    understood: Format

    def line_of(self, row: int) -> int:
        """The 1-based line of an entry, of a multi-line entry the first; 0 for one that is not in the text."""
        number = self.entries["offset"][row] if row < self.entries.height else None
        return self.lines[number] if number is not None else 0


def explain(content: bytes, catalogue: Catalogue, overrides: Overrides = NO_OVERRIDES) -> Explanation:
    """Explain the failure class with the strongest reason; of equally strong ones that of most failed attempts, the latest of several."""
    text = label_text(content, catalogue, overrides)
    if text.failures.is_empty() or (text.failures["result"] == "dependency").all():
        problem = find_problem(text.entries, text.assembly.events, catalogue)
        # What prevented a start is the cause where the text shows it; the start that was prevented is not.
        if problem is not None and (text.failures.is_empty() or problem.explains_a_start):
            return _explain_problem(text, problem, catalogue)
    return Explanation(understood=text.understood) if text.failures.is_empty() else _explain_failure(text, catalogue)


def label_text(content: bytes, catalogue: Catalogue, overrides: Overrides = NO_OVERRIDES) -> LabelledText:
    """Label the attempts of a pasted text."""
    return _labelled(read_paste(content), catalogue, overrides)


def _labelled(pasted: PastedJournal, catalogue: Catalogue, overrides: Overrides) -> LabelledText:
    entries = entries_of(pasted.records, as_found=pasted.as_found)
    assembly = assemble(entries)
    ended = ~assembly.attempts["outcome"].is_in(["running", "cut"])
    if pasted.as_found and not ended.any():  # cut, or without the manager's lines
        return _labelled(as_lines(pasted), catalogue, overrides)
    labelled = apply_overrides(label(assembly.events, assembly.attempts, catalogue), overrides)
    assumed = pl.col("invocation").is_in(list(pasted.assumed))
    # The kernel logs ERROR for much that makes nothing fail.
    kernel_only = (pl.col("unit") == KERNEL) & ~pl.col("why").str.starts_with("catalogue")
    chosen = best(labelled.ranked)
    weak = (pl.col("why") == EXIT_RESULT) | pl.col("attempt").is_in(unproven(labelled.ranked, assembly.events).implode())
    proven = ~(assumed & (weak | kernel_only))
    attempts = assembly.attempts.select("attempt", "unit", "invocation", "result", "exit_status")
    labels = labelled.labels.join(attempts, on="attempt").join(chosen.select("attempt", "points"), on="attempt", how="left")
    failures = labels.filter("failed", proven).with_columns(strength=strength(pl.col("points"), pl.col("result"), pl.col("exit_status")))
    return LabelledText(entries, [record.line for record in pasted.records], assembly, labelled, failures, pasted.understood)


def _explain_failure(text: LabelledText, catalogue: Catalogue) -> Explanation:
    size = pl.len().over("signature")
    chosen = text.failures.sort("strength", size, "row", descending=True).row(0, named=True)
    signature = text.labelled.signatures[chosen["signature"]]
    events = text.assembly.events.filter(pl.col("event").eq_missing(pl.lit(chosen["event"], pl.UInt32)))
    message = (events["text"].item() if events.height else text.entries["message"][chosen["row"]]) or ""
    pattern = catalogue.pattern(signature.id)
    line, quote = _quote(text, chosen["row"], message)
    candidates = _candidates(text, chosen["attempt"])
    return Explanation(
        signature=signature,
        line=line,
        text=quote,
        why="; ".join([_why(chosen["why"], pattern, message), *(candidates[0].reasons if candidates else ())]),
        captures=_captures(text.labelled.events, chosen["event"], signature.id),
        secondary=_secondary(text.failures, chosen["attempt"], signature.id),
        pattern=pattern,
        key_text=events["root"].item() or message if events.height else "",
        candidates=candidates,
        understood=text.understood,
        unit=_named_unit(text, chosen["unit"]),
    )


def _named_unit(text: LabelledText, unit: str) -> str:
    """The unit if a line names it: that of lines without one is made up."""
    return unit if text.entries["message"].str.contains(unit, literal=True).any() else ""


def _candidates(text: LabelledText, attempt: int) -> tuple[Candidate, ...]:
    """The events that may explain an attempt's end, the best first; a known problem once."""
    ranked = text.labelled.ranked.filter(pl.col("attempt") == attempt)
    once = ranked.filter(pl.col("signature").is_null() | pl.struct("attempt", "signature").is_first_distinct()).head(MOST_CANDIDATES)
    return tuple(_candidate(text, row) for row in once.iter_rows(named=True))


def _candidate(text: LabelledText, row: dict[str, Any]) -> Candidate:
    line, quote = _quote(text, row["row"], "")
    return Candidate(row["signature"], line, quote, EVIDENCE[row["evidence"]][1], row["points"], tuple(reasons(row)))


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
        understood=text.understood,
    )


def _quote(text: LabelledText, row: int, message: str) -> tuple[int | None, str]:
    """(1-based line, message) of an entry."""
    line = text.line_of(row)
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
