"""Stacks as a grammar over line shapes: a process's lines as letters in, the spans that are one traceback each out.

One regular expression over the letters of all processes, a newline between two processes: the cost is that of the letters plus about
1 µs a traceback. What a span says (its first and its last exception) depends on its letters only and is worked out once a distinct span.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

# n: a line N written within a millisecond of the line before it, see folding
EXC = r"(?P<exc>[ENnVRGXKrgk])"
PYTHON = r"(?:T(?:[FIA]+" + EXC + r"?|(?P<bare>E))?|F[FIA]*(?P<headless>E))[nI]*"
GROUP = r"Q[qxyFIA]*"
BOX = r"Bb*(?:(?P<boxed>[ENn])[nI]*)?"
FATAL = r"K(?:[kFIA]|E(?=k))*"
CPP = r"X(?:I[nI]*)?"
GO = r"G[NnEI]{0,3}?g[gI]*"
RUST = r"(?:R(?P<told>[NnE])|V)[rIA]*"
JAVA = r"[HE]A[AI]*(?:J[AI]*)*"


def _unnamed(pattern: str) -> str:
    return re.sub(r"\?P<\w+>", "?:", pattern)


LINK = f"(?:{_unnamed(PYTHON)}|{GROUP}|{_unnamed(BOX)})"
# between an exception and the words that chain it to the next there is nothing but the rest of its message
STACK = re.compile(f"{LINK}(?:[nNEI]{{0,40}}?C{LINK})*|{FATAL}|{CPP}|{GO}|{_unnamed(RUST)}|{JAVA}".encode())
PARTS = re.compile(
    f"{PYTHON}|(?P<group>{GROUP})|{BOX}|(?P<fatal>{FATAL})|(?P<cpp>{CPP})|(?P<go>{GO})|(?P<rust>{RUST})|(?P<java>{JAVA})".encode()
)


class Told(NamedTuple):
    """Line numbers within a span: of the exception that started it and of the one that ended it; null where a span has none."""

    root: int | None
    last: int | None


def spans(shapes: bytes) -> list[tuple[int, int]]:
    return [found.span() for found in STACK.finditer(shapes)]


@lru_cache(maxsize=65_536)
def told(shape: bytes) -> Told:
    firsts, lasts = [], []
    for part in PARTS.finditer(shape):
        root, last = _of_part(part)
        firsts += [root] if root is not None else []
        lasts += [last] if last is not None else []
    return Told(firsts[0] if firsts else None, lasts[-1] if lasts else None)


def _of_part(part: re.Match[bytes]) -> Told:
    start, found = part.start(), part.group()
    for name in ("exc", "bare", "headless", "boxed", "told"):
        if part[name] is not None:
            return Told(part.start(name), part.start(name))
    if part["group"] is not None:
        leaf, whole = found.find(b"x"), found.find(b"y")
        return Told(start + leaf if leaf >= 0 else None, start + whole if whole >= 0 else None)
    if part["fatal"] is not None:
        told_by = found.find(b"E")
        return Told(start, start + told_by if told_by >= 0 else start)
    if part["cpp"] is not None:
        return Told(start, start + (1 if b"I" in found else 0))
    if part["java"] is not None:
        cause = found.rfind(b"J")
        return Told(start + max(cause, 0), start)
    if part["go"] is not None or part["rust"] is not None:
        return Told(start, start)
    return Told(None, None)
