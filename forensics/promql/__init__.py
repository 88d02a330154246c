"""Evaluate PromQL over step series exactly as Prometheus 2 and 3 do."""

from forensics.promql.engine import Vector, evaluate
from forensics.promql.errors import RefusedError, SyntaxMistakeError, UnsupportedError
from forensics.promql.interest import points_of_interest
from forensics.promql.rule import Evaluations, alerts
from forensics.promql.scraped import Scraped
from forensics.promql.selectors import Matcher, Selector
from forensics.promql.series import Scrapes, StepSeries
from forensics.promql.states import Firing, firings
from forensics.promql.syntax import Comparison, Expression, parse

__all__ = [
    "Comparison",
    "Evaluations",
    "Expression",
    "Firing",
    "Matcher",
    "RefusedError",
    "Scraped",
    "Scrapes",
    "Selector",
    "StepSeries",
    "SyntaxMistakeError",
    "UnsupportedError",
    "Vector",
    "alerts",
    "evaluate",
    "firings",
    "parse",
    "points_of_interest",
]
