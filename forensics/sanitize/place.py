"""A place of a text where a secret is, and what the value in it must be like."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import NamedTuple

from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.value_forms import GROUPS, Span, value_span
from forensics.sanitize.values import is_made_up, is_masked, is_random, may_be_secret

Accepts = Callable[[str], bool]


class Place(NamedTuple):
    """hints: lower-case literals, one of which is in each text that has it. The value is one of GROUPS of `pattern`."""

    kind: str
    hints: tuple[str, ...]
    pattern: LazyPattern
    accepts: Accepts

    def spans(self, text: str) -> list[Span]:
        """List the values that are accepted."""
        found = []
        for match in self.pattern.finditer(text):
            start, end = value_span(match) if GROUPS[1] in self.pattern.compiled.groupindex else match.span("s")
            if end > start and self.accepts(text[start:end]):
                found.append((start, end))
        return found


def always(value: str) -> bool:
    return "⟨" not in value and not is_masked(value)


def password(value: str) -> bool:
    return may_be_secret(value, 3)


def random(value: str) -> bool:
    return is_random(value) and may_be_secret(value)


def made_up(value: str) -> bool:
    return may_be_secret(value, 6) and is_made_up(value)


def mixed(value: str) -> bool:
    """Whether a value is made up without any doubt: capitals, small letters and digits or punctuation, or random."""
    has_case = value != value.lower() and value != value.upper()
    return made_up(value) and (is_random(value, 10) or (has_case and not value[-1:].isalpha() and not value.isalpha()))


def user_and_password(value: str) -> bool:
    """Whether this is the base64 of user:password."""
    try:
        return b":" in b64decode(value + "=" * (-len(value) % 4), validate=True)
    except NotBase64:
        return False


def bearer(value: str) -> bool:
    is_pair = "=" in value.rstrip("=")  # token_type=bearer expires_in=3600
    return may_be_secret(value, 6) and not is_pair and (is_random(value) or len(value) >= 20)


def place(kind: str, hints: str, pattern: str, accepts: Accepts = always) -> Place:
    """Make a place; · stands for a space in a hint."""
    return Place(kind, tuple(hint.replace("·", " ") for hint in hints.split()), LazyPattern(pattern, re.IGNORECASE | re.MULTILINE), accepts)
