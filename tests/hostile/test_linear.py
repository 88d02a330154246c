"""Every expression of the program is linear: ten times the length costs about ten times as much, on the worst inputs of its shape."""

import re
from re import _parser as parser

import polars as pl
import pytest
import regex

from forensics.sanitize.characters import make_visible, without_controls
from forensics.signatures.frames import top_frames
from forensics.signatures.pattern import REGEX
from forensics.signatures.slow_expression import sample
from forensics.signatures.traceback import outline
from tests.hostile.worst import compiled, driven, superlinear, worst_inputs
from tests.shipped import shipped

COMPILED = compiled()
LOOK_AROUND = [(pattern.id, message) for pattern in shipped().patterns if pattern.engine == REGEX for message in pattern.messages]
# whole functions over log text: what they cost by the kind of input
FUNCTIONS = {
    "without_controls": without_controls,
    "make_visible": make_visible,
    "top_frames": top_frames,
    "outline": lambda text: outline(text, None, None),
}


def test_the_expressions_are_found():
    assert len(COMPILED) > 90


@pytest.mark.parametrize(("place", "pattern"), COMPILED, ids=[place for place, _ in COMPILED])
def test_an_expression_is_linear(place, pattern):
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    inputs = worst_inputs(source, pattern.flags & (re.IGNORECASE | re.DOTALL | re.MULTILINE))
    assert superlinear(driven(place, pattern), inputs) == []


@pytest.mark.parametrize(("id_", "message"), LOOK_AROUND)
def test_a_look_around_expression_of_the_catalogue_is_linear(id_, message):
    assert superlinear(regex.compile(message).search, worst_inputs(message)) == [], id_


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_over_log_text_is_linear(name):
    assert superlinear(FUNCTIONS[name], worst_inputs("")) == []


@pytest.mark.parametrize(
    "expression", [r"[^\S\n]", r"[^\S ]", r"[^\s]", r"[^a]", r"[^a-z1]", r"[^\w\s]", r"[^\W\d]", r"\s\d\w", r"(?:a|bc){2,9}+d"]
)
def test_a_sample_is_what_the_expression_matches(expression):
    """Without this, an expression would be driven behind a lead that it never reaches."""
    assert re.fullmatch(expression, sample(parser.parse(expression)))


@pytest.mark.parametrize(
    "expression", [r"(a+)+$", r"(\w+\s?)*x", r"a*b", r"\s+$", r"<.*>", r'"[^x]*"y', r"a.*b.*c", r"(?<!a)(?:a|-)+=", r"#\S*;"]
)
def test_the_measurement_finds_what_is_not_linear(expression):
    """Without this, a measurement that sees nothing would pass."""
    found = re.compile(expression)
    assert superlinear(lambda text: sum(1 for _ in found.finditer(text)), worst_inputs(expression))


def test_the_catalogue_is_linear_by_its_engine():
    """Rust's engine is: what is left to show is that no expression is so large that a long line takes seconds."""
    lines = pl.Series([character * 10_240 for character in ("a", " ", "\n", "1", ".", "\x9d", "\u0301")])
    for pattern in shipped().patterns:
        for message in pattern.messages if pattern.engine != REGEX else ():
            assert not lines.str.contains(message).any(), pattern.id
