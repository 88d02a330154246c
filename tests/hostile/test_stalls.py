"""No line of one unit hides or delays what another unit, or the same one, has to report."""

from contextlib import closing
from pathlib import Path

import pytest

from forensics.model.values import Signature
from forensics.signatures import match
from forensics.signatures.pattern import Catalogue, Pattern
from forensics.signatures.slow_expression import slowness
from forensics.watch import loop
from forensics.watch.state import State
from tests.hostile.two_units import rows_of_two
from tests.watch.live import Journal, alerts, rounds, watching
from tests.watch.streams import TRACEBACK, rows_of

ENDLESS = {
    "10 MB": "x" * 10_000_000,
    "strings of terminals that never end": "\x9d" * 60_000,
    "the others of them": "\x90\x98\x9e\x9f" * 15_000,
    "control sequences": "\x1b[" * 60_000,
    "newlines": "\n" * 60_000,
    "indented newlines": "\n " * 60_000,
    "frames": '  File "x", line 1, in f\n' * 20_000,
    "combining marks": "e" + "\u0301" * 60_000,
    "words": "error: failed " * 20_000,
    "bytes": "\udc80" * 60_000,
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_another_unit_is_alerted_about_beside_an_endless_line(tmp_path, known, clock, kind):
    rows, sentences = rows_of_two(tmp_path, ENDLESS[kind]), []
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, Journal(rows), known, say=sentences.append)
        rounds(watch, clock, 5)
        assert ("NewFailureSignature", "a.service") in alerts(state)
    assert sentences == []


def test_a_slow_pattern_of_the_user_is_named_and_hides_nothing(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(match, "TIMEOUT_S", 0.01)
    slow = Pattern(Signature("user.slow", "Slow", "high"), Path("slow.toml"), (r"(?:x+)+(?!y)z",), engine="regex")
    rows, sentences = rows_of_two(tmp_path, "x" * 5000), []
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, Journal(rows), Catalogue((slow,)), say=sentences.append)
        rounds(watch, clock, 5)
        assert {unit for name, unit in alerts(state) if name == "NewFailureSignature"} == {"a.service", "b.service"}
    assert sentences == ["The pattern user.slow timed out on 1 text after 0.25 s each."]


@pytest.mark.parametrize("cause", [TRACEBACK.splitlines(), ["CUDA error: out of memory"], ["ERROR something of our own broke: gadget"]])
@pytest.mark.parametrize("after", [10, 50_000])
def test_the_cause_is_found_however_many_lines_follow(tmp_path, known, clock, cause, after):
    rows = [row for row in rows_of(tmp_path, line="a line", restarts=0) if "UNIT_RESULT" not in row or row["UNIT_RESULT"]]
    at = next(number for number, row in enumerate(rows) if row["MESSAGE"] == "a line")
    own = rows[at] | {"PRIORITY": "6"}
    lines = [f"step {n}" for n in range(200)] + cause + [f"served request {n} of client {n % 77}" for n in range(after)]
    many = [own | {"MESSAGE": line} for line in lines]
    rows = [row | {"__CURSOR": f"c{number}"} for number, row in enumerate([*rows[:at], *many, *rows[at + 1 :]])]
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, Journal(rows), known)
        rounds(watch, clock, after // loop.MOST_ENTRIES + 6)
        ((_, signature),) = watch.tracker.classes
    expected = {3: "loader.libstdcxx-missing"}.get(len(cause))
    assert signature == expected or (expected is None and not signature.startswith("exit:"))


@pytest.mark.parametrize("expression", [r"(a+)+$", r"(a|aa)+$", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_an_expression_that_backtracks_for_ever_is_refused(expression):
    assert "avoid a repetition within a repetition" in slowness(expression, "regex")


@pytest.mark.parametrize("expression", [r"(?<!not )out of memory", r"^\S+: (?!warning).*error", r"(?i)no space left on device"])
def test_an_ordinary_expression_is_not_refused(expression):
    assert slowness(expression, "regex") is None
