"""Recognise unknown problems that differ in one word: the word is a value, such as a name in a request, not another problem."""

from __future__ import annotations

import re
from collections import defaultdict

import polars as pl

WORD = "<word>"  # in a title, for a word that varies
VARIANTS = 4  # texts of failed attempts that differ in one word make it a value: three libraries may be missing one after the other
MOST_PIECES = 12  # words of a title that are compared; titles are cut
LEAST_FIXED = 2  # words beside it, in a text without a traceback
_QUOTED = re.compile(r"(?<!\w)(?:'[^']{0,200}'|\"[^\"]{0,200}\"|`[^`]{0,200}`|“[^”]{0,200}”|‘[^’]{0,200}’|«[^»]{0,200}»)(?!\w)")
_PUNCTUATION = "'\"`“”‘’«».,;:()[]{}!?"
_TYPE = re.compile(r"[\w.]*(?:Error|Exception|Warning|Interrupt|Exit)")
_LETTERS = re.compile(r"[^\W\d_]{2,}")


def templates(title: str, *, has_site: bool) -> tuple[str, ...]:
    """List the title with each of its words replaced by `<word>`, wherever it stands, and with all that is quoted; that is one word.

    has_site: texts are compared only with those of the same place in the program, so that fewer words need to be the same.
    """
    spaced = _QUOTED.sub(lambda quoted: quoted[0].replace(" ", "\u00a0"), title)
    pieces = [piece for piece in spaced.split(" ") if piece]
    pieces = (pieces[:-1] if title.endswith("…") else pieces)[:MOST_PIECES]
    cores = [piece.strip(_PUNCTUATION) for piece in pieces]
    made: list[str] = []
    for core in dict.fromkeys(cores):
        fixed = sum(1 for other in cores if other != core and _LETTERS.search(other) and not _TYPE.fullmatch(other))
        if core and not _TYPE.fullmatch(core) and fixed >= (1 if has_site else LEAST_FIXED):
            made.append(" ".join(WORD.join(piece.split(core)) if c == core else piece for piece, c in zip(pieces, cores, strict=True)))
    outside, quotes = _QUOTED.subn(WORD, title)
    if quotes and (has_site or len(_LETTERS.findall(outside)) >= LEAST_FIXED + quotes):
        made.append(outside)
    if has_site and len(cores) > 1 and not made:  # KeyError: 'name'
        made += [f"{pieces[0]} {WORD}"] if len(set(cores[1:])) == 1 else []
    return tuple(template.replace("\u00a0", " ") for template in made)


def merged(mined: pl.DataFrame) -> pl.DataFrame:
    """Give mined events that differ in one word the signature of the first of them (columns event, signature, title, site)."""
    distinct = mined.sort("event").unique("signature", keep="first", maintain_order=True)
    if len(distinct) < VARIANTS:
        return mined
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    for signature, title, site in distinct.select("signature", "title", "site").iter_rows():
        for template in templates(title, has_site=bool(site)):
            members[site, template].append(signature)
    first: dict[str, str] = {}
    titles: dict[str, str] = {}
    for (_, template), signatures in sorted(members.items(), key=lambda group: -len(group[1])):
        free = [signature for signature in signatures if signature not in first]
        if len(free) >= VARIANTS:
            first |= dict.fromkeys(free, free[0])
            titles |= dict.fromkeys(free, template)
    if not first:
        return mined
    title = pl.col("signature").replace_strict(titles, default=pl.col("title"), return_dtype=pl.String)
    return mined.with_columns(title=title, signature=pl.col("signature").replace(first))
