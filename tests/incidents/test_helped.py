"""How often a restart helped, per incident and class."""

import polars as pl

from forensics.incidents.helped import restart_helped

SCHEMA = {
    "number": pl.UInt32, "unit_number": pl.Int64, "signature": pl.String, "failed": pl.Boolean, "restarted": pl.Boolean,
    "outcome": pl.Enum(["failed", "clean", "stopped", "cut", "running"]), "uptime_s": pl.Float64, "automatic": pl.Boolean,
    "held": pl.Boolean, "incident": pl.UInt32,
}  # fmt: skip


def counts(*attempts: dict) -> list[tuple]:
    rows = [{"number": number, "unit_number": 1, "automatic": number > 0, **attempt} for number, attempt in enumerate(attempts)]
    return restart_helped(pl.DataFrame(rows, schema=SCHEMA)).rows()


def failure(signature: str = "a", up: float = 2, incident: int | None = 0, **columns) -> dict:
    made = {"signature": signature, "failed": True, "restarted": True, "outcome": "failed", "uptime_s": up, "held": False}
    return made | {"incident": incident} | columns


def success(up: float = 1200, outcome: str = "running", *, held: bool | None = None, **columns) -> dict:
    made = {"signature": None, "failed": False, "restarted": False, "outcome": outcome, "uptime_s": up, "incident": None}
    return made | {"held": up >= 600 if held is None else held} | columns


def test_only_the_last_failure_of_a_loop_was_followed_by_an_attempt_that_held():
    assert counts(failure(), failure(), failure(), success()) == [(0, "a", 3, 1)]


def test_isolated_failures_are_counted_without_an_incident():
    assert counts(failure(incident=None, up=900, held=True), failure(incident=None, up=900, held=True), success()) == [(None, "a", 2, 2)]


def test_each_class_and_incident_has_its_own_count():
    rows = counts(failure("a"), failure("b"), success(), failure("a", incident=1), failure("b", incident=1), failure("b", incident=1))
    assert rows == [(0, "a", 1, 0), (0, "b", 1, 1), (1, "a", 1, 0), (1, "b", 1, 0)]


def test_a_start_whose_outcome_is_not_known_yet_does_not_count():
    assert counts(failure(), success(30)) == []
    assert counts(failure(), success(30, "cut")) == []
    assert counts(failure(), success(30, "stopped")) == []
    assert counts(failure()) == []


def test_a_start_that_policy_takes_for_healthy_held():
    assert counts(failure(), success(200, "stopped", held=True)) == [(0, "a", 1, 1)]
    assert counts(failure(), success(900, "stopped", held=False)) == [(0, "a", 1, 1)]


def test_a_start_by_hand_and_a_failure_that_nothing_restarted_show_nothing_about_restarts():
    assert counts(failure(), success(automatic=False)) == []
    assert counts(failure(restarted=False), success()) == []


def test_the_next_attempt_is_the_same_unit_s():
    assert counts(failure(), success(unit_number=2)) == []


def test_nothing_gives_nothing():
    assert counts() == []
