"""Find the secrets of one text, by the form of tokens, by where they are and by the names they are assigned to."""

from __future__ import annotations

import re
from typing import NamedTuple

from forensics.sanitize import key_blocks
from forensics.sanitize.assignments import by_name
from forensics.sanitize.hints import by_hint, hinted
from forensics.sanitize.places import in_places
from forensics.sanitize.token_formats import FORMATS
from forensics.sanitize.values import is_unmistakable

_LONG_WORD = re.compile(r"[A-Za-z0-9+/_-]{14}|\$")  # every token of FORMATS has one
_OF_HINT = by_hint(form.hints for form in FORMATS)


class Secret(NamedTuple):
    """unmistakable: it is this secret wherever its characters are, not only here."""

    start: int
    end: int
    kind: str
    unmistakable: bool


def find_secrets(text: str) -> tuple[Secret, ...]:
    """List the secrets of a text from left to right; no two overlap. The first that finds a secret decides its kind."""
    lower = text.lower()
    found = [Secret(start, end, "private-key", unmistakable=True) for start, end in key_blocks.in_text(text, lower)]
    found += _tokens(text, lower)
    found += [_judged(text, kind, start, end) for kind, start, end in in_places(text, lower)]
    found += [_judged(text, kind, start, end) for kind, start, end in by_name(text, lower)]
    return _joined(text, found)


def _tokens(text: str, lower: str) -> list[Secret]:
    if _LONG_WORD.search(text) is None:
        return []
    return [
        Secret(*match.span(), form.kind, unmistakable=True)
        for form in map(FORMATS.__getitem__, hinted(_OF_HINT, lower))
        for match in form.pattern.finditer(text)
    ]


def _judged(text: str, kind: str, start: int, end: int) -> Secret:
    return Secret(start, end, kind, is_unmistakable(text[start:end]))


def _joined(text: str, found: list[Secret]) -> tuple[Secret, ...]:
    """Join secrets that overlap: `password=` may be followed by more than the token that it begins with."""
    if len(found) < 2:
        return tuple(found)
    rank = {secret: number for number, secret in reversed(list(enumerate(found)))}
    joined: list[Secret] = []
    for secret in sorted(rank, key=lambda secret: (secret.start, -secret.end, rank[secret])):
        if not joined or secret.start >= joined[-1].end:
            joined.append(secret)
            continue
        last = joined[-1]
        first = min(last, secret, key=lambda one: rank.get(one, len(found)))
        end = max(last.end, secret.end)
        whole = (secret.start, secret.end) == (last.start, end) or (last.start, last.end) == (last.start, end)
        sure = (last.unmistakable if last.end == end else secret.unmistakable) if whole else is_unmistakable(text[last.start : end])
        joined[-1] = Secret(last.start, end, first.kind, sure)
        rank.setdefault(joined[-1], rank.get(first, len(found)))
    return tuple(joined)
