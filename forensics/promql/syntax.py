"""Read an expression, and refuse what would exhaust the parser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import promql_parser as parser

from forensics.promql.conversion import Place, converted
from forensics.promql.errors import SyntaxMistakeError, UnsupportedError
from forensics.promql.selectors import Selector
from forensics.promql.tree import Binary, Instant, Node, Number, walk

MOST_CHARACTERS = 50_000
# promql-parser recurses, and a stack that overflows ends the process; rules that people write have up to about 100 of these
MOST_OPERATORS = 500
STRINGS_AND_COMMENTS = re.compile(r""""(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?|`[^`]*+`?|#[^\n]*""")
OPERATORS = re.compile(r"[-+*/%^(\[{]|[=!<>]=?|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
RENAMED = {"holt_winters"}  # functions of Prometheus 2 that promql-parser does not know


@dataclass(frozen=True, slots=True)
class Comparison:
    """An expression that compares with a number: what is compared, how, and the number."""

    compared: Expression
    operator: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. text: as it was given; empty where the tree was made from others."""

    text: str
    tree: Node

    @property
    def selectors(self) -> tuple[Selector, ...]:
        return tuple(node.selector for node in walk(self.tree) if isinstance(node, Instant))

    @property
    def comparison(self) -> Comparison | None:
        """Return what is compared with which number, so that a reader can be shown how near it came."""
        match self.tree:
            case Binary(operator=operator, left=left, right=Number(value=value)) if operator[0] in "=!<>":
                return Comparison(Expression(_left_text(self.text) if self.text else "", left), operator, value)
            case _:
                return None


def _left_text(text: str) -> str:
    """Write what is left of the operator."""
    return str(_without_brackets(_without_brackets(parser.parse(text)).lhs).prettify())


def _without_brackets(node: Any) -> Any:
    return _without_brackets(node.expr) if isinstance(node, parser.ParenExpr) else node


def parse(text: str) -> Expression:
    """Parse an expression. Raises SyntaxMistakeError, or UnsupportedError for functions that only older versions have."""
    if len(text) > MOST_CHARACTERS:
        raise UnsupportedError(f"an expression of more than {MOST_CHARACTERS:,} characters")
    if len(OPERATORS.findall(STRINGS_AND_COMMENTS.sub("", text))) > MOST_OPERATORS:
        raise UnsupportedError(f"an expression with more than {MOST_OPERATORS} operators and brackets")
    try:
        parsed = parser.parse(text)
    except UnicodeError as error:
        raise SyntaxMistakeError("it has characters that are no text") from error
    except ValueError as error:
        raise _mistake(str(error)) from error
    return Expression(text, converted(parsed, Place()))


def _mistake(message: str) -> UnsupportedError | SyntaxMistakeError:
    unknown = re.fullmatch(r"unknown function with name '(\w+)'", message)
    if unknown and unknown[1] in RENAMED:
        return UnsupportedError(f"{unknown[1]}()")
    return SyntaxMistakeError(message.partition("\n")[0])
