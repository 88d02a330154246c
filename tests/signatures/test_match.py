"""The prefiltered search finds exactly what a plain loop over patterns and texts finds."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.model.values import Signature
from forensics.signatures import match
from forensics.signatures.pattern import Catalogue, Pattern, Value
from forensics.signatures.prefilter import required
from tests.signatures.making import event, events_frame, manager


def pattern(id_: str, *messages: str, engine: str = "rust", **columns: tuple[Value, ...]) -> Pattern:
    literals = tuple(required(message) for message in messages)
    return Pattern(Signature(id_, id_, "high"), Path(f"{id_}.toml"), messages, columns, engine, literals=literals)


SOME = [
    pattern("symbol", r"undefined symbol: (?P<symbol>_Z\w+)"),
    pattern("port", r"(?i)address already in use", r"port (?P<port>\d+) taken"),
    pattern("short", r"a\d"),
    pattern("overlap", r"symbol: _Z"),
    pattern("around", r"(?<!un)defined", engine="regex"),
    pattern("lines", r"(?m)^end$"),
    pattern("number", r"errno 98\b", r"taken 1\d"),
    pattern("digits", r"(?<!x)port \d\d", engine="regex"),
]
WORDS = [
    "undefined symbol: _Zfoo",
    "Address ALREADY in use",
    "port 80 taken",
    "port 81 taken",
    "errno 98",
    "errno 13",
    "a1",
    "defined",
    "end",
    "\n",
    " ",
    "addreſs already in use",
    "é",
]


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=5).map("".join), max_size=8), st.sampled_from([0, match.FEW]))
def test_hits_are_those_of_a_plain_loop(texts: list[str], others: int) -> None:
    """Of a few texts and of many: they are looked through in two ways."""
    texts += [f"nothing {number}" for number in range(others)]
    known = Catalogue(tuple(SOME))
    hits = match.find_in_texts(pl.Series(texts, dtype=pl.String), known)
    naive = {(t, p) for t, text in enumerate(texts) for p, one in enumerate(SOME) if any(re.search(m, text) for m in one.messages)}
    assert set(hits.select("text_id", "pattern").iter_rows()) == naive
    assert len(hits) == len(naive)
    assert known.notes == ()


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=5).map("".join), max_size=8))
@settings(max_examples=20)
def test_what_is_remembered_is_what_is_found(texts: list[str]) -> None:
    known = Catalogue(tuple(SOME))
    series = pl.Series(texts, dtype=pl.String)
    found = match._found(series, known).rows()
    half = match.find_in_texts(series[::2], known)
    assert sorted(match.find_in_texts(series, known).rows(), key=str) == sorted(found, key=str)
    assert match.find_in_texts(series[::2], known).rows() == half.rows()


def test_of_texts_nothing_is_remembered_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "MOST_REMEMBERED", match.FEW + 2)
    known = Catalogue(tuple(SOME))
    for number in range(10):
        match.find_in_texts(pl.Series([f"errno {number}", "x" * (match.LONGEST + 1)]), known)
    remembered = match._REMEMBERED(known.patterns)
    assert 0 < len(remembered) <= 3
    assert all(len(text) <= match.LONGEST for text in remembered)


def test_without_regard_to_case_the_long_s_counts_as_s() -> None:
    hits = match.find_in_texts(pl.Series(["addreſs already in use"]), Catalogue((SOME[1],)))
    assert len(hits) == 1


def found(*events: dict[str, object], patterns: list[Pattern]) -> list[tuple[object, ...]]:
    hits = match.find_hits(events_frame(*events), Catalogue(tuple(patterns)))
    return [
        (e, s, [(c["name"], c["value"]) for c in captures]) for e, s, captures in hits.select("event", "signature", "captures").iter_rows()
    ]


def test_captures_come_by_name_from_the_first_message_that_matches() -> None:
    assert found(event("port 80 taken: address already in use"), event("port 81 taken"), patterns=[SOME[1]]) == [
        (0, "port", []),
        (1, "port", [("port", "81")]),
    ]


def test_column_keys_must_hold_for_the_same_event() -> None:
    wanted = [pattern("exit", "exited", kind=("manager",), exit_status=(3, 4))]
    events = [
        manager("x exited", exit_status=3),
        manager("x exited", exit_status=5),
        manager("x exited"),
        event("x exited", exit_status=3),
        manager("x died", exit_status=3),
    ]
    assert [hit[0] for hit in found(*events, patterns=wanted)] == [0]


def test_a_pattern_may_do_without_a_message() -> None:
    assert found(event("a"), manager("b", result="watchdog"), patterns=[pattern("w", result=("watchdog",))]) == [(1, "w", [])]


def test_priority_zero_is_a_value() -> None:
    assert found(event("a", priority=0), event("b", priority=None), patterns=[pattern("emerg", priority=(0,))]) == [(0, "emerg", [])]


def test_an_event_may_match_several_patterns() -> None:
    assert [hit[1] for hit in found(event("undefined symbol: _Zx"), patterns=SOME)] == ["symbol", "overlap"]


def test_equal_texts_are_searched_once_and_all_are_hit() -> None:
    assert len(found(*[event("a1")] * 50, patterns=SOME)) == 50


def test_no_events_and_no_patterns_give_no_hits() -> None:
    assert found(patterns=SOME) == []
    assert found(event("a"), patterns=[]) == []


def test_a_look_around_pattern_that_takes_too_long_is_given_up_and_named() -> None:
    bomb = Catalogue((pattern("bomb", r"(?:a+)+(?!x)b", engine="regex"),))
    hits = match.find_in_texts(pl.Series(["a" * 5000, "aab"]), bomb)
    assert hits["text_id"].to_list() == [1]
    assert bomb.notes == ("The pattern bomb timed out on 1 text after 0.25 s each.",)


@pytest.mark.parametrize("text", ["x" * 1_000_000 + "undefined symbol: _Za", "\0undefined symbol: _Za\0"])
def test_a_hostile_text_is_searched_like_any_other(text: str) -> None:
    assert [hit[1] for hit in found(event(text), patterns=SOME)] == ["symbol", "overlap"]


def test_a_pattern_that_stalls_is_left_out_for_good_after_some_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "TIMEOUT_S", 0.01)
    bomb = Catalogue((pattern("bomb", r"(?:a+)+(?!x)b", engine="regex"),))
    for count in range(3, 6):
        hits = match.find_in_texts(pl.Series(["a" * 5000 + str(number) for number in range(count)]), bomb)
        assert hits.is_empty()
    assert bomb.timeouts == {"bomb": 4}
    assert bomb.notes == ("The pattern bomb timed out on 4 texts after 0.25 s each and is left out from then on.",)
    assert match.find_in_texts(pl.Series(["aab"]), bomb).is_empty()
