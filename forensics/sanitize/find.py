"""Find the secrets of one text, by the form of tokens, by where they are and by the names they are assigned to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from forensics.sanitize import assignments, commands, encoded, key_blocks, names, next_lines, options, pairs, sentences
from forensics.sanitize.hints import by_hint, hinted
from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.places import in_places
from forensics.sanitize.protocols import inserted
from forensics.sanitize.token_formats import FORMATS
from forensics.sanitize.values import is_unmistakable

# Every token of FORMATS begins in a long word with a digit, several changes of case, or the letters of a recovery key.
_LONG_WORDS = LazyPattern(r"[^\s\"'<>()]{14,}")
_IS_MIXED = LazyPattern(r"[0-9]|\bsk-|[a-z][A-Z].{0,64}?[a-z][A-Z]|[cbdefghijklnrtuv]{8}-[cbdefghijklnrtuv]{8}-")
_OF_HINT = by_hint(form.hints for form in FORMATS)


class Secret(NamedTuple):
    """unmistakable: it is this secret wherever its characters are, not only here."""

    start: int
    end: int
    kind: str
    unmistakable: bool


def find_secrets(text: str) -> tuple[Secret, ...]:
    """List the secrets of a text from left to right; no two overlap. The first that finds a secret decides its kind."""
    lower = _lower(text)
    found = _found(text, lower)
    spelled = encoded.spelled_out(text)
    if spelled != text:
        found += _found(spelled, _lower(spelled))
    found += [
        Secret(*span, "password", unmistakable=True)
        for span in encoded.hidden(text, lower, lambda decoded: bool(_found(decoded, _lower(decoded))))
    ]
    return _joined(text, found)


def _found(text: str, lower: str) -> list[Secret]:
    found = [Secret(start, end, "private-key", unmistakable=True) for start, end in key_blocks.in_text(text, lower)]
    found += _tokens(text)
    found += [_judged(text, kind, start, end) for kind, start, end in in_places(text, lower)]
    found += [_judged(text, kind, start, end) for kind, start, end in commands.in_commands(text, lower)]
    found += [_judged(text, kind, start, end) for kind, start, end in _by_name(text, lower)]
    return found


def _lower(text: str) -> str:
    """Return the text in lower case, every character where it was: a few capitals would become two characters."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if c.isascii() else c for c in text)


def _tokens(text: str) -> list[Secret]:
    words = " ".join(filter(_IS_MIXED.search, _LONG_WORDS.findall(text))).lower()
    if not words:
        return []
    return [
        Secret(*match.span(), form.kind, unmistakable=True)
        for form in map(FORMATS.__getitem__, hinted(_OF_HINT, words))
        for match in form.pattern.finditer(text)
    ]


def _by_name(text: str, lower: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of what a name gives away."""
    if options.may_have_option(lower):
        yield from (("token", *span) for span in options.of_options(text))
    if assignments.may_assign(lower):
        yield from (("token", *span) for span in assignments.assigned(text, lower))
    if any(word in lower for word in names.WORDS):
        yield from sentences.in_sentences(text, lower)
        yield from pairs.in_pairs(text, lower)
    yield from (("token", *span) for span in next_lines.in_text(text, lower))
    yield from (("password", *span) for span in inserted(text, lower))


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
