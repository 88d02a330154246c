"""Parse the expressions of rules, and find where a syntax mistake is, which the parser does not say."""

from __future__ import annotations

import re
from functools import lru_cache

import promql_parser

from forensics.promql import Expression, SyntaxMistakeError, UnsupportedError, parse

_TOKEN = re.compile(r"\s+|#[^\n]*|\"(?:\\.|[^\"\\])*+\"?|'(?:\\.|[^'\\])*+'?|`[^`]*+`?|[\w:.]+|[=!<>]=|=~|!~|.", re.DOTALL)
_CLOSERS = {"(": ")", "{": "}", "[": "]"}
# what can follow a start that is correct so far, by the bracket that it ends in
_CONTINUATIONS = {
    "": ("", " x", "(x)", " by (x) (x)", "[5m]"),
    "(": ("", "x", " x", "(x)", "x[5m]", "[5m]"),
    "{": ("", "x=''", "=''", "''"),
    "[": ("", "5m", "m", ":5m", "5m:5m"),
}
_LOGQL = re.compile(r"\}\s*\|[=~]|\|\s*(?:json|logfmt|unwrap|line_format|pattern|label_format)\b|\}\s*!=\s*[`\"]")
_SYNTAX = re.compile(r"invalid promql query|unexpected|unclosed|unterminated|bad |illegal|unknown escape")


class ExpressionError(Exception):
    """What is wrong with an expression. offset: where it begins; None when it concerns the whole."""

    def __init__(self, sentence: str, offset: int | None = None) -> None:
        super().__init__(sentence)
        self.offset = offset


@lru_cache(maxsize=4096)
def parsed(text: str) -> Expression | None:
    """Parse an expression; None for one that Prometheus accepts and `promql` does not read. Raises ExpressionError."""
    try:
        return parse(text)
    except UnsupportedError:
        return None
    except SyntaxMistakeError as error:
        message = str(error)
    offset = _place(text) if _SYNTAX.match(message) else _quoted(message, text)
    raise ExpressionError(_sentence(message, text, offset), offset)


def _sentence(message: str, text: str, offset: int | None) -> str:
    if offset is not None and message.startswith("invalid promql query"):
        rest = text[offset:].split()
        message = f"unexpected '{rest[0][:30]}'" if rest else "it ends too early"
    loki = " (it is LogQL: a rule for Loki)" if _LOGQL.search(text) else ""
    return f"the expression is not PromQL: {message}{loki}"


def _place(text: str) -> int:
    """Find the first token after which nothing that could follow makes an expression; the end where it is only incomplete."""
    if _can_be_continued(text):
        return len(text)
    ends = [0, *(found.end() for found in _TOKEN.finditer(text))]
    low, high = 0, len(ends) - 1  # the first `low` tokens can be continued, the first `high` cannot
    while high - low > 1:
        middle = (low + high) // 2
        if _can_be_continued(text[: ends[middle]]):
            low = middle
        else:
            high = middle
    return ends[low]


def _can_be_continued(start: str) -> bool:
    """Whether an expression can begin so, as far as syntax alone decides."""
    open_: list[str] = []
    for token in _TOKEN.findall(start):
        if token in _CLOSERS:
            open_.append(token)
        elif open_ and token == _CLOSERS[open_[-1]]:
            open_.pop()
    closing = "".join(_CLOSERS[bracket] for bracket in reversed(open_))
    return any(_is_syntax(start + more + closing) for more in _CONTINUATIONS[open_[-1] if open_ else ""])


def _is_syntax(text: str) -> bool:
    try:
        promql_parser.parse(text)
    except ValueError as error:
        return not _SYNTAX.match(str(error))
    return True


def _quoted(message: str, text: str) -> int | None:
    """Find what a message quotes, such as the name of an unknown function."""
    found = re.search(r"'([^']+)'", message)
    offset = text.find(found[1]) if found else -1
    return offset if offset >= 0 else None
