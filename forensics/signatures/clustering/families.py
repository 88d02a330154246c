"""Group keys into families: keys that differ only in names are one kind of event.

The result depends on the set of keys alone, not on their order or frequency: in each round every slot is judged by all its words, then
all are joined at once. Families are for display and counts; the id of a signature never depends on them.
"""

from __future__ import annotations

import polars as pl

from forensics.signatures.clustering import key_words, slots

_ROUNDS = 6  # a join makes lines equal that then differ in one word from others; no log took more than four


def families(keys: pl.Series) -> pl.Series:
    """The family of each key: its words, with <*> where they vary."""
    distinct = keys.unique().sort()
    lines = [tuple(words) for words in key_words.words(distinct)]
    family = {line: line for line in lines}
    for join in (slots.one_slot, slots.several_slots, slots.one_slot):
        family = _until_nothing_joins(family, join)
    names = pl.Series([" ".join(family[line]) for line in lines], dtype=pl.String)
    return keys.replace_strict(distinct, names, return_dtype=pl.String).rename("family")


def _until_nothing_joins(family: dict[slots.Words, slots.Words], join: slots.Joiner) -> dict[slots.Words, slots.Words]:
    for _ in range(_ROUNDS):
        joined = join(sorted(set(family.values())))
        if not joined:
            break
        family = {line: joined.get(words, words) for line, words in family.items()}
    return family
