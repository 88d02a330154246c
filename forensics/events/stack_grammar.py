"""Find tracebacks by a grammar over the kinds of lines, one letter per line.

One regular expression over the letters of all processes, a newline between two processes: the cost is that of the letters plus about
1 µs per traceback. Where its first and last exception are depends on its letters only and is worked out once per distinct traceback.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

# A stack without its header starts where no indented line precedes it: the search stays linear over any number of stray frames.
# n: a line N written within a millisecond of the line before it, see multiline
EXC = r"(?P<exc>[ENnVRGXKrgk])"
PYTHON = r"(?:T(?:[FIA]+" + EXC + r"?|(?P<bare>E))?|(?<![FIA])I{0,2}F[FIA]*(?P<headless>E))[nIf]*"
GROUP = r"Q[qxyFIA]*"
BOX = r"Bb*(?:(?P<boxed>[ENn])[nI]*)?"
FATAL = r"K(?:[kFIA]|E(?=k))*"
CPP = r"X(?:I[nIf]*)?f*"
GO = r"G[NnEI]{0,3}?g[gI]*"
RUST = r"(?:R(?P<next>[NnE])|V)[rIA]*"
JAVA = r"(?:H[IE]{0,3}|E)A[AI]*(?:J[AI]*)*"
OTHER = r"UI*|p[nNs]*?s[sI]*|Oo*|Z[nI]*|d+|[NnE]WI*"  # Ruby, PHP, OCaml, sanitizers, CUDA threads, Lua


def _unnamed(pattern: str) -> str:
    return re.sub(r"\?P<\w+>", "?:", pattern)


LINK = f"(?:{_unnamed(PYTHON)}|{GROUP}|{_unnamed(BOX)})"
# between an exception and the line that chains it to the next there is only the rest of its message
STACK = re.compile(f"{LINK}(?:[nNEI]{{0,40}}?CI{{0,2}}{LINK})*|{FATAL}|{CPP}|{GO}|{_unnamed(RUST)}|{JAVA}|{OTHER}".encode())
PARTS = re.compile(
    f"{PYTHON}|(?P<group>{GROUP})|{BOX}|(?P<fatal>{FATAL})|(?P<cpp>{CPP})|(?P<go>{GO})|(?P<rust>{RUST})|(?P<java>{JAVA})|(?P<other>{OTHER})".encode()
)


class StackExceptions(NamedTuple):
    """Line numbers within a stack: of the exception that started it and of the one that ended it; null where it has none."""

    root: int | None
    last: int | None


def stacks(kinds: bytes) -> list[tuple[int, int]]:
    """Find the spans of stacks in lines, one letter per line."""
    return [match.span() for match in STACK.finditer(kinds)]


@lru_cache(maxsize=4096)
def exceptions(stack: bytes) -> StackExceptions:
    """Find the first and the last exception of a stack, one letter per line."""
    firsts, lasts = [], []
    for part in PARTS.finditer(stack):
        root, last = _of_part(part)
        firsts += [root] if root is not None else []
        lasts += [last] if last is not None else []
    return StackExceptions(firsts[0] if firsts else None, lasts[-1] if lasts else None)


def _of_part(part: re.Match[bytes]) -> StackExceptions:
    for name in ("exc", "bare", "headless", "boxed", "next"):
        if part[name] is not None:
            return StackExceptions(part.start(name), part.start(name))
    kind = next((name for name in ENDS if part[name] is not None), None)
    if kind is None:
        return StackExceptions(None, None)
    root, last = ENDS[kind](part.group())
    return StackExceptions(part.start() + root if root >= 0 else None, part.start() + last if last >= 0 else None)


# the root and the last exception of each kind of part; -1: none
ENDS: dict[str, Callable[[bytes], tuple[int, int]]] = {
    "group": lambda lines: (lines.find(b"x"), lines.find(b"y")),  # the first leaf is the cause, the group is what was raised
    "fatal": lambda lines: (0, max(lines.find(b"E"), 0)),
    "cpp": lambda lines: (0, 1 if b"I" in lines else 0),  # what(): is the second line
    "java": lambda lines: (max(lines.rfind(b"J"), 0), 0),  # the last `Caused by:` is the root
    "go": lambda _: (0, 0),
    "rust": lambda _: (0, 0),
    "other": lambda _: (0, 0),
}
