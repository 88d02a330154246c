"""Label many pasted texts at once, each as a host of its own: one text costs as much as a hundred. Each is to name another unit."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from forensics.assembly import assemble
from forensics.explain import explain
from forensics.explain.entries import entries_of
from forensics.explain.paste import read_paste
from forensics.model.frames import ENTRIES
from forensics.signatures import label
from forensics.signatures.catalogue import Catalogue


def classes_of(texts: Sequence[str], catalogue: Catalogue) -> list[str | None]:
    """Name the failure of each text: of its only attempt, which is all that `explain` chooses from; with more or fewer, it is asked."""
    entries = pl.concat([_entries(text, f"host{number}") for number, text in enumerate(texts)])
    assembly = assemble(entries)
    labels = label(assembly.events, assembly.attempts, catalogue).labels
    attempts = labels.join(assembly.attempts.select("attempt", "host"), on="attempt").select("host", "failed", "signature")
    of_host: dict[str, list[tuple[bool, str]]] = {}
    for host, failed, signature in attempts.iter_rows():
        of_host.setdefault(host, []).append((failed, signature))
    return [_class(text, of_host.get(f"host{number}", []), catalogue) for number, text in enumerate(texts)]


def _entries(text: str, host: str) -> pl.DataFrame:
    pasted = read_paste(text.encode())
    if pasted.assumed:
        raise ValueError(f"an end of an attempt is assumed, which is judged by its points: {text}")
    entries = entries_of(pasted.records, as_found=pasted.as_found)
    names = {"host": pl.lit(host), "invocation": pl.concat_str(pl.lit(f"{host} "), "invocation")}
    return entries.with_columns(name.cast(ENTRIES[column]).alias(column) for column, name in names.items())


def _class(text: str, attempts: list[tuple[bool, str]], catalogue: Catalogue) -> str | None:
    if len(attempts) == 1 and attempts[0][0]:
        return attempts[0][1]
    signature = explain(text.encode(), catalogue).signature
    return signature and signature.id
