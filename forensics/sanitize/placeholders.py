"""Fill the values that a pattern captured into its texts: `ss -ltnp 'sport = :{port|PORT}'` → `ss -ltnp 'sport = :5000'`.

A captured value is hostile and may be secret, and the text around it is a command that somebody will paste into a shell. Only a value of
letters, digits and a few marks that no shell and no markup reads is filled in, and none that `redacted` hides; else the word stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from forensics.model.signature import Signature
from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.texts import redacted

LONGEST = 200  # characters of a value
_PLACE = LazyPattern(r"\{([a-z_][a-z0-9_]{0,40})\|([^{}|\n]{1,60})\}")
_WORD_UNIT = LazyPattern(r"\bUNIT\b")
_UNIT_NAME = LazyPattern(r"[A-Za-z0-9_][A-Za-z0-9:_.@-]{0,200}\.(?:service|socket|mount|timer|scope|path|slice|swap|target)")
_SAFE = LazyPattern(r"[A-Za-z0-9_/@:.+][A-Za-z0-9_/@:.+,=%-]*")  # no option begins so


def groups(signature: Signature) -> Iterator[str]:
    """Yield the names of the values that the texts of a signature show, once for each place."""
    for text in (signature.cause, signature.remedy):
        yield from (place[1] for place in _PLACE.finditer(text))


def filled(signature: Signature, captures: Mapping[str, str] | None = None, text: str = "") -> Signature:
    """Fill captured values into the texts of a signature; where a value is missing, its word stays. text: what they are captured from."""
    wanted = set(groups(signature))
    if not wanted:
        return signature
    values = _harmless({name: value for name, value in (captures or {}).items() if name in wanted}, text)
    cause, remedy = (_PLACE.sub(lambda place: values.get(place[1], place[2]), each) for each in (signature.cause, signature.remedy))
    return replace(signature, cause=cause, remedy=remedy)


def for_unit(text: str, unit: str) -> str:
    """Return a remedy with the unit's name in its commands, where that is one that a shell takes as it is."""
    return _WORD_UNIT.sub(unit, text) if _UNIT_NAME.fullmatch(unit) else text


def _harmless(captures: Mapping[str, str], text: str) -> dict[str, str]:
    """Keep what may be filled in."""
    values = {name: value.rstrip(".,:;") for name, value in captures.items()}
    values = {name: value for name, value in values.items() if len(value) <= LONGEST and _SAFE.fullmatch(value)}
    if not values:
        return {}
    shown = redacted({"": text} | values)  # no group has an empty name
    return {name: value for name, value in values.items() if shown[name] == value and (value not in text or value in shown[""])}
