"""Failures that are no crash: a stop that fails, and a start that was not tried because of another unit."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from forensics.assembly import assemble
from tests.attempts.building import Journal, exits, only, stopped_on_request

Play = Callable[[Journal], None]


def stop_that_fails(j: Journal) -> None:
    j.manager("started", "r1")
    j.manager("stopping", "r1", JOB_TYPE="stop")
    exits(j, "r1", "exited", 127)
    j.manager("failed", "r1", UNIT_RESULT="exit-code")
    j.manager("stopped", "r1", JOB_TYPE="restart")


def stop_that_times_out(j: Journal) -> None:
    j.manager("started", "r1")
    j.manager("stopping", "r1", JOB_TYPE="stop")
    j.manager("x", "r1", after=90, text="app.service: State 'stop-sigterm' timed out. Killing.", CODE_FUNC="service_dispatch_timer")
    exits(j, "r1", "killed", 9)
    j.manager("failed", "r1", UNIT_RESULT="timeout")
    j.manager("stopped", "r1", JOB_TYPE="stop")


def sigterm_that_is_a_success(j: Journal) -> None:
    j.manager("started", "r1")
    j.manager("stopping", "r1", JOB_TYPE="stop")
    exits(j, "r1", "exited", 143)
    j.manager("well", "r1")
    j.manager("stopped", "r1", JOB_TYPE="stop")


STOPS = [
    ("it exits with an error", stop_that_fails, True),
    ("it has to be killed", stop_that_times_out, True),
    ("a SIGTERM that SuccessExitStatus= allows", sigterm_that_is_a_success, False),
    ("it ends well", stopped_on_request, False),
]


@pytest.mark.parametrize(("play", "failed"), [case[1:] for case in STOPS], ids=[case[0] for case in STOPS])
def test_a_stop_has_failed_when_systemd_calls_it_a_failure(play: Play, failed: bool) -> None:
    journal = Journal()
    play(journal)
    attempt = only(assemble(journal.frame()).attempts)
    assert (attempt["outcome"], attempt["failed_stopping"]) == ("stopped", failed)


def test_a_failure_before_the_stop_is_no_failed_stop() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    exits(journal, "r1", "exited", 1)
    journal.manager("stopping", "r1", JOB_TYPE="stop")
    journal.manager("failed", "r1", UNIT_RESULT="exit-code")
    assert only(assemble(journal.frame()).attempts)["failed_stopping"] is False


def test_a_unit_that_is_not_tried_because_its_dependency_failed_has_failed_at_once() -> None:
    journal = Journal()
    journal.fails("r1")
    unmet(journal, run="r1")
    made = assemble(journal.frame())
    rows = made.attempts.select("outcome", "result", "invocation", "uptime_s", "automatic", "entries").rows()
    assert rows == [("failed", "exit-code", "r1", 1.0, False, 3), ("failed", "dependency", None, 0.0, False, 1)]
    assert made.events.filter(pl.col("attempt") == 1)["text"].to_list() == ["Dependency failed for app.service."]
    assert made.lifecycle["attempt"].to_list() == [0, 0, 0, 1]


def test_each_start_that_a_dependency_prevented_is_one_failure() -> None:
    journal = Journal()
    for _ in range(3):
        unmet(journal)
    journal.manager("restart", "r9", N_RESTARTS="1")
    unmet(journal)
    journal.writes("", "who wrote this is unknown")
    attempts = assemble(journal.frame()).attempts
    assert attempts["result"].to_list() == ["dependency", "dependency", "dependency", None, "dependency"]
    assert attempts["automatic"].to_list() == [False, False, False, None, True]
    assert attempts["lines"].sum() == 1


def unmet(journal: Journal, run: str = "") -> None:
    journal.manager("job_failed", run, after=60, text="Dependency failed for app.service.", JOB_TYPE="start", JOB_RESULT="dependency")
