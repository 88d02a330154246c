"""Find expressions that backtrack for ever, by trying them on the texts that are worst for their form."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from re import _constants as op  # type: ignore[attr-defined]  # as in `prefilter`
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import polars as pl
import regex  # type: ignore[import-untyped]

from forensics.signatures.pattern import REGEX, TIMEOUT_S

LENGTHS = (30, 1_000, 2_000)  # exponential ones show at 30 characters, cubic ones at 1,000
CHARACTERS = "aA0 ._-/:=\"'(<\n\t"
MOST_PROBES = 80
_REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}
_IS = {
    op.CATEGORY_DIGIT: str.isdigit,
    op.CATEGORY_NOT_DIGIT: str.isdigit,
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: str.isspace,
}
_NOT = {op.CATEGORY_NOT_DIGIT, op.CATEGORY_NOT_SPACE, op.CATEGORY_NOT_WORD}
_CATEGORIES = {op.CATEGORY_DIGIT: "1", op.CATEGORY_SPACE: " ", op.CATEGORY_WORD: "a", op.CATEGORY_NOT_SPACE: "a"}


def slowness(expression: str, engine: str) -> str | None:
    """Why an expression that compiles is too slow to use, in a clause; null when it is not."""
    return _enormous(expression) if engine != REGEX else _backtracking(expression)


def _backtracking(expression: str) -> str | None:
    compiled = regex.compile(expression)
    probes, matching = _probes(expression)
    for length in LENGTHS:
        for lead, unit in probes:
            text = lead + unit * (length // len(unit)) + "\x01\n!" + matching  # the engine looks for what must be there first
            try:
                compiled.search(text, timeout=TIMEOUT_S)
            except TimeoutError:
                like = repr((lead + unit * 3)[:40])
                return f"it needs more than {TIMEOUT_S} s for {len(text)} characters like {like}; avoid a repetition within a repetition"
    return None


def _enormous(expression: str) -> str | None:
    """Rust's engine is linear, but an expression of many thousand states makes it slow."""
    texts = pl.Series([character * LENGTHS[-1] for character in CHARACTERS])
    begun = time.thread_time()
    texts.str.contains(expression)
    if time.thread_time() - begun <= TIMEOUT_S:
        return None
    return f"it needs more than {TIMEOUT_S} s for {len(texts)} lines of {LENGTHS[-1]} characters; avoid large counts in braces"


def _probes(expression: str) -> tuple[list[tuple[str, str]], str]:
    """List (lead, unit), what leads to a repetition, and what it repeats or log lines repeat; with a text that matches."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(expression)
        repetitions, matching = list(repeats(tree, "")), sample(tree)
    except (parser.error, OverflowError, RecursionError):
        repetitions, matching = [], ""
    units = [*dict.fromkeys(unit for _, unit in repetitions if unit), *CHARACTERS]
    leads = list(dict.fromkeys(["", *(lead for lead, _ in repetitions)]))
    return [(lead, unit) for lead in leads for unit in units][:MOST_PROBES], matching


def repeats(nodes: Any, before: str) -> Iterator[tuple[str, str]]:
    """Yield what leads to each repetition of a parsed expression, with a text that it repeats."""
    for code, value in nodes:
        if code in _REPEATS:
            yield before, sample(value[2])
        for inner in _inside(code, value):
            yield from repeats(inner, before)
        before += _sample_of(code, value)


def _inside(code: Any, value: Any) -> list[Any]:
    """List the expressions within an element of one."""
    if code in _REPEATS:
        return [value[2]]
    if code is op.SUBPATTERN:
        return [value[3]]
    if code is op.ATOMIC_GROUP:
        return [value]
    if code in {op.ASSERT, op.ASSERT_NOT}:
        return [value[1]]
    return list(value[1]) if code is op.BRANCH else []


def sample(nodes: Any) -> str:
    """Write a short text that a parsed expression matches, look-around aside."""
    return "".join(_sample_of(code, value) for code, value in nodes)


def _sample_of(code: Any, value: Any) -> str:
    if code in {op.ASSERT, op.ASSERT_NOT}:
        return ""
    if inner := _inside(code, value):
        longest = max((sample(nodes) for nodes in inner), key=len)
        return longest * min(max(1, value[0]), 40) if code in _REPEATS else longest
    if code is op.LITERAL:
        return chr(value)
    if code is op.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    return "a" if code is op.ANY else _of_class(value) if code is op.IN else ""


def _holds(code: Any, value: Any, character: str) -> bool:
    """Whether an item of a class of characters, such as a range, has a character."""
    if code is op.CATEGORY:
        is_it = _IS.get(value, str.isalnum)(character)
        return not is_it if value in _NOT else is_it
    first, last = value if code is op.RANGE else (value, value)
    return bool(first <= ord(character) <= last)


def _of_class(items: list[tuple[Any, Any]]) -> str:
    code, value = items[0]
    if code is op.NEGATE:
        return next((character for character in "a1. :x\tA_-" if not any(_holds(*item, character) for item in items[1:])), "\x01")
    if code is op.CATEGORY:
        return _CATEGORIES.get(value, ".")
    return chr(value[0]) if code is op.RANGE else chr(value)
