"""Find private keys in PEM, OpenSSH, PGP and PuTTY form: in one text, or a line in each of several."""

from __future__ import annotations

import re
from itertools import pairwise

from forensics.sanitize.lazy_pattern import LazyPattern

_KEY = r"(?:(?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V[12]|OpenVPN tls-crypt-v2 (?:client|server) key)"
_BEGIN = LazyPattern(rf"-----BEGIN {_KEY}-----|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----|^Private-Lines: [0-9]+\s*$", re.MULTILINE)
_END = LazyPattern(rf"-----END {_KEY}-----|---- END SSH2 ENCRYPTED PRIVATE KEY ----|^Private-MAC: ", re.MULTILINE)
# Certificates, public keys, signatures and encrypted messages are shown: everybody may have them.
_PUBLIC_NAME = r"(?!(?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY|OpenVPN )[A-Z][A-Za-z0-9 ]{1,40}"
_PUBLIC_BEGIN = LazyPattern(rf"-----BEGIN {_PUBLIC_NAME}-----|---- BEGIN SSH2 PUBLIC KEY ----")
_PUBLIC_END = LazyPattern(r"-----END |---- END ")
_BODY = LazyPattern(r"[A-Za-z0-9+/]{1,100}={0,2}$|=[A-Za-z0-9+/]{4}$")
# A line of nothing but base64, as long as PEM (64), OpenSSH (70) and MIME (76) have them.
_LONE = LazyPattern(r"(?<![^\s|>\]\"'])[A-Za-z0-9+/]{62,74}(?:[A-Za-z0-9+/]{2}|=[A-Za-z0-9+/=])(?=\s|$|\\{1,3}[rn])")
_PUBLIC = ("AAAAB3Nza", "AAAAC3Nza", "AAAAE2Vj", "iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "H4sI", "JVBERi", "UEsDB", "PD94", "PHN2")
_MAY_BE_BODY = LazyPattern(r"[A-Za-z0-9+/]{32}|\n|(?:\A\s{0,9}|\\n)[A-Za-z0-9+/]{8}")
HINTS = ("private key", "private-lines", "private-mac", "static key v", "tls-crypt-v2")
MOST_LINES = 500  # of a block; then the end is taken to be lost
_MOST_CHARACTERS = 16_384


def begins(text: str) -> re.Match[str] | None:
    """Return the beginning of a block that does not end in the text."""
    return _last(_BEGIN, _END, text) if "BEGIN" in text or "Private-Lines" in text else None


def begins_public(text: str) -> re.Match[str] | None:
    """Return the beginning of a block that everybody may have and that does not end in the text."""
    return _last(_PUBLIC_BEGIN, _PUBLIC_END, text) if "BEGIN" in text else None


def _last(begin: LazyPattern, end: LazyPattern, text: str) -> re.Match[str] | None:
    last = max(begin.finditer(text), key=re.Match.end, default=None)
    return last if last is not None and end.search(text, last.end()) is None else None


def ends(text: str) -> bool:
    """Whether a block of any kind ends in the text."""
    return _PUBLIC_END.search(text) is not None or _END.search(text) is not None


def is_body(line: str) -> bool:
    """Whether a line can be one of an open block."""
    return _BODY.match(line.strip()) is not None


def in_text(text: str, lower: str) -> list[tuple[int, int]]:
    """List the spans of key material: bodies of blocks, what is before the end of one, lines of base64."""
    spans = _blocks(text) if any(hint in lower for hint in HINTS) else []
    public = _public_blocks(text) if "---" in text else []
    spans += [
        match.span()
        for match in _LONE.finditer(text)
        if _is_of_a_key(match[0]) and not any(start <= match.start() < end for start, end in public)
    ]
    return [(start, end) for start, end in spans if text[start:end].strip(" \n\r\t\\rn")]


def _blocks(text: str) -> list[tuple[int, int]]:
    spans, at = [], 0
    if (end := _END.search(text)) is not None and _BEGIN.search(text, 0, end.start()) is None:
        spans.append((_body_before(text, end.start()), end.start()))
        at = end.end()
    while (begin := _BEGIN.search(text, at)) is not None:
        end = _END.search(text, begin.end(), begin.end() + _MOST_CHARACTERS)
        at = end.start() if end else min(len(text), begin.end() + _MOST_CHARACTERS)
        if end or _MAY_BE_BODY.search(text, begin.end(), at):  # rather than what a logger puts behind a line
            spans.append((begin.end(), at))
    return spans


def _public_blocks(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = 0
    while (begin := _PUBLIC_BEGIN.search(text, at)) is not None and len(spans) < MOST_LINES:
        end = _PUBLIC_END.search(text, begin.end(), begin.end() + _MOST_CHARACTERS)
        at = end.start() if end else min(len(text), begin.end() + _MOST_CHARACTERS)
        spans.append((begin.start(), at))
    return spans


def _body_before(text: str, end: int) -> int:
    """Where the lines of base64 that end at `end` begin."""
    start = end
    for line in reversed(text[max(0, end - _MOST_CHARACTERS) : end].split("\n")):
        if line.strip() and not is_body(line):
            break
        start -= len(line) + 1
    return max(0, start + 1)


def _is_of_a_key(line: str) -> bool:
    """Whether a line of base64 is of a key, rather than a hash in hexadecimal, a public key or a picture."""
    classes = (any(c.isdigit() for c in line), any(c.islower() for c in line), any(c.isupper() for c in line))
    changes = sum(a.islower() != b.islower() for a, b in pairwise(line))
    return all(classes) and changes >= len(line) // 5 and not line.startswith(_PUBLIC) and "/" not in line[:1]
