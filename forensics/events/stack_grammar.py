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
# a line of any kind begins a stack of `at …` frames where two of them follow; Node shows the place before, and its error's fields after
JAVA = r"(?:h[ENnI]{1,6}?)?(?:H[IE]{0,6}|E|[NnL](?=A[AI]*A))A[AI]*(?:J[AI]*|w[AI]*|z)*(?:I{0,2}v)?"
ANYHOW = r"(?:(?:[EL]I{0,2})?c(?=I)|E(?=e))I+(?:lI+)*"
ERLANG = r"[ENnL]?P{0,2}a[aIP]*|[ENnL]?P[PI]+"
NATIVE = r"Y[NnI]{0,4}?(?:uu+|eI*)|[ENnL]?uuu+"  # the C library's frames, V8's
FRAMED = r"ib+m?"  # Terraform's boxes
KERNEL = r"D[tI]{2,}"
OTHER = r"UI*|p[nNs]*?s[sI]*|Oo*|Z[nI]*|d+|[NnE]WI*"  # Ruby, PHP, OCaml, sanitizers, CUDA threads, Lua
INDENTED = "Ieja"  # an indented line, whatever it has


def _unnamed(pattern: str) -> str:
    return re.sub(r"\?P<\w+>", "?:", pattern)


def _compiled(pattern: str) -> re.Pattern[bytes]:
    """Compile a grammar in which I is any indented line."""
    in_class, out = False, []
    for letter in pattern:
        in_class = letter == "[" or (in_class and letter != "]")
        out.append(letter if letter != "I" else INDENTED if in_class else f"[{INDENTED}]")
    return re.compile("".join(out).encode())


LINK = f"(?:{_unnamed(PYTHON)}|{GROUP}|{_unnamed(BOX)})"
# between an exception and the line that chains it to the next there is only the rest of its message
STACK = _compiled(
    f"{LINK}(?:[nNEI]{{0,40}}?CI{{0,2}}{LINK})*|{FATAL}|{CPP}|{GO}|{_unnamed(RUST)}|{JAVA}|{ANYHOW}|{NATIVE}|{KERNEL}|{FRAMED}|{ERLANG}|{OTHER}"
)
PARTS = _compiled(
    f"{PYTHON}|(?P<group>{GROUP})|{BOX}|(?P<fatal>{FATAL})|(?P<cpp>{CPP})|(?P<go>{GO})|(?P<rust>{RUST})|(?P<java>{JAVA})|(?P<anyhow>{ANYHOW})"
    f"|(?P<native>{NATIVE})|(?P<other>{KERNEL}|{OTHER})|(?P<erlang>{ERLANG})|(?P<framed>{FRAMED})"
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


def _of_java(lines: bytes) -> tuple[int, int]:
    """Find the last `Caused by:`, else the last inner cause, else the line before the frames."""
    frame = lines.find(b"A")
    head = max(lines.rfind(letter, 0, frame) for letter in (b"E", b"N", b"n", b"L")) if b"H" not in lines else lines.find(b"H")
    cause = max(lines.rfind(b"J"), lines.rfind(b"j"))
    return (head if cause < 0 else cause), head


def _of_anyhow(lines: bytes) -> tuple[int, int]:
    """Find the last numbered cause, else the line after `Caused by:`; the first line only has its context."""
    end = lines.find(b"l")
    causes = lines if end < 0 else lines[:end]
    root = causes.rfind(b"e") if b"e" in causes else causes.find(b"c") + 1
    return root, root


def _if_headed(lines: bytes) -> tuple[int, int]:
    return (0, 0) if lines[:1] in b"ENnLY" else (-1, -1)


# the root and the last exception of each kind of part; -1: none
ENDS: dict[str, Callable[[bytes], tuple[int, int]]] = {
    "group": lambda lines: (lines.find(b"x"), lines.find(b"y")),  # the first leaf is the cause, the group is what was raised
    "fatal": lambda lines: (0, max(lines.find(b"E"), 0)),
    "cpp": lambda lines: (0, 1 if len(lines) > 1 and lines[1] in INDENTED.encode() else 0),  # what(): is the second line
    "java": _of_java,
    "go": lambda _: (0, 0),
    "rust": lambda _: (0, 0),
    "anyhow": _of_anyhow,
    "native": _if_headed,
    "erlang": lambda lines: (lines.find(b"j"),) * 2 if b"j" in lines else _if_headed(lines),
    "framed": lambda _: (1, 1),
    "other": lambda _: (0, 0),
}
