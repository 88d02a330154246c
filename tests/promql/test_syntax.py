"""Expressions are read with their selectors; mistakes and hostile texts get one sentence."""

import numpy as np
import pytest

from forensics.promql import Matcher, Scraped, Scrapes, Selector, StepSeries, SyntaxMistakeError, UnsupportedError, evaluate, parse

NOTHING = Scraped((), Scrapes(0.0, 600.0))
AT = 15.0 * np.arange(40)


def test_selectors_are_listed_with_their_matchers_and_whether_they_are_inside_absent():
    found = parse('absent(up{job="a"}) or sum(rate({__name__="x",b!~"c.*"}[5m])) > 0').selectors
    assert found == (
        Selector("up", (Matcher("job", "=", "a"),), absent=True),
        Selector("x", (Matcher("b", "!~", "c.*"),)),
    )


def test_a_name_that_is_a_pattern_gives_no_metric():
    (found,) = parse('{__name__=~"a|b"}').selectors
    assert (found.metric, found.matchers) == (None, (Matcher("__name__", "=~", "a|b"),))


@pytest.mark.parametrize(
    ("operator", "pattern", "value", "accepted"),
    [
        ("=", "a", "a", True),
        ("=", "", "", True),
        ("!=", "a", "", True),
        ("=~", "a|b", "b", True),
        ("=~", "a", "ab", False),
        ("=~", "a.*", "ab", True),
        ("=~", "[[:alpha:]]+", "ab", True),
        ("=~", "(?i)TABBY.+", "tabbyapi", True),
        ("=~", "\\d+", "٣", False),
        ("!~", ".+", "", True),
        ("!~", "a", "a", False),
    ],
)
def test_a_matcher_accepts_what_prometheus_accepts(operator, pattern, value, accepted):
    assert Matcher("label", operator, pattern).accepts(value) == accepted


@pytest.mark.parametrize("pattern", ["(a)\\1", "a++", "(?>a)", "x{e<=1}", "(?=a)"])
def test_a_pattern_that_is_none_of_prometheus_is_not_evaluated(pattern):
    with pytest.raises(UnsupportedError, match="the regular expression"):
        Matcher("label", "=~", pattern).accepts("aaaa")


def test_a_pattern_that_backtracks_without_end_is_given_up():
    with pytest.raises(UnsupportedError, match="takes too long"):
        Matcher("label", "=~", "(a|aa)+b").accepts("a" * 80)


@pytest.mark.parametrize(
    ("text", "compared", "operator", "threshold"),
    [
        ("up == 0", "up", "==", 0),
        ("(rate(a[5m]) * 60) >= 1e3", "rate(a[5m]) * 60", ">=", 1000),
        ("(a > 5)", "a", ">", 5),
    ],
)
def test_a_comparison_with_a_number_is_taken_to_pieces(text, compared, operator, threshold):
    found = parse(text).comparison
    assert (found.compared.text, found.operator, found.threshold) == (compared, operator, threshold)
    assert found.compared == parse(compared)


@pytest.mark.parametrize("text", ["up", "5 < up", "up == up", "sum(up) + 1", "up > bool 1 and up"])
def test_what_compares_with_no_number_has_no_comparison(text):
    assert parse(text).comparison is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no expression found in input"),
        ("up ==", "unexpected end of input|invalid promql query"),
        ("sum(up", "unclosed left parenthesis"),
        ("incrase(up[5m])", "unknown function with name 'incrase'"),
        ("rate(up)", "expected type matrix"),
        ('up{a=~"("}', "illegal regex"),
        ("{}", "at least one non-empty matcher"),
        ("1 == 1", "must use BOOL modifier"),
        ('up{a="b" or c="d"}', "'or' between label matchers is not PromQL"),
        ("{{ $labels.x }}", "unexpected"),
        ("\udc80", "characters that are no text"),
    ],
)
def test_a_mistake_is_one_sentence(text, sentence):
    with pytest.raises(SyntaxMistakeError, match=sentence) as raised:
        parse(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("holt_winters(up[5m], 0.5, 0.5)", "holt_winters"),
        ("double_exponential_smoothing(up[5m], 0.5, 0.5)", "double_exponential_smoothing"),
        ("histogram_quantile(0.9, up)", "histogram_quantile"),
        ("mad_over_time(up[5m])", "mad_over_time"),
        ("info(up)", "info"),
        ("limitk(2, up)", "limitk"),
        ("up @ 5", "the @ modifier"),
        ("up @ -1", "the @ modifier"),
        ("rate(up[5m] @ end())", "the @ modifier"),
        ("sum(up)[5m:] @ start()", "the @ modifier"),
        ("up + fill(0) up", "fill"),
        ('"text"', "neither a vector nor a scalar"),
        ("up[5m]", "neither a vector nor a scalar"),
        ("(" * 400 + "up" + ")" * 400, "levels"),
        ("(" * 100_000, "characters|operators"),
        ("+".join(["up"] * 5000), "operators"),
        ("-" * 3000 + "up", "operators"),
        ("up and " * 1000 + "up", "operators"),
        ('up{a="' + "b" * 60_000 + '"}', "characters"),
        ("sum_over_time((up == 1)[10000000d:1ms])", "a subquery of"),
        ("sum_over_time((up == 1)[5m:1ms])[10000000d:5m]", "neither|a subquery of"),
        ("max_over_time(max_over_time((up == 1)[10000d:1s])[10000d:1s])", "a subquery of"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(text, construct):
    with pytest.raises(UnsupportedError, match=construct):
        evaluate(parse(text), NOTHING, AT)


def test_too_many_scrapes_are_refused():
    with pytest.raises(UnsupportedError, match="scrapes"):
        evaluate(parse("up"), Scraped([StepSeries("up", {}, AT, AT)], Scrapes(0.0, 1e9, 0.001)), AT)
