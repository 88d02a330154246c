"""Journals of systemd 219 (RHEL 7), 232 (Debian 9), 237 (Ubuntu 18.04) and 239 (RHEL 8), in the wording of their service.c."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.assembly import Assembly, assemble
from forensics.attempts import lifecycle_of
from forensics.incidents.completeness import data_notes
from forensics.incidents.gaps import find_gaps
from forensics.manager_fields import with_manager_fields
from forensics.signatures import catalogue, label
from tests.attempts.building import IDS, Journal, fails_219, only, plain_line

UNIT = "app.service"


def fails_239(journal: Journal, run: str, counter: int | None, *, marked: bool = False) -> None:
    """marked: as later builds of RHEL 8, which add the MESSAGE_ID of the failure."""
    journal.manager("started", run, JOB_TYPE="start", JOB_RESULT="done")
    journal.writes(run, "ready", pid=1000, stream="s")
    exited = f"{UNIT}: Main process exited, code=killed, status=11/SEGV"
    journal.manager(
        "x", run, after=7200, text=exited, EXIT_CODE="killed", EXIT_STATUS="11", PRIORITY="4", CODE_FUNC="service_sigchld_event"
    )
    failed = {"MESSAGE_ID": IDS["failed"], "UNIT_RESULT": "signal"} if marked else {}
    journal.manager("x", run, text=f"{UNIT}: Failed with result 'signal'.", PRIORITY="4", CODE_FUNC="service_enter_dead", **failed)
    if counter is not None:
        expired = f"{UNIT}: Service RestartSec=5s expired, scheduling restart."
        journal.manager("x", run, after=5, text=expired, CODE_FUNC="service_dispatch_timer", PRIORITY="6")
        journal.manager("restart", run, N_RESTARTS=str(counter))
        journal.manager("stopped", run, JOB_TYPE="restart", JOB_RESULT="done")


def ends(made: Assembly) -> list[tuple[object, ...]]:
    return made.attempts.select("outcome", "result", "exit_code", "exit_status", "automatic").rows()


def test_219_has_one_attempt_per_start_and_one_restart_per_hold_off() -> None:
    journal = Journal()
    for _ in range(40):
        fails_219(journal)
    plain_line(journal, "Started App.", "started", RESULT="done")
    made = assemble(journal.frame())
    failures = [("failed", "exit-code", "exited", 1, n > 0) for n in range(40)]
    assert ends(made) == [*failures, ("running", None, None, None, True)]
    assert made.attempts["lines"].to_list() == [1] * 40 + [0]
    assert made.attempts["invocation"].null_count() == 41
    assert made.restarts.select("attempt", "count", "lost").rows() == [(n, 1, False) for n in range(40)]
    assert made.lifecycle["attempt"].null_count() == 0
    assert not made.lifecycle["requested"].any()


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("app.service start operation timed out. Terminating.", "timeout"),
        ("app.service stop-sigterm timed out. Killing.", "timeout"),
        ("app.service watchdog timeout (limit 30s)!", "watchdog"),
    ],
)
def test_219_names_no_result_so_what_it_logged_before_shows_it(text: str, result: str) -> None:
    journal = Journal()
    plain_line(journal, "Starting App...", "starting")
    plain_line(journal, text, after=90, PRIORITY="4")
    plain_line(journal, "Failed to start App.", "job_failed", RESULT="failed")
    plain_line(journal, f"Unit {UNIT} entered failed state.")
    plain_line(journal, f"{UNIT} failed.", PRIORITY="4")
    assert ends(assemble(journal.frame())) == [("failed", result, None, None, False)]


def test_219_logs_a_refused_start_without_an_attempt() -> None:
    journal = Journal()
    fails_219(journal)
    plain_line(journal, f"start request repeated too quickly for {UNIT}", PRIORITY="4")
    plain_line(journal, "Failed to start App.", "job_failed", RESULT="failed")
    plain_line(journal, f"Unit {UNIT} entered failed state.")
    plain_line(journal, f"{UNIT} failed.", PRIORITY="4")
    made = assemble(journal.frame())
    assert only(made.attempts)["refused"] is True
    assert made.restarts["refused"].to_list() == [True]


def test_219_logs_a_stop_and_a_failure_while_stopping() -> None:
    journal = Journal()
    for failing in (False, True):
        plain_line(journal, "Started App.", "started", after=60, RESULT="done")
        plain_line(journal, "Stopping App...", "stopping", after=60)
        if failing:
            plain_line(journal, f"{UNIT}: main process exited, code=exited, status=127/n/a", EXIT_CODE="exited", EXIT_STATUS="127")
            plain_line(journal, f"Unit {UNIT} entered failed state.")
            plain_line(journal, f"{UNIT} failed.", PRIORITY="4")
        plain_line(journal, "Stopped App.", "stopped", RESULT="done")
    made = assemble(journal.frame())
    assert made.attempts.select("outcome", "failed_stopping", "automatic").rows() == [("stopped", False, False), ("stopped", True, False)]
    assert made.lifecycle.filter(pl.col("kind") == "stopping")["job"].to_list() == ["stop", "stop"]


def test_219_does_not_mark_a_dependency_that_failed() -> None:
    journal = Journal()
    plain_line(journal, "Dependency failed for App.", "job_failed", RESULT="dependency", PRIORITY="4")
    assert ends(assemble(journal.frame())) == [("failed", "dependency", None, None, False)]


def test_a_failure_whose_start_is_lost_is_an_attempt_after_the_restart() -> None:
    journal = Journal()
    fails_219(journal)
    kept = len(journal.lines)
    fails_219(journal, restarts=False)
    del journal.lines[kept]  # "Started"
    assert [outcome for outcome, *_ in ends(assemble(journal.frame()))] == ["failed", "failed"]


@pytest.mark.parametrize("marked", [False, True])
def test_239_is_read_whole(marked: bool) -> None:
    journal = Journal()
    for n in range(3):
        fails_239(journal, f"r{n}", n + 1 if n != 1 else 4, marked=marked)
    made = assemble(journal.frame())
    assert ends(made) == [("failed", "signal", "killed", 11, n > 0) for n in range(3)]
    assert made.attempts["invocation"].to_list() == ["r0", "r1", "r2"]
    assert made.restarts.filter("lost")["count"].to_list() == [2, 2]
    assert made.restarts.filter(~pl.col("lost")).height == 3
    assert not made.events["text"].str.contains("expired").any()
    events = made.events.filter(pl.col("kind") == "manager").filter(pl.col("attempt") == 0)
    assert events.select("exit_code", "exit_status", "command", "result").rows() == [
        ("killed", 11, "ExecStart", None),
        (None, None, None, "signal"),
    ]


def test_a_control_process_before_240_is_named_by_what_the_unit_was_doing() -> None:
    control = "app.service: Control process exited, code=exited status=4"
    journal = Journal()
    journal.manager("starting", "r1")
    journal.manager("x", "r1", text=control)
    journal.manager("x", "r1", text="app.service: Failed with result 'exit-code'.", PRIORITY="4")
    journal.manager("starting", "r2", after=60)
    journal.manager("started", "r2")
    reload = journal.manager("x", "r2", text="Reloading App.")
    reload["MESSAGE_ID"] = "d34d037fff1847e6ae669a370e694725"
    journal.manager("x", "r2", text=control)
    frame = journal.frame()
    assert ends(assemble(frame)) == [("failed", "exit-code", "exited", 4, False), ("running", None, None, None, False)]
    assert with_manager_fields(frame)["command"].drop_nulls().to_list() == ["ExecStartPre", "ExecReload"]


@pytest.mark.parametrize("counted", [True, False])
def test_the_end_of_a_hold_off_is_a_restart_only_where_no_counted_one_follows(counted: bool) -> None:
    """232 writes only the first of the two lines, 235 … 238 both."""
    journal = Journal()
    for n in range(3):
        journal.manager("started", f"r{n}")
        journal.manager(
            "x", f"r{n}", text=f"{UNIT}: Main process exited, code=exited, status=1/FAILURE", EXIT_CODE="exited", EXIT_STATUS="1"
        )
        journal.manager("x", f"r{n}", text=f"{UNIT}: Unit entered failed state.")
        journal.manager("x", f"r{n}", text=f"{UNIT}: Failed with result 'exit-code'.", PRIORITY="4")
        journal.manager("x", f"r{n}", after=1, text=f"{UNIT}: Service hold-off time over, scheduling restart.")
        if counted:
            journal.manager("restart", f"r{n}", N_RESTARTS=str(n + 1))
    made = assemble(journal.frame())
    assert made.restarts.select("attempt", "count").rows() == [(0, 1), (1, 1), (2, 1)]
    assert ends(made) == [("failed", "exit-code", "exited", 1, n > 0) for n in range(3)]


def test_the_stream_reads_the_same_statements() -> None:
    journal = Journal()
    fails_219(journal)
    kinds = lifecycle_of(journal.frame())["kind"].to_list()
    assert kinds == ["started", "exit", "failed", "restart", "stopped"]


def test_a_newer_journal_is_returned_as_it_is() -> None:
    journal = Journal()
    journal.fails("r1", counter=1)
    journal.manager("x", "r1", text="app.service: Triggering OnFailure= dependencies.")
    frame = journal.frame()
    assert with_manager_fields(frame) is frame


def test_a_service_cannot_write_the_managers_old_lines() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.writes("r1", "app.service holdoff time over, scheduling restart.", "app.service failed.")
    made = assemble(journal.frame())
    assert made.restarts.is_empty()
    assert only(made.attempts)["outcome"] == "running"


def test_the_class_of_an_attempt_is_found_in_old_journals_too() -> None:
    journal = Journal()
    for _ in range(3):
        fails_219(journal)
    made = assemble(journal.frame())
    labels = label(made.events, made.attempts, catalogue.load([])).labels
    assert labels["failed"].to_list() == [True] * 3
    assert labels["signature"].n_unique() == 1


def test_one_note_says_what_a_journal_of_before_235_does_not_show() -> None:
    old, newer = Journal(host="seven"), Journal(host="eight")
    fails_219(old)
    fails_239(newer, "r1", 1)
    notes = data_notes(old.frame(), find_gaps(old.frame()))
    assert [note for note in notes if "older than 235" in note] == [note for note in notes if "seven" in note]
    assert len([note for note in notes if "older than 235" in note]) == 1
    assert not [note for note in data_notes(newer.frame(), find_gaps(newer.frame())) if "older than 235" in note]
    assert find_gaps(old.frame()).dropped.height == 0


def test_a_start_of_219_that_nothing_followed_but_the_next_start_ended_well() -> None:
    journal = Journal()
    for failing in (True, False, True, False):
        plain_line(journal, "Starting App...", "starting", after=86_400)
        if failing:
            plain_line(journal, f"{UNIT}: main process exited, code=exited, status=23/n/a", EXIT_CODE="exited", EXIT_STATUS="23")
            plain_line(journal, "Failed to start App.", "job_failed", RESULT="failed")
            plain_line(journal, f"{UNIT} failed.", PRIORITY="4")
        else:
            plain_line(journal, "Started App.", "started", RESULT="done")
    attempts = assemble(journal.frame()).attempts
    assert attempts.select("outcome", "result", "exit_status").rows() == [
        ("failed", "exit-code", 23),
        ("clean", "success", 0),
        ("failed", "exit-code", 23),
        ("running", None, None),
    ]
