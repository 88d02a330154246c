"""Whether the restart after a failure helped."""

import polars as pl

from forensics.incidents.helped import with_helped

SCHEMA = {
    "number": pl.UInt32, "unit_number": pl.Int64, "signature": pl.String, "failed": pl.Boolean, "restarted": pl.Boolean,
    "outcome": pl.Enum(["failed", "clean", "stopped", "cut", "running"]), "uptime_s": pl.Float64, "automatic": pl.Boolean,
    "held": pl.Boolean,
}  # fmt: skip


def helped(*attempts: dict) -> list[bool | None]:
    rows = [{"number": number, "unit_number": 1, "automatic": number > 0, **attempt} for number, attempt in enumerate(attempts)]
    return with_helped(pl.DataFrame(rows, schema=SCHEMA))["restart_helped"].to_list()


def failure(up: float = 2, **columns) -> dict:
    return {"signature": "a", "failed": True, "restarted": True, "outcome": "failed", "uptime_s": up, "held": False} | columns


def success(up: float = 1200, outcome: str = "running", *, held: bool | None = None, **columns) -> dict:
    made = {"signature": None, "failed": False, "restarted": False, "outcome": outcome, "uptime_s": up}
    return made | {"held": up >= 600 if held is None else held} | columns


def test_only_the_last_failure_of_a_loop_was_followed_by_an_attempt_that_held():
    assert helped(failure(), failure(), failure(), success()) == [False, False, True, None]


def test_a_failure_whose_own_attempt_had_held_shows_that_the_restart_before_it_helped():
    assert helped(failure(900, held=True), failure(900, held=True), success()) == [True, True, None]


def test_a_start_whose_outcome_is_not_known_yet_shows_nothing():
    assert helped(failure(), success(30)) == [None, None]
    assert helped(failure(), success(30, "cut")) == [None, None]
    assert helped(failure()) == [None]


def test_a_start_that_was_stopped_before_it_was_healthy_did_not_help():
    assert helped(failure(), success(30, "stopped")) == [False, None]


def test_a_start_that_policy_takes_for_healthy_held():
    assert helped(failure(), success(200, "stopped", held=True)) == [True, None]


def test_a_start_by_hand_and_a_failure_that_nothing_restarted_show_nothing_about_restarts():
    assert helped(failure(), success(automatic=False)) == [None, None]
    assert helped(failure(restarted=False), success()) == [None, None]


def test_the_next_attempt_is_the_same_unit_s():
    assert helped(failure(), success(unit_number=2)) == [None, None]


def test_nothing_gives_nothing():
    assert helped() == []
