"""Labelled history in, help for who writes patterns out: the file of a new pattern, and which labels a changed catalogue moves."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from forensics.classes.summary import ClassRow
from forensics.pipeline import History
from forensics.sanitize.redact import redactor
from forensics.sanitize.text import without_controls
from forensics.signatures import label, mask
from forensics.signatures.catalogue import Catalogue, Mistake

FILL = "FILL IN"  # `patterns check` refuses a file that still has it
LONGEST_EXAMPLE = 2000  # characters
_VALUE = re.compile(r"(<(?:n|path|url|ip|size|time|host|s)>)")
_PSEUDONYM = re.compile(r"⟨[a-z-]+-\d+⟩")
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$#&~\-]")
_BY_VALUE = {"<n>": r"[\w.,+-]+", "<size>": r"[\d.,]+ ?\w*%?", "<time>": r"[\w:.,+/ -]+"}


def new_pattern(id_: str, row: ClassRow) -> str:
    """A pattern file for an unknown class, with what is known of it filled in and the rest marked."""
    text = row.sample.get("root") or row.sample.get("text") or ""
    example = redactor([text])(without_controls(text))[:LONGEST_EXAMPLE]
    return f"""\
id            = {_toml(id_)}
title         = {_toml(f"{FILL}: {row.signature.title}")}
severity      = {_toml(row.signature.severity)}
restart_helps = "{FILL}: true or false"
cause         = "{FILL}: what is wrong when a log says this"
remedy        = "1. {FILL}: what a person does about it"
references    = ["{FILL}: where this is documented"]

[match]
message = {_toml(expression(example))}

[[example]]
message = {_toml(example)}

[[counterexample]]
message = "{FILL}: a line that looks alike"
why     = "{FILL}: why that is another problem, or none"
"""


def expression(text: str) -> str:
    """A regular expression for all texts of the same key: its words literally, its values as what may stand there."""
    line = text.partition("\n")[0]
    key = mask.keys(pl.Series([_PSEUDONYM.sub("<s>", line)], dtype=pl.String)).item().replace("‹", "").replace("›", "")
    parts = [_BY_VALUE.get(part, r"\S+") if _VALUE.fullmatch(part) else _literal(part) for part in _VALUE.split(key)]
    found = "".join(parts)
    # A mask that joins two words leaves words that do not stand so in the text: then the line as it is, which is easy to see and to widen.
    return found if found and pl.Series([text]).str.contains(found).item() else r"\S+".join(map(_literal, _PSEUDONYM.split(line)))


def unfilled(catalogue: Catalogue) -> list[Mistake]:
    """The patterns in which something is still marked as to be filled in."""
    return [
        Mistake(pattern.file, None, key, f"is still marked '{FILL}'")
        for pattern in catalogue.patterns
        for key, texts in (
            ("title", [pattern.title]),
            ("cause", [pattern.signature.cause]),
            ("remedy", [pattern.signature.remedy]),
            ("references", pattern.signature.references),
            ("counterexample", [text for one in pattern.counterexamples for text in (one.message, one.why or "")]),
        )
        if any(FILL in text for text in texts)
    ]


def _literal(words: str) -> str:
    return re.sub(r"\s+", lambda _: r"\s+", _SPECIAL.sub(lambda found: "\\" + found[0], words))


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def moved_labels(history: History, changed: Catalogue) -> list[tuple[str, str, int, str]]:
    """(label before, label after, attempts, unit of the first) that a changed catalogue gives other labels, most first."""
    after = label(history.assembly.events, history.assembly.attempts, changed).labels
    both = (
        history.labelled.labels.select("attempt", before="signature")
        .join(after.select("attempt", after="signature"), on="attempt")
        .join(history.assembly.attempts.select("attempt", "unit"), on="attempt")
        .filter(pl.col("before") != pl.col("after"))
    )
    counted = both.group_by("before", "after").agg(pl.len().alias("attempts"), pl.col("unit").min())
    return list(counted.sort(["attempts", "before", "after"], descending=[True, False, False]).iter_rows())


def moves_as_text(moves: Sequence[tuple[str, str, int, str]]) -> str:
    if not moves:
        return "No label moves.\n"
    return "".join(f"{attempts:>8,}  {before} → {after}  ({unit})\n" for before, after, attempts, unit in moves)


def target_of(id_: str, folder: Path) -> Path:
    """torch.abi-mismatch → <folder>/torch/abi-mismatch.toml"""
    return folder.joinpath(*id_.split(".")).with_suffix(".toml")
