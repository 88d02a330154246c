"""Drive regular expressions with the worst inputs of their shape, and compare what ten times the length costs."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from re import _parser as parser
from typing import Any

import forensics
from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.signatures.slow_expression import repeats, sample

KB = 1024
SIZES = (KB, 10 * KB, 40 * KB)  # at 40 KB the fastest step of the engine, repeated quadratically, takes 30 times FLOOR_S
TINY = (12, 18, 24)  # an exponential expression shows at these already, and takes longer than a test may at 1 KB
FLOOR_S = 0.03  # shorter times are noise: what is quadratic in 40 KB takes a second
TINY_S = 0.02  # ordinary ones need microseconds
LIMIT_S = 2.0  # of one search: 40 times CUBIC_S, so that what is ended is known to grow
CUBIC_S = 0.05  # for 1 KB
GROWTH = 40.0  # linear is 10, quadratic 100
MOST_DRIVEN = (12, 4)  # inputs that are driven with 10 and with 40 KB: the ones that cost most so far

# What log lines consist of, what terminals obey, and what cannot be seen.
ALPHABET = (
    *"aAzex019_.-/:;,=+*#@~%&|!?<>()[]{}\\'\"`$^ \t\n\r\f\x00\x1b\x07",
    *("\x1b[", "\x1b]", "\x1b[0;"),
    *"\x85\x90\x98\x9b\x9c\x9d\x9e\x9f\u0301\u200b\u202e\u2028\xa0é漢😀\udc80",
)
PHRASES = (
    "word: ", "a.b", "a/", "/a", "1.", "1:", "a-", "a=1 ", " a==", "key=", '"a" ', "'a' ", '\\"', "([{<", ")]}>", "\n\n ", " \n",
    "\n\t", "<n> ", "0x1f ", "at x ", 'File "', "│ ", "╭─", "-- ", "://", "a@", "a:b@", "::", "::1", "1 2 ", "⟨U+", "a_1", "aA1",
    "--a ", "{}", "${",
)  # fmt: skip

Found = tuple[str, re.Pattern[Any]]


def modules() -> Iterator[Any]:
    """Import every module of the program."""
    for found in pkgutil.walk_packages(forensics.__path__, "forensics."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def constants(wanted: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """Yield the constants of the program's modules, also in tuples, dicts and dataclasses, each once, by its place."""
    known: set[int] = set()
    for module in modules():
        for name, value in vars(module).items():
            if name.startswith("__"):
                continue
            for part in _parts(value):
                if wanted(part) and id(part) not in known:
                    known.add(id(part))
                    yield f"{module.__name__.removeprefix('forensics.')}.{name}", part


def _parts(value: Any, depth: int = 4) -> Iterator[Any]:
    yield value
    if depth == 0:
        return
    if isinstance(value, Mapping):
        inner: Iterable[Any] = [*value.keys(), *value.values()]
    elif isinstance(value, tuple | list | frozenset | set):
        inner = value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
    else:
        return
    for part in inner:
        yield from _parts(part, depth - 1)


def compiled() -> list[Found]:
    """List the program's compiled expressions by their place."""
    found = constants(lambda part: isinstance(part, re.Pattern | LazyPattern))
    return [
        (f"{place}#{number}", value.compiled if isinstance(value, LazyPattern) else value) for number, (place, value) in enumerate(found)
    ]


def only_at_start(place: str) -> bool:
    """Whether the program asks for an expression at one place of a text only, by `match` or `fullmatch`."""
    uses = _uses_by_name().get(place.partition("#")[0].rpartition(".")[2], set())
    return bool(uses) and uses <= {"match", "fullmatch"}


@cache
def _uses_by_name() -> dict[str, set[str]]:
    """The methods that the program's source calls of each name in capitals."""
    uses: dict[str, set[str]] = {}
    for source in Path(forensics.__file__).parent.rglob("*.py"):
        for name, use in re.findall(r"\b(_*[A-Z][A-Z0-9_]*)\.(\w+)\(", source.read_text()):
            uses.setdefault(name, set()).add(use)
    return uses


def driven(place: str, pattern: re.Pattern[Any]) -> Callable[[str], object]:
    """Apply an expression as the program does: at the start of a text, or everywhere in it."""
    is_bytes, at_start = isinstance(pattern.pattern, bytes), only_at_start(place)

    def search(text: str) -> object:
        searched = text.encode(errors="surrogateescape") if is_bytes else text
        return pattern.match(searched) if at_start else sum(1 for _ in pattern.finditer(searched))

    return search


def worst_inputs(pattern: str, flags: int = 0) -> list[tuple[str, str]]:
    """List (lead, unit) pairs: the lead once, then the unit as often as fits, then what makes the match fail."""
    leads, units = {""}, set(ALPHABET) | set(PHRASES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(pattern, flags)
    except (parser.error, OverflowError, RecursionError):
        return [("", unit) for unit in sorted(units)]
    for before, body in repeats(tree, ""):
        leads.add(before)
        units |= {unit for unit in (body, before, before + body) if unit}
    matching = sample(tree)
    units |= {matching, matching[:-1]} | set(re.findall(r"\w{3,}", matching))
    leads = set(sorted(leads, key=len)[:10])
    inputs = {(lead, unit) for lead in leads for unit in (units if lead == "" else {*ALPHABET, *(body for _, body in repeats(tree, ""))})}
    return sorted(pair for pair in inputs if pair[1] and len(pair[0]) < 200)


def text_of(lead: str, unit: str, size: int) -> str:
    """Write an input of about `size` characters."""
    return lead + unit * max(1, (size - len(lead)) // len(unit)) + "\x01\n\n!"


def cost(search: Callable[[str], object], text: str, times: int = 1) -> float:
    """CPU seconds of this thread: other processes do not count. Only their ratio is looked at."""
    costs = []
    for _ in range(times):
        begun = time.thread_time()
        with limited():
            search(text)
        costs.append(time.thread_time() - begun)
        if costs[-1] > LIMIT_S / 2:
            break
    return min(costs)


@contextmanager
def limited() -> Iterator[None]:
    """End a search after LIMIT_S of CPU time: the engine looks for signals now and then."""
    before = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        with suppress(TimeoutError):
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _give_up(*_: object) -> None:
    raise TimeoutError


def superlinear(search: Callable[[str], object], inputs: list[tuple[str, str]]) -> list[str]:
    """Describe the inputs on which ten times the length costs much more than ten times as much."""
    if (found := _exponential(search, inputs)) is not None:
        return [found]
    costs: dict[tuple[str, str], float] = {}
    for pair in inputs:
        costs[pair] = cost(search, text_of(*pair, SIZES[0]))
        if costs[pair] > CUBIC_S and cost(search, text_of(*pair, SIZES[0]), 3) > CUBIC_S:
            return [f"{pair[0]!r} + {pair[1]!r} * n: far from linear"]
    for size, most in zip(SIZES[1:], MOST_DRIVEN, strict=True):
        dearest = sorted(costs, key=lambda pair: (-costs[pair], pair))[:most]
        costs = {}
        for pair in dearest:
            costs[pair] = cost(search, text_of(*pair, size))
            if _grows(search, pair, size, costs[pair]):
                return [f"{pair[0]!r} + {pair[1]!r} * n: not linear at {size // KB} KB"]
    return []


def _exponential(search: Callable[[str], object], inputs: list[tuple[str, str]]) -> str | None:
    """Describe the first input that costs much at a few characters already; nearly always all of them together cost less than one may."""
    for size in TINY:
        texts = {text_of(*pair, size): pair for pair in inputs}
        if cost(lambda _, texts=texts: [search(text) for text in texts], "") <= TINY_S:
            continue
        for text, (lead, unit) in texts.items():
            if cost(search, text) > TINY_S and cost(search, text, 3) > TINY_S:
                return f"{lead!r} + {unit!r} * n: exponential"
    return None


def _grows(search: Callable[[str], object], pair: tuple[str, str], size: int, first: float) -> bool:
    """Whether an input costs more than GROWTH times what a tenth of it does, also when measured again."""
    if first < FLOOR_S:
        return False
    shorter = cost(search, text_of(*pair, size // 10), 3)
    return first > GROWTH * shorter and cost(search, text_of(*pair, size), 1 if first > 1 else 3) > GROWTH * shorter
