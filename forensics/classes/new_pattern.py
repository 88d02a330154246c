"""Draft a pattern file from an unknown class, and compare the labels that two catalogues give."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from forensics.classes.summary import ClassSummary
from forensics.sanitize import matchable
from forensics.signatures import label, mask
from forensics.signatures.catalogue import Catalogue, Mistake

FILL = "FILL IN"  # `patterns check` refuses a file that still has it
LONGEST_EXAMPLE = 2000  # characters
_VALUE = re.compile(r"(<(?:n|path|url|ip|size|time|host|s)>)")
_PSEUDONYM = re.compile(r"⟨[a-z-]+(?:-\d+)?⟩")
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$#&~\-]")
_BY_VALUE = {"<n>": r"[\w.,+-]+", "<size>": r"[\d.,]+ ?\w*%?", "<time>": r"[\w:.,+/ -]+"}


@dataclass(frozen=True, slots=True)
class LabelMove:
    """Attempts whose signature changes from `before` to `after`. unit: the first one in alphabetical order."""

    before: str
    after: str
    attempts: int
    unit: str


def pattern_draft(id_: str, summary: ClassSummary) -> str:
    """Write the text of a pattern file for an unknown class, with the unknown parts marked FILL."""
    text = summary.sample.get("root") or summary.sample.get("text") or ""
    example = matchable(text)[:LONGEST_EXAMPLE]
    return f"""\
id            = {_toml(id_)}
title         = {_toml(f"{FILL}: {summary.signature.title}")}
severity      = {_toml(summary.signature.severity)}
restart_helps = "{FILL}: true or false"
# where it is true, say when: restart_helps_when = "once the port is free"
cause         = "{FILL}: what is wrong when this line appears"
remedy        = "1. {FILL}: what to do about it"
references    = ["{FILL}: a link to where this is documented"]

[match]
message = {_toml(expression(example))}

[[example]]
message = {_toml(example)}

[[counterexample]]
message = "{FILL}: a similar line that must not match"
why     = "{FILL}: why that is another problem, or no problem"
"""


def expression(text: str) -> str:
    """A regular expression for all texts with the same key: words literally, values as wildcards."""
    line = text.partition("\n")[0]
    key = mask.keys(pl.Series([_PSEUDONYM.sub("<s>", line)], dtype=pl.String)).item().replace("‹", "").replace("›", "")
    masked = "".join(_BY_VALUE.get(part, r"\S+") if _VALUE.fullmatch(part) else _literal(part) for part in _VALUE.split(key))
    if masked and pl.Series([text]).str.contains(masked).item():
        return masked
    # A mask that joins two words gives a key that is no part of the text: then the line as it is, easy to read and to widen.
    return r"\S+".join(map(_literal, _PSEUDONYM.split(line)))


def _literal(text: str) -> str:
    return re.sub(r"\s+", lambda _: r"\s+", _SPECIAL.sub(lambda special: "\\" + special[0], text))


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def draft_path(id_: str, directory: Path) -> Path:
    """torch.abi-mismatch → <directory>/torch/abi-mismatch.toml"""
    return directory.joinpath(*id_.split(".")).with_suffix(".toml")


def unfilled(catalogue: Catalogue) -> list[Mistake]:
    """Find the keys of patterns that still contain FILL."""
    return [
        Mistake(pattern.file, None, key, f"still contains '{FILL}'")
        for pattern in catalogue.patterns
        for key, texts in (
            ("title", [pattern.title]),
            ("cause", [pattern.signature.cause]),
            ("remedy", [pattern.signature.remedy]),
            ("references", pattern.signature.references),
            ("counterexample", [text for example in pattern.counterexamples for text in (example.message, example.why or "")]),
        )
        if any(FILL in text for text in texts)
    ]


def label_moves(attempts: pl.DataFrame, events: pl.DataFrame, labels: pl.DataFrame, changed: Catalogue) -> list[LabelMove]:
    """Compare `labels` with those that a changed catalogue gives the same attempts; most attempts first."""
    after = label(events, attempts, changed).labels
    moved = (
        labels.select("attempt", before="signature")
        .join(after.select("attempt", after="signature"), on="attempt")
        .join(attempts.select("attempt", "unit"), on="attempt")
        .filter(pl.col("before") != pl.col("after"))
    )
    counted = moved.group_by("before", "after").agg(pl.len().alias("attempts"), pl.col("unit").min())
    return [LabelMove(*row) for row in counted.sort(["attempts", "before", "after"], descending=[True, False, False]).iter_rows()]


def moves_as_text(moves: Sequence[LabelMove]) -> str:
    """Render one line per pair of labels."""
    if not moves:
        return "No labels change.\n"
    return "".join(f"{move.attempts:>8,}  {move.before} → {move.after}  ({move.unit})\n" for move in moves)
