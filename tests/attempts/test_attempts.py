"""Each rule of the life of an attempt, on the fewest lines that show it."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from forensics.assembly import assemble
from tests.attempts.building import Journal, exits, frames, only, stopped_on_request

Told = Callable[[Journal], None]


def plain_failure(j: Journal) -> None:
    j.fails("r1")


def oneshot(j: Journal) -> None:
    j.manager("starting", "r1")
    j.manager("well", "r1")
    j.manager("started", "r1", text="Finished app.service.", JOB_TYPE="start", JOB_RESULT="done")


def oneshot_that_remains(j: Journal) -> None:
    j.manager("starting", "r1")
    j.manager("started", "r1", text="Finished app.service.", JOB_TYPE="start", JOB_RESULT="done")


def clean_then_stopped_while_waiting(j: Journal) -> None:
    j.manager("started", "r1")
    j.manager("well", "r1")
    j.manager("stopped", "r1", after=5, JOB_TYPE="stop")


def stopped_with_143(j: Journal) -> None:
    j.manager("started", "r1")
    j.manager("stopping", "r1", JOB_TYPE="stop")
    exits(j, "r1", "exited", 143)
    j.manager("failed", "r1", UNIT_RESULT="exit-code")
    j.manager("stopped", "r1", JOB_TYPE="stop")


def nothing_left_to_stop(j: Journal) -> None:
    j.manager("started", "r1")
    j.manager("well", "r1")
    j.manager("stopped", "r1", JOB_TYPE="stop")


def failed_then_stopped_while_waiting(j: Journal) -> None:
    j.fails("r1")
    j.manager("stopped", "r1", after=5, JOB_TYPE="stop")


def stop_request_after_the_crash(j: Journal) -> None:
    j.manager("started", "r1")
    exits(j, "r1", "exited", 1)
    j.manager("stopping", "r1", JOB_TYPE="stop")
    j.manager("failed", "r1", UNIT_RESULT="exit-code")


def automatic_restart_of_252(j: Journal) -> None:
    j.fails("r1", counter=1)
    j.manager("stopped", "r1", JOB_TYPE="restart")
    j.fails("r2", counter=2)
    j.manager("stopped", "r2", JOB_TYPE="restart")


def failed_reload(j: Journal) -> None:
    j.manager("started", "r1")
    exits(j, "r1", "exited", 13, "ExecReload")


def start_pre(j: Journal) -> None:
    j.manager("starting", "r1")
    exits(j, "r1", "exited", 4, "ExecStartPre")
    exits(j, "r1", "exited", 15, "ExecStopPost")
    j.manager("failed", "r1", UNIT_RESULT="exit-code")
    j.manager("job_failed", "r1", JOB_RESULT="failed")


def main_then_stop_post(j: Journal) -> None:
    j.manager("started", "r1")
    exits(j, "r1", "killed", 9)
    exits(j, "r1", "exited", 15, "ExecStopPost")
    j.manager("failed", "r1", UNIT_RESULT="signal")


def watchdog(j: Journal) -> None:
    j.manager("starting", "r1")
    j.manager("started", "r1")
    j.manager("wd", "r1", text="app.service: Watchdog timeout (limit 30s)!", CODE_FUNC="service_dispatch_watchdog")
    exits(j, "r1", "dumped", 6)
    j.manager("failed", "r1", UNIT_RESULT="watchdog")


def start_timeout(j: Journal) -> None:
    j.manager("starting", "r1")
    j.manager("to", "r1", text="app.service: start operation timed out. Terminating.")
    j.manager("failed", "r1", UNIT_RESULT="timeout")


def result_line_lost(j: Journal) -> None:
    j.manager("started", "r1")
    exits(j, "r1", "killed", 11)


def only_the_restart_is_left(j: Journal) -> None:
    j.manager("restart", "r1", N_RESTARTS="7")


def start_before_the_data(j: Journal) -> None:
    j.writes("r1", "hello")
    j.dies("r1")


def only_its_own_lines(j: Journal) -> None:
    j.writes("r1", "hello")


def superseded(j: Journal) -> None:
    j.manager("started", "r1")
    j.writes("r1", "hello")
    j.fails("r2")


ENDS: list[tuple[str, Told, list[tuple[object, ...]]]] = [
    ("exit code", plain_failure, [("failed", "exit-code", "exited", 1, "ExecStart")]),
    ("a oneshot says that it deactivated before it says that it finished", oneshot, [("clean", "success", None, 0, None)]),
    ("RemainAfterExit", oneshot_that_remains, [("clean", "success", None, 0, None)]),
    ("ended by itself, stopped later", clean_then_stopped_while_waiting, [("clean", "success", None, 0, None)]),
    ("stop", stopped_on_request, [("stopped", "success", None, 0, None)]),
    ("SIGTERM shown as exit 143", stopped_with_143, [("stopped", "exit-code", "exited", 143, "ExecStart")]),
    ("a stop that says only Stopped", nothing_left_to_stop, [("stopped", "success", None, 0, None)]),
    (
        "failed, stopped while it waited for its restart",
        failed_then_stopped_while_waiting,
        [("failed", "exit-code", "exited", 1, "ExecStart")],
    ),
    ("the crash came before the stop request", stop_request_after_the_crash, [("failed", "exit-code", "exited", 1, "ExecStart")]),
    ("Stopped in each automatic restart", automatic_restart_of_252, [("failed", "exit-code", "exited", 1, "ExecStart")] * 2),
    ("a failed reload ends nothing", failed_reload, [("running", None, None, None, None)]),
    ("ExecStartPre decides, not ExecStopPost", start_pre, [("failed", "exit-code", "exited", 4, "ExecStartPre")]),
    ("the main process decides", main_then_stop_post, [("failed", "signal", "killed", 9, "ExecStart")]),
    ("watchdog", watchdog, [("failed", "watchdog", "dumped", 6, "ExecStart")]),
    ("time-out without an exit line", start_timeout, [("failed", "timeout", None, None, None)]),
    ("the result follows from the exit", result_line_lost, [("failed", "signal", "killed", 11, "ExecStart")]),
    ("a restart was scheduled, so it had ended", only_the_restart_is_left, [("failed", None, None, None, None)]),
    ("no start on record", start_before_the_data, [("failed", "exit-code", "exited", 1, "ExecStart")]),
    ("neither start nor end on record", only_its_own_lines, [("running", None, None, None, None)]),
    (
        "its end is lost, another run followed",
        superseded,
        [("cut", None, None, None, None), ("failed", "exit-code", "exited", 1, "ExecStart")],
    ),
]


@pytest.mark.parametrize(("told", "expected"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_how_an_attempt_ends(told: Told, expected: list[tuple[object, ...]]) -> None:
    journal = Journal()
    told(journal)
    attempts = assemble(journal.frame()).attempts
    assert list(attempts.select("outcome", "result", "exit_code", "exit_status", "command").iter_rows()) == expected


NO_ATTEMPTS = [
    ("unit condition, 252", {"text": "app.service was skipped because of an unmet condition check (ConditionPathExists=/x)."}),
    ("unit condition, 257", {"text": "app.service skipped, unmet condition check ConditionPathExists=/x"}),
    ("ExecCondition", {"text": "Condition check resulted in app.service being skipped."}),
]


@pytest.mark.parametrize("fields", [case[1] for case in NO_ATTEMPTS], ids=[case[0] for case in NO_ATTEMPTS])
@pytest.mark.parametrize("run", ["", "old"])
def test_a_skipped_start_is_no_attempt(fields: dict[str, str], run: str) -> None:
    journal = Journal()
    journal.manager("started", run, JOB_TYPE="start", JOB_RESULT="done", **fields)
    assert assemble(journal.frame()).attempts.is_empty()


def test_a_start_skipped_by_its_exec_condition_is_no_attempt_whatever_it_wrote() -> None:
    journal = Journal()
    journal.manager("starting", "r1")
    journal.writes("r1", "not today")
    journal.manager("skipped", "r1", UNIT_RESULT="exec-condition")
    assert assemble(journal.frame()).attempts.is_empty()


def test_a_skipped_start_does_not_change_the_run_whose_id_it_repeats() -> None:
    journal = Journal()
    journal.fails("r1")
    journal.manager("started", "r1", after=60, text="app.service was skipped because of an unmet condition check (X).")
    attempt = only(assemble(journal.frame()).attempts)
    assert (attempt["outcome"], attempt["uptime_s"]) == ("failed", 1.0)


def test_a_start_whose_assertion_is_not_met_is_no_attempt() -> None:
    journal = Journal()
    journal.manager("job_failed", "", text="Assertion failed for app.service.", JOB_RESULT="assert", JOB_TYPE="start")
    assert assemble(journal.frame()).attempts.is_empty()


@pytest.mark.parametrize("unit", ["a.socket", "a.timer", "a.mount", "a.scope", "a.target"])
def test_only_services_are_attempted(unit: str) -> None:
    journal = Journal(unit)
    journal.fails("r1")
    assert assemble(journal.frame()).attempts.is_empty()


def test_readiness_is_known_only_where_the_unit_announces_it() -> None:
    journal = Journal()
    journal.manager("starting", "r1")
    journal.manager("started", "r1", after=30)
    journal.dies("r1")
    journal.fails("r2")
    made = assemble(journal.frame()).attempts
    assert (made["ready"] - made["started"]).dt.total_seconds().to_list() == [30, None]


def test_the_start_limits_echo_does_not_replace_the_result() -> None:
    journal = Journal()
    journal.fails("r1", counter=1, status=3)
    journal.manager("limit", "r1", text="app.service: Start request repeated too quickly.", CODE_FUNC="unit_test_start_limit")
    journal.manager("failed", "r1", UNIT_RESULT="start-limit-hit")
    journal.manager("job_failed", "r1", JOB_RESULT="failed")
    made = assemble(journal.frame())
    attempt = only(made.attempts)
    assert (attempt["result"], attempt["exit_status"], attempt["refused"], attempt["restart_counter"]) == ("exit-code", 3, True, 1)
    assert made.restarts["refused"].to_list() == [True]
    assert made.events.filter(pl.col("text").str.contains("repeated too quickly")).height == 1
    assert made.events["result"].drop_nulls().to_list() == ["exit-code"]


def test_a_manual_start_that_is_refused_later_changes_nothing() -> None:
    journal = Journal()
    journal.fails("r1", counter=1)
    journal.fails("r2")
    for _ in range(2):
        journal.manager("limit", "r2", after=5, text="app.service: Start request repeated too quickly.")
        journal.manager("failed", "r2", UNIT_RESULT="exit-code")
    made = assemble(journal.frame())
    assert made.attempts["refused"].to_list() == [False, False]
    assert made.attempts["ended"].is_sorted()


def test_only_a_start_after_a_scheduled_restart_is_automatic() -> None:
    journal = Journal()
    journal.fails("r1", counter=1)
    journal.fails("r2", counter=2)
    journal.manager("limit", "r2", text="app.service: Start request repeated too quickly.")
    journal.manager("started", "r3", after=60)
    journal.manager("stopping", "r3")
    journal.manager("well", "r3")
    journal.manager("stopped", "r3", JOB_TYPE="restart")
    journal.manager("started", "r4")
    assert assemble(journal.frame()).attempts["automatic"].to_list() == [False, True, False, False]


def test_a_run_whose_start_is_not_recorded_is_neither_automatic_nor_manual() -> None:
    journal = Journal()
    journal.writes("r1", "hello")
    assert assemble(journal.frame()).attempts["automatic"].to_list() == [None]


def test_a_boot_that_is_over_cuts_what_ran_in_it() -> None:
    first, second = Journal(boot="b1"), Journal(boot="b2")
    first.manager("started", "r1")
    first.manager("x", "", after=100, unit="other.service", text="last of the boot")
    second.now = first.now
    second.manager("started", "r2", after=30)
    made = assemble(frames([first, second])).attempts
    assert list(made.select("outcome", "ended", "uptime_s").iter_rows()) == [("cut", None, 100.0), ("running", None, 0.0)]


def test_a_restart_of_journald_cuts_nothing_but_its_stop_at_the_very_end_does() -> None:
    for after, outcome in ((True, "running"), (False, "cut")):
        journal = Journal()
        journal.manager("started", "r1")
        journal.add(
            1,
            {
                "_PID": "7",
                "_TRANSPORT": "driver",
                "MESSAGE_ID": "d93fb3c9c24d451a97cea615ce59c00b",
                "MESSAGE": "Journal stopped",
                "_SYSTEMD_UNIT": "systemd-journald.service",
            },
        )
        if after:
            journal.manager("x", "", text="goes on")
        assert only(assemble(journal.frame()).attempts.filter(pl.col("unit") == "app.service"))["outcome"] == outcome


def test_a_stop_that_was_asked_for_is_a_stop_even_where_the_boot_ends_first() -> None:
    first, second = Journal(boot="b1"), Journal(boot="b2")
    first.manager("started", "r1")
    first.manager("stopping", "r1")
    second.manager("started", "r2", after=60)
    assert assemble(frames([first, second])).attempts["outcome"].to_list() == ["stopped", "running"]


def test_resources_are_those_systemd_recorded() -> None:
    journal = Journal()
    journal.fails("r1")
    journal.manager("resources", "r1", CPU_USAGE_NSEC="1640000000", MEMORY_PEAK="35102720")
    journal.fails("r2")
    made = assemble(journal.frame()).attempts
    assert list(made.select("cpu_ns", "memory_peak").iter_rows()) == [(1640000000, 35102720), (None, None)]


def test_uptime_ignores_a_jump_of_the_wall_clock() -> None:
    journal = Journal()
    for n in range(300):
        journal.writes("r0", f"tick {n}")
    journal.manager("started", "r1")
    journal.dies("r1")
    for line in journal.lines[-1:]:
        line["__REALTIME_TIMESTAMP"] = str(int(line["__REALTIME_TIMESTAMP"]) + 3_600_000_000)
    made = assemble(journal.frame()).attempts.filter(pl.col("invocation") == "r1")
    assert only(made)["uptime_s"] == 1.0


def test_uptime_is_wall_time_where_the_monotonic_clock_is_useless() -> None:
    journal = Journal()
    for n in range(20):
        journal.writes("r0", f"tick {n}")
    journal.manager("started", "r1")
    journal.dies("r1")
    for n, line in enumerate(journal.lines):
        line["__MONOTONIC_TIMESTAMP"] = str(60_000_000 * n)
    assert only(assemble(journal.frame()).attempts.filter(pl.col("invocation") == "r1"))["uptime_s"] == 1.0


def test_running_attempts_have_no_events() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.writes("r1", "Traceback (most recent call last):", '  File "/a.py", line 1, in f', "ValueError: handled")
    assert assemble(journal.frame()).events.is_empty()


def test_nothing_in_nothing_out() -> None:
    made = assemble(Journal().frame())
    assert (made.attempts.height, made.events.height, made.restarts.height) == (0, 0, 0)


def test_numbers_are_rows_and_rows_point_at_what_they_claim() -> None:
    journal = Journal()
    journal.fails("r1", counter=1)
    journal.fails("r2")
    frame = journal.frame()
    made = assemble(frame)
    assert made.attempts["attempt"].to_list() == [0, 1]
    assert made.events["event"].to_list() == list(range(made.events.height))
    assert frame["message"].gather(made.attempts["first_row"]).to_list() == ["Started app.service."] * 2
    assert frame["exit_status"].gather(made.attempts["last_row"]).to_list() == [1, 1]
