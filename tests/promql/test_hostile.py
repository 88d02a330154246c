"""Whatever an expression is, it is evaluated, or refused with one of two errors."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forensics.promql import Scraped, SyntaxMistakeError, UnsupportedError, evaluate, parse
from tests.promql.excerpt import SCRAPES, SINCE, excerpt
from tests.promql.generated import expressions

SCRAPED = Scraped(excerpt(), SCRAPES)
AT = np.arange(SINCE, SINCE + 3600, 15.0)
PIECES = [
    "up",
    "{",
    "}",
    "(",
    ")",
    "[5m]",
    "[5m:1m]",
    "=",
    "=~",
    '"a"',
    "'",
    "`",
    "#",
    "\n",
    "sum",
    "by",
    "on",
    "offset",
    "@",
    "1",
    "-",
    ">",
    "bool",
]
PIECES += [
    "\x00",
    "é",
    "\\",
    "{{",
    "}}",
    "$x",
    "rate(",
    ",",
    "e",
    "0x",
    "1y",
    "__name__",
    "group_left",
    "and",
    "inf",
    "nan",
    "start()",
    "999999999d",
]


@given(expressions, st.sampled_from([2, 3]))
def test_every_expression_is_evaluated_or_refused(text, version):
    with suppress(UnsupportedError, SyntaxMistakeError):
        for vector in evaluate(parse(text), SCRAPED, AT, version=version):
            assert vector.values.shape == vector.present.shape == AT.shape
            assert vector.present.any()


@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text()
)
@example("a[1y:1ms]")
@example("a @ 1e300")
@example("topk(1e99, a)")
def test_every_text_is_an_expression_or_a_mistake(text):
    with suppress(UnsupportedError, SyntaxMistakeError):
        evaluate(parse(text), SCRAPED, AT)


@pytest.mark.parametrize("at", [[], [SINCE], [SINCE - 1e6], [SINCE + 1e9]])
@pytest.mark.parametrize(
    "text", ["up", "rate(up[5m])", "sum(up)", "absent(up)", "max_over_time((up == 1)[5m:1m])", "time()", "deriv(up[5m])"]
)
def test_any_number_of_steps_is_evaluated(text, at):
    found = evaluate(parse(text), SCRAPED, np.array(at))
    assert all(vector.values.shape == (len(at),) for vector in found)


def test_no_series_and_no_scrapes_are_no_mistake():
    nothing = Scraped((), SCRAPES)
    assert evaluate(parse("up"), nothing, AT) == ()
    assert evaluate(parse("absent(up)"), nothing, AT)[0].present.all()
